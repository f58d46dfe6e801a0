// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Comparison
import Scenarios
import VirtualCluster

/// What a scenario's steps make md.c call, as far as their commands say: a command that is not known calls nothing.
struct ScenarioCalls {
    private typealias Call = CallerScript.Call

    private let nodes: [NodeID]
    private var script: CallerScript
    private var policies: [NodeID: ConfirmationPolicy] = [:]
    /// Calls of the phase that is being put together.
    private var phase: [Call] = []
    /// While a node is frozen or a command is in the background, what follows runs at the same time.
    private var running = 0
    /// A sync_action that waits for sync_max.
    private var paused: [Call] = []
    private var isLimited = false

    static func script(of instance: ScenarioInstance) -> CallerScript {
        var calls = ScenarioCalls(instance)
        // The resync of a new array goes on while the steps are done.
        if !instance.scenario.array.assumeClean { calls.phase = [Call(.resync, on: 0)] }
        for step in instance.scenario.steps { calls.add(step) }
        calls.running = 0
        calls.flush()
        return calls.script
    }

    private init(_ instance: ScenarioInstance) {
        nodes = instance.nodeIDs
        script = .assembled(nodes: instance.nodes)
    }

    private mutating func flush() {
        if running > 0 { return }
        script.append(phase)
        phase = []
    }

    private mutating func add(_ step: Step) {
        switch step.action {
        case .together(let branches):
            let outer = running
            running += 1
            for step in branches.joined() { add(step) }
            running = outer
        case .repeat(_, let steps): for step in steps { add(step) }
        case .confirm(let policy, let some): for node in some.members(of: nodes) { policies[node] = policy }
        case .freeze: running += 1
        case .thaw, .join: running = max(0, running - 1)
        case .stop(let some): stop(some.members(of: nodes))
        case .assemble(let some): phase += some.members(of: nodes).map { Call(.assemble, on: index($0)) }
        case .crash(let node):
            phase.append(Call(.crash, on: index(node)))
            return
        case .run(let run):
            for node in run.on.members(of: nodes) { command(run.command.text, node) }
            if run.background != nil { running += 1 }
        case .write(let text, let path, let some):
            for node in some.members(of: nodes) { write(text, path, node) }
        case .wait, .link, .settle: return
        }
        flush()
    }

    private func index(_ node: NodeID) -> Int { nodes.firstIndex(of: node) ?? 0 }

    /// A resync that a node leaves goes on elsewhere.
    private mutating func stop(_ stopped: [NodeID]) {
        let wasResyncing = (script.phases.joined() + phase).contains { $0.operation == .resync }
        phase += stopped.map { Call(.stop, on: index($0)) }
        if wasResyncing {
            phase += nodes.filter { !stopped.contains($0) }.map { Call(.resync, on: index($0)) }
        }
    }

    private mutating func command(_ text: String, _ node: NodeID) {
        func has(_ words: String...) -> Bool { words.contains { text.contains($0) } }
        let place = index(node)
        if has("--fail", "echo faulty", "writemostly", "--raid-devices") { phase.append(Call(.update, on: place)) }
        if has("--remove", "echo remove") { phase.append(Call(.remove, on: place)) }
        if has("echo re-add") { phase.append(Call(.reAdd, on: place)) }
        if has("--add", "--re-add") {
            phase.append(Call(.add, on: place))
            for other in nodes where other != node {
                switch policies[other] {
                case .confirm?: phase.append(Call(.confirm, on: index(other)))
                case .missing?: phase.append(Call(.refuse, on: index(other)))
                case .silent?, nil: continue
                }
            }
        }
        if has("--size") { phase.append(Call(.grow, on: place)) }
        if has("--stop") { stop([node]) }
        if has("--assemble") { phase.append(Call(.assemble, on: place)) }
        // A device that takes the place of another is rebuilt.
        if has("--add ", "--re-add", "--raid-devices") {
            flush()
            phase.append(Call(.resync, on: place))
        }
    }

    private mutating func write(_ text: String, _ path: String, _ node: NodeID) {
        let place = index(node)
        if path.hasSuffix("/sync_max") {
            isLimited = text != "max"
            if !isLimited {
                phase += paused
                paused = []
            }
        } else if path.hasSuffix("/sync_action"), ["check", "repair", "resync"].contains(text) {
            if isLimited { paused.append(Call(.resync, on: place)) } else { phase.append(Call(.resync, on: place)) }
        } else if path.hasSuffix("/state") {
            switch text {
            case "remove": phase.append(Call(.remove, on: place))
            case "re-add": phase.append(Call(.reAdd, on: place))
            default: phase.append(Call(.update, on: place))
            }
        }
    }
}
