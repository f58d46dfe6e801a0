// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Conformance
import KernelTrace
import MDClusterModel
import ModelChecker
import ProcedureModel
import RunRecord

/// A circle of waits, reduced to what a kernel's snapshots and a model's state both tell: for each thread the node, what it
/// is for md, and the functions that it is in. Two are the same hang if one is the other with its nodes renamed.
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

    init(_ waiters: [Waiter]) {
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
        guard hang.nobody == nil, !hang.edges.isEmpty else { return nil }
        self.init(
            hang.edges.map { edge in
                let thread = snapshots.last {
                    $0.node == edge.from.node && $0.label.hasPrefix("hang")
                }?.threads.first { $0.pid == edge.from.pid }
                return Waiter(
                    node: edge.from.node.rawValue, role: Self.role(ThreadRole(comm: edge.from.comm)),
                    functions: (thread?.frames ?? []).map(\.function).filter { Self.functions.contains($0) })
            })
    }

    private static func role(_ role: ThreadRole) -> String {
        switch role {
        case .recvDaemon: "cluster_recv"
        case .raidDaemon: "raid1d"
        case .resync: "resync"
        case .recoverBitmaps, .other: "process"
        }
    }

    /// What a run of the model ends in; nil if nobody waits in a circle there.
    init?(_ run: Counterexample, of machine: Machine) {
        let cycle = WaitEdge.cycle(in: machine.waits(atEndOf: run))
        guard !cycle.isEmpty, let state = run.states.last else { return nil }
        self.init(
            cycle.map { edge in
                let thread = machine.threads[edge.waiter]
                let stack = machine.stack(ofThread: edge.waiter, in: state) ?? []
                return Waiter(
                    node: thread.node, role: Self.role(ofModelThread: thread.name),
                    functions: stack.map { String($0.prefix { $0 != "(" }) }.filter { Self.functions.contains($0) })
            })
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
            .joined(separator: " waits for ")
    }
}
