// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import RunRecord
import VirtualCluster

/// A thread that sleeps uninterruptibly, as a light look at a node saw it.
struct StuckThread: Hashable, Sendable {
    var node: NodeID
    var pid: Int
    var comm: String
    /// /proc/PID/stack, innermost first.
    var stack: [String]
}

extension NodeControl {
    /// The watchdog's light look: md's threads in D state with their stacks. A full snapshot is taken only when
    /// something looks stuck.
    func stuckThreads(limit: Duration) async throws -> [StuckThread] {
        try await threads(named: [], limit: limit).filter { $0.state == "D" }.map {
            StuckThread(node: id, pid: $0.pid, comm: $0.comm, stack: $0.stack)
        }.filter(\.concernsMD)
    }
}

extension StuckThread {
    /// Whether it is one of md's threads, or a program inside md or its cluster code, and may be part of a hang.
    ///
    /// `dlm_lock_sync_interruptible` is not: `resync_start` waits there for as long as another node's resync takes.
    var concernsMD: Bool {
        if stack.contains(where: { $0.hasPrefix("dlm_lock_sync_interruptible+") }) { return false }
        return ThreadRole(comm: comm) != .other
            || stack.contains { frame in
                ["[md_cluster]", "[md_mod]", "[raid1]", "[raid10]"].contains { frame.hasSuffix($0) }
            }
    }
}
