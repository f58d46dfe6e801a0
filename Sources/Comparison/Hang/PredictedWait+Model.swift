// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import MDClusterModel
import ModelChecker
import ProcedureModel

/// A thread that is blocked at the end of a run of the model, by the machine's numbers.
public struct BlockedModelThread: Sendable, Equatable {
    public var thread: Int
    /// The kernel's functions that its stack shows, innermost first.
    public var stack: [String]
    /// "ack EX", "reconfig_mutex", "SEND_LOCK", "the end of recv_daemon", "wake-up".
    public var waitsFor: String
    public var holder: Int?

    /// Every thread that is not at rest and waits for another, or that nobody woke.
    public static func all(_ run: Counterexample, of machine: Machine) -> [BlockedModelThread] {
        let state = run.states.last ?? []
        let edges = machine.waits(atEndOf: run)
        let asleep = machine.lostWakeUps(in: state)
        let busy = machine.stacks(in: state)
        return machine.threads.indices.compactMap { thread in
            let name = machine.name(ofThread: thread)
            guard busy.contains(where: { $0.hasPrefix(name + ":") }) else { return nil }
            let stack = KernelNames.visible(machine.stack(ofThread: thread, in: state) ?? [])
            let edge = edges.first { $0.waiter == thread }
            let isAsleep = asleep.contains { $0.hasPrefix(name + " ") }
            guard !stack.isEmpty, edge != nil || isAsleep else { return nil }
            return BlockedModelThread(
                thread: thread, stack: stack, waitsFor: isAsleep ? "wake-up" : reason(edge?.reason ?? ""),
                holder: isAsleep ? nil : edge?.holder)
        }
    }

    /// "ack EX" of "ack EX (held in CR)", "SEND_LOCK" of "SEND_LOCK == 0", "the end of recv_daemon".
    public static func reason(_ text: String) -> String {
        let end = "the end of "
        if text.hasPrefix(end) {
            return end + (KernelNames.thread(String(text.dropFirst(end.count)))?.name ?? "a thread")
        }
        let words = text.split(separator: " ").map(String.init)
        guard let first = words.first else { return text }
        return words.count > 1 && words[1] != "==" && !words[1].hasPrefix("(") ? "\(first) \(words[1])" : first
    }
}

extension PredictedWait {
    /// The model's nodes by their numbers.
    static func all(_ run: Counterexample, of machine: Machine) -> [PredictedWait] {
        func name(_ number: Int) -> PredictedThread {
            let thread = machine.threads[number]
            let known = KernelNames.thread(thread.name)
            return PredictedThread(
                node: NodeID(thread.node + 1), name: known?.name ?? "a process", role: known?.role ?? .other)
        }
        return BlockedModelThread.all(run, of: machine).map {
            PredictedWait(thread: name($0.thread), stack: $0.stack, waitsFor: $0.waitsFor, heldBy: $0.holder.map(name))
        }
    }

    /// - Parameter names: by the model's number of the node, from 0.
    func renamed(_ names: [NodeID]) -> PredictedWait {
        var wait = self
        func name(_ node: NodeID) -> NodeID {
            names.indices.contains(node.rawValue - 1) ? names[node.rawValue - 1] : node
        }
        wait.thread.node = name(thread.node)
        if let heldBy { wait.heldBy?.node = name(heldBy.node) }
        return wait
    }
}
