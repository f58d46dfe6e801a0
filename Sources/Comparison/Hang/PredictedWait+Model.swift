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
    public var waitsFor: AwaitedThing
    /// nil where nobody is left who could end the wait.
    public var holder: Int?

    /// Every thread that is not at rest and waits for another, for what it has done itself, or that nobody woke.
    public static func all(_ run: Counterexample, of machine: Machine) -> [BlockedModelThread] {
        let state = run.states.last ?? []
        let edges = machine.waits(atEndOf: run)
        let own = machine.waitsForThemselves(atEndOf: run)
        let asleep = machine.lostWakeUps(in: state)
        return machine.threads.indices.compactMap { thread in
            guard !machine.isAtRest(thread, in: state) else { return nil }
            let stack = KernelNames.visible(machine.calls(ofThread: thread, in: state) ?? [])
            let edge = edges.first { $0.waiter == thread } ?? own.first { $0.waiter == thread }
            let isAsleep = asleep.contains(thread)
            guard !stack.isEmpty, let awaited = isAsleep ? .wakeUp : edge.map({ AwaitedThing($0.reason) }) else {
                return nil
            }
            return BlockedModelThread(
                thread: thread, stack: stack, waitsFor: awaited,
                holder: isAsleep || edge?.holder == thread ? nil : edge?.holder)
        }
    }
}

extension AwaitedThing {
    /// What a thread of the model waits for.
    public init(_ reason: WaitEdge.Reason) {
        self =
            switch reason {
            case .mutex(let name): .mutex(name)
            case .lock(let name, let mode, _): .lock(LockResource(rawValue: name), mode)
            case .end(let thread): .end(of: KernelNames.thread(thread)?.name ?? "a thread")
            case .variable(let name, _): .bit(name)
            }
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
