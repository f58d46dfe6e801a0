// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Conformance
import KernelTrace
import MDClusterModel
import ModelChecker
import ProcedureModel
import RunRecord

/// A circle of waits, or a thread that nobody woke, reduced to what a kernel's snapshots and a model's state both tell:
/// for each thread the node, what it is for md, and the functions that it is in. Two are the same hang if one is the
/// other with its nodes renamed.
public struct HangSignature: Hashable, Sendable {
    public struct Waiter: Hashable, Sendable {
        /// Nodes counted in the order in which the circle meets them.
        public var node: Int
        public var role: String
        /// Innermost first, of the functions that no compiler inlines.
        public var functions: [String]
    }

    /// Begins where the list is smallest, so that equal circles are equal.
    public let waiters: [Waiter]
    /// The one waiter sleeps though what it waits for is true.
    public let isLostWakeUp: Bool

    init(_ waiters: [Waiter], isLostWakeUp: Bool = false) {
        self.isLostWakeUp = isLostWakeUp
        func renamed(_ list: [Waiter]) -> [Waiter] {
            var numbers: [Int: Int] = [:]
            return list.map { waiter in
                var waiter = waiter
                let number = numbers[waiter.node] ?? numbers.count
                numbers[waiter.node] = number
                waiter.node = number
                return waiter
            }
        }
        func key(_ list: [Waiter]) -> String {
            list.map { "\($0.node) \($0.role) \($0.functions.joined(separator: " "))" }.joined(separator: "; ")
        }
        self.waiters =
            waiters.indices.map { renamed(Array(waiters[$0...] + waiters[..<$0])) }.min { key($0) < key($1) } ?? []
    }

    /// md-cluster.c's functions that are functions of their own in every build seen.
    static let functions: Set<String> = [
        "dlm_lock_sync", "dlm_lock_sync_interruptible", "lock_comm", "unlock_comm", "metadata_update_start",
        "metadata_update_finish", "metadata_update_cancel", "__sendmsg", "recv_daemon", "leave", "resync_start",
        "resync_finish", "resync_info_update", "add_new_disk", "remove_disk", "update_size",
    ]

    /// What the kernels' snapshots show.
    init?(_ hang: WaitGraph.Hang, snapshots: [NodeSnapshot]) {
        let edges: [WaitGraph.Edge]
        switch hang.nobody {
        case nil: edges = hang.edges
        case .lostWakeup: edges = Array(hang.edges.suffix(1))
        default: return nil
        }
        guard !edges.isEmpty else { return nil }
        self.init(
            edges.map { edge in
                let thread = snapshots.last {
                    $0.node == edge.from.node && $0.label.hasPrefix("hang")
                }?.threads.first { $0.pid == edge.from.pid }
                return Waiter(
                    node: edge.from.node.rawValue, role: Self.role(ThreadRole(comm: edge.from.comm)),
                    functions: (thread?.frames ?? []).map(\.function).filter { Self.functions.contains($0) })
            }, isLostWakeUp: hang.nobody == .lostWakeup)
    }

    private static func role(_ role: ThreadRole) -> String {
        switch role {
        case .recvDaemon: "cluster_recv"
        case .raidDaemon: "raid1d"
        case .resync: "resync"
        case .recoverBitmaps, .other: "process"
        }
    }

    /// What a run of the model ends in: the circle in which threads wait, and every thread that nobody woke.
    static func all(_ run: Counterexample, of machine: Machine) -> [HangSignature] {
        guard let state = run.states.last else { return [] }
        func waiter(_ thread: Int) -> Waiter {
            let calls = machine.calls(ofThread: thread, in: state) ?? []
            return Waiter(
                node: machine.threads[thread].node, role: role(ofModelThread: machine.threads[thread].name),
                functions: calls.map(\.procedure).filter { functions.contains($0) })
        }
        let cycle = WaitEdge.cycle(in: machine.waits(atEndOf: run))
        let asleep = machine.lostWakeUps(in: state)
        return (cycle.isEmpty ? [] : [HangSignature(cycle.map { waiter($0.waiter) })])
            + asleep.map { HangSignature([waiter($0)], isLostWakeUp: true) }
    }

    private static func role(ofModelThread name: String) -> String {
        switch name {
        case ObservedProgram.receive: "cluster_recv"
        case ObservedProgram.raid1d: "raid1d"
        case ObservedProgram.resync: "resync"
        default: "process"
        }
    }
}

extension HangSignature: CustomStringConvertible {
    public var description: String {
        waiters.map { "node \($0.node + 1) \($0.role) in \($0.functions.joined(separator: " <- "))" }
            .joined(separator: " waits for ") + (isLostWakeUp ? " sleeps, and nobody wakes it" : "")
    }
}
