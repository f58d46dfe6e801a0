// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import VirtualCluster

/// Carries out steps, one after the other.
package struct StepRunner: Sendable {
    let instance: ScenarioInstance
    package let cluster: any ClusterControl
    let situation: Situation
    package let patience: Patience

    /// Between two looks at a condition: short against anything a kernel does over a network of emulated nodes.
    static let pollInterval = Duration.milliseconds(100)

    func perform(_ steps: [Step]) async throws {
        for step in steps { try await perform(step) }
    }

    private func perform(_ step: Step) async throws {
        try Task.checkCancellation()
        let clock = ContinuousClock()
        let start = clock.now
        cluster.note(.step, node: nil, step.text, ["line": "\(step.line)"])
        do {
            try await carryOut(step)
        } catch {
            throw StepProblem(error, doing: "line \(step.line), \(step.text)")
        }
        cluster.note(
            .stepEnd, node: nil, step.text, ["line": "\(step.line)", "seconds": (clock.now - start).inSeconds])
    }

    private func carryOut(_ step: Step) async throws {
        switch step.action {
        case .run(let run): try await self.run(run)
        case .join(let name, let limit):
            guard let (node, command) = await situation.take(name) else {
                throw StepProblem.scenario("nothing called \(name) runs in the background")
            }
            let result = try await command.wait(limit: patience.limit(limit))
            note(name, result, on: node)
            guard result.status == 0 else { throw problem(node, name, result) }
        case .write(let text, let path, let nodes):
            try await onEach(nodes) { node in
                do {
                    try await node.write(path, text)
                } catch ClusterFailure.refused(let id, _, let reason) {
                    // The kernel's own answer to the write, such as EBUSY.
                    throw StepProblem.status(
                        node: id, command: "echo \(text) > \(path)", status: 1, output: "\(reason)")
                }
            }
        case .wait(let conditions, let limit): try await wait(for: conditions, limit: limit)
        case .settle(let limit): try await settle("settled", limit: limit)
        case .confirm(let policy, let nodes): try await onEach(nodes) { try await $0.setConfirmation(policy) }
        case .stop(let nodes):
            try await onEach(nodes) { try await mdadm($0, ["--stop", ClusteredArray.path], limit: 60) }
        case .assemble(let nodes):
            for node in try await situation.members(nodes) { try await assemble(node) }
        case .crash(let node):
            await situation.died(node)
            try await cluster.crash(node)
        case .freeze(let node):
            await situation.froze(node)
            try await cluster.freeze(node)
        case .thaw(let node):
            try await cluster.thaw(node)
            await situation.thawed(node)
        case .link(let first, let second, let up):
            await situation.disturbed()
            try await cluster.setLink(first, second, up: up)
        case .together(let branches):
            try await withThrowingTaskGroup(of: Void.self) { group in
                for branch in branches { group.addTask { try await perform(branch) } }
                try await group.waitForAll()
            }
        case .repeat(let times, let steps):
            for _ in 0..<times { try await perform(steps) }
        }
    }

    private func run(_ step: RunStep) async throws {
        if let name = step.background {
            for node in try await situation.members(step.on) {
                await situation.started(name, on: node.id, try await node.start(step.command.argv))
            }
            return
        }
        try await onEach(step.on) { node in
            await situation.began()
            let result: CommandResult
            do { result = try await node.run(step.command.argv, limit: patience.limit(step.limit)) } catch {
                await situation.ended()
                throw error
            }
            await situation.ended()
            note(step.command.text, result, on: node.id)
            guard step.status.accepts(result.status) else { throw problem(node.id, step.command.text, result) }
        }
    }

    /// Bytes of a command's output that the record keeps.
    private static let outputLimit = 65_536

    private func note(_ command: String, _ result: CommandResult, on node: NodeID) {
        if result.output.isEmpty, result.errors.isEmpty { return }
        func kept(_ text: String) -> String {
            guard text.utf8.count > Self.outputLimit else { return text }
            return String(decoding: text.utf8.prefix(Self.outputLimit), as: UTF8.self) + "\n[cut]\n"
        }
        cluster.note(
            .output, node: node, command,
            ["status": "\(result.status)", "output": kept(result.output), "errors": kept(result.errors)])
    }

    private func onEach(_ nodes: NodeSet, _ body: @escaping @Sendable (any NodeControl) async throws -> Void)
        async throws
    {
        let members = try await situation.members(nodes)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for node in members { group.addTask { try await body(node) } }
            try await group.waitForAll()
        }
    }

    /// Statuses 126 and 127 are a shell's words for a program that cannot be run: the scenario's mistake, not the
    /// kernel's.
    package func problem(_ node: NodeID, _ command: String, _ result: CommandResult) -> StepProblem {
        let said =
            (result.errors.isEmpty ? result.output : result.errors).split(separator: "\n").last.map(String.init) ?? ""
        if result.status == 126 || result.status == 127 { return .scenario("\(node): \(command): \(said)") }
        return .status(node: node, command: command, status: result.status, output: String(said.prefix(300)))
    }

    func mdadm(_ node: any NodeControl, _ arguments: [String], limit: Double) async throws {
        let argv = ["mdadm"] + arguments
        let result = try await node.run(argv, limit: patience.limit(limit))
        guard result.status == 0 else { throw problem(node.id, argv.joined(separator: " "), result) }
    }

    // MARK: Conditions

    func wait(for conditions: [Condition], limit: Double) async throws {
        let clock = ContinuousClock()
        let start = clock.now
        let end = start + patience.limit(limit)
        var stillness = Stillness(now: start)
        while true {
            var missing: [String] = []
            for condition in conditions { missing += try await unmet(condition) }
            if missing.isEmpty { return }
            let what = conditions.map(\.text).joined(separator: " and ")
            if clock.now >= end {
                throw StepProblem.limit(what: what, seconds: limit * patience.slowness, observed: missing)
            }
            if stillness.isDue(clock.now) {
                let still = stillness.still(try await movement(missing), now: clock.now)
                if still >= patience.limit(patience.stillness) {
                    let observed = missing + ["nothing has moved on any node for \(still.components.seconds) s"]
                    throw StepProblem.limit(what: what, seconds: (clock.now - start) / .seconds(1), observed: observed)
                }
            }
            try await Task.sleep(for: Self.pollInterval)
        }
    }

    /// What changes when something moves; nil while something goes on that nodes need not show: a command, or what DLM
    /// does about a node or a link that was lost.
    private func movement(_ missing: [String]) async throws -> [String]? {
        if await situation.isUnsettled { return nil }
        var facts = missing
        for node in await situation.answering {
            for path in Stillness.files { facts.append(try await read(path, on: node) ?? "") }
        }
        return facts
    }

    /// Where a condition does not hold: "node2: idle". Empty when it holds.
    private func unmet(_ condition: Condition) async throws -> [String] {
        var missing: [String] = []
        var met = false
        for node in try await situation.members(condition.on) {
            let content = try await read(condition.path, on: node)
            if condition.holds(for: content) { met = true } else { missing.append("\(node.id): \(shown(content))") }
        }
        return condition.on == .any && met ? [] : missing
    }

    private func shown(_ content: String?) -> String {
        guard let content else { return "absent" }
        return String(content.trimmingWhitespace().split(separator: "\n").joined(separator: " / ").prefix(200))
    }

    /// A file's text; nil when the node cannot read it.
    private func read(_ path: String, on node: any NodeControl) async throws -> String? {
        do {
            return String(decoding: try await node.read(path), as: UTF8.self)
        } catch ClusterFailure.refused {
            return nil
        }
    }
}

extension Duration {
    /// "1.23"
    var inSeconds: String {
        let hundredths = components.seconds * 100 + components.attoseconds / 10_000_000_000_000_000
        let fraction = hundredths % 100
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
    }
}
