// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Comparison
import ModelChecker
import ProcedureModel

/// What is waited for after an action of a plan.
enum Awaited: Equatable {
    /// An operation comes to its end.
    case ends(String)
    /// A daemon has nothing to do.
    case rest(String)
    /// A thread stands in a function.
    case place(String, function: String)
}

/// A plan as the text of a schedule file: what the model does after each action becomes what is waited for.
struct ScheduleText {
    let prediction: Prediction
    let plan: Plan
    private var operations: [ModelOperation] { prediction.operations }
    private let machine: Machine

    /// - Parameter machine: the one that the plan is carried out on, if it is not the prediction's.
    init(_ prediction: Prediction, _ plan: Plan, machine: Machine? = nil) {
        (self.prediction, self.plan) = (prediction, plan)
        self.machine = machine ?? prediction.machine
    }

    func text(name: String) -> String {
        let meta = prediction.document.meta
        var lines = [
            "# SPDX-License-Identifier: GPL-2.0",
            "# Made by `mdlab steer` from a counterexample of the model: variant \(meta.variant), workload \(meta.workload).",
            "summary: \(meta.verdict.replacing(":", with: ",")), as the model of \(meta.variant) predicts it.",
            "levels: raid1", "nodes: \(meta.nodes)",
        ]
        lines += prediction.workload.arrayLines
        lines += ["model: {variant: \(meta.variant), workload: \"\(meta.workload)\"}", "", "operations:"]
        lines += operations.map { "  \($0.name): {on: \($0.node), run: \"\($0.command)\"}" }
        let gates = plan.steps.compactMap { step in step.gate.map { ($0, step.skip) } }
        if !gates.isEmpty {
            lines += ["", "gates:"]
            lines += gates.enumerated().map { number, gate in
                let skip = gate.1 > 0 ? ", skip: \(gate.1)" : ""
                let thread = thread(gate.0.thread, operation: operation(atGate: number))
                return "  \(self.name(ofGate: number)): {on: \(thread.node), thread: \(thread.name), "
                    + "\(gate.0.edge.rawValue): \(gate.0.function)\(skip)}"
            }
        }
        lines += ["", "order:"] + order + ["", "deadlock:"] + deadlock + [""]
        if meta.variant != "v5.11" {
            let cycle = WaitEdge.cycle(in: machine.waits(atEndOf: prediction.run)).map {
                machine.threads[$0.waiter].node
            }
            let nodes = Set(cycle).sorted().map { "node\($0 + 1)" }.joined(separator: ", ")
            lines += ["variants:", "  \(meta.variant): {fails: no-hang, cycle: [\(nodes)]}"]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    // MARK: Names

    private func name(ofGate number: Int) -> String {
        let gates = plan.steps.compactMap(\.gate)
        let gate = gates[number]
        let thread = thread(gate.thread, operation: operation(atGate: number))
        // "node1.__sendmsg"; a second gate there gets a number.
        let short = "n\(thread.node.rawValue).\(gate.function)".prefix(20)
        let same = gates[..<number].enumerated().count { index, other in
            "n\(machine.threads[other.thread].node + 1).\(other.function)".prefix(20) == short
        }
        return same == 0 ? String(short) : "\(short).\(same + 1)"
    }

    private func thread(_ number: Int, operation: ModelOperation?) -> ScheduledThread {
        let thread = machine.threads[number]
        let node = NodeID(thread.node + 1)
        if let kind = KernelNames.kind(ofThread: thread.name) { return .init(node: node, kind) }
        return .init(node: node, .operation(operation?.name ?? thread.name))
    }

    /// The operation that a process carries out when it has begun so many.
    private func operation(ofThread thread: Int, begun: Int) -> ModelOperation? {
        let name = machine.threads[thread].name
        let process = name == "mdadm" ? 0 : (Int(name.dropFirst(5)) ?? 1) - 1
        return operations.first {
            $0.node == NodeID(machine.threads[thread].node + 1) && $0.process == process
                && $0.number == max(begun, 1) - 1
        }
    }

    private func operation(atGate number: Int) -> ModelOperation? {
        var begun: [Int: Int] = [:]
        var gates = -1
        for step in plan.steps {
            if case .begin(let thread) = step.action { begun[thread, default: 0] += 1 }
            guard let gate = step.gate else { continue }
            gates += 1
            if gates == number { return operation(ofThread: gate.thread, begun: begun[gate.thread, default: 0]) }
        }
        return nil
    }

    // MARK: The order

    private var order: [String] {
        var model = ControlledModel(machine, answers: prediction.answers)
        var lines: [String] = []
        var gate = 0
        var names: [ModelPoint: String] = [:]
        for (number, step) in plan.steps.enumerated() {
            if let point = step.gate {
                names[point] = name(ofGate: gate)
                lines.append("  - arm: \(name(ofGate: gate))")
                gate += 1
            }
            switch step.action {
            case .begin(let thread):
                let next = operation(ofThread: thread, begun: model.allowed[thread] + 1)
                lines.append("  - start: \(next?.name ?? "")")
            case .release(let point): lines.append("  - release: \(names[point] ?? "")")
            }
            model.moved = []
            _ = Planner.apply(step, to: &model, seed: 1)
            // What comes after the last action is the deadlock, or its absence.
            if number < plan.steps.count - 1 {
                lines += entries(awaited(after: model), held: step.gate.flatMap { names[$0] })
            }
        }
        return lines
    }

    /// What to wait for after an action: where the model's threads have come.
    func awaited(after: ControlledModel) -> [Awaited] {
        var all: [Awaited] = []
        for thread in machine.threads.indices where after.moved.contains(thread) {
            if after.gates.contains(where: { $0.isHeld && $0.point.thread == thread }) { continue }
            let at = machine.instruction(ofThread: thread, in: after.state)
            let calls = at.map { machine.place(ofStep: $0).calls } ?? []
            if machine.isProcess(thread) {
                let operation = operation(ofThread: thread, begun: after.allowed[thread])
                if calls.count < 2 || after.begun[thread] >= after.allowed[thread] {
                    all.append(.ends(operation?.name ?? ""))
                } else if let landmark = KernelNames.landmark(calls), let operation {
                    all.append(.place("\(operation.node) \(operation.name)", function: landmark))
                }
                continue
            }
            guard let kind = KernelNames.kind(ofThread: machine.threads[thread].name) else { continue }
            let name = ScheduledThread(node: NodeID(machine.threads[thread].node + 1), kind).text
            if machine.isAtRest(thread, in: after.state) {
                all.append(.rest(name))
            } else if let landmark = KernelNames.landmark(calls) {
                all.append(.place(name, function: landmark))
            }
        }
        return all
    }

    /// The same as entries of a schedule's order.
    private func entries(_ awaited: [Awaited], held: String?) -> [String] {
        var lines = held.map { ["  - held: \($0)"] } ?? []
        var places: [String] = []
        for item in awaited {
            switch item {
            case .ends(let operation): lines.append("  - ends: \(operation)")
            case .rest(let thread): places.append("\(thread): rest")
            case .place(let thread, let function): places.append("\(thread): \(function)")
            }
        }
        if !places.isEmpty { lines.append("  - waits: {\(places.joined(separator: ", "))}") }
        return lines
    }

    // MARK: The end

    private var deadlock: [String] {
        blocked.map { thread in
            "  \(thread.thread.text): {in: [\(thread.stack.joined(separator: ", "))], waits-for: \(thread.waitsFor)"
                + (thread.heldBy.map { ", held-by: \($0.text)" } ?? "") + "}"
        }
    }

    private var blocked: [BlockedThread] {
        func name(_ thread: Int) -> ScheduledThread {
            let last = operations.last { $0.node == NodeID(machine.threads[thread].node + 1) }
            return self.thread(thread, operation: last)
        }
        return BlockedModelThread.all(prediction.run, of: machine).map {
            BlockedThread(
                thread: name($0.thread), stack: $0.stack, waitsFor: $0.waitsFor, heldBy: $0.holder.map(name))
        }
    }
}
