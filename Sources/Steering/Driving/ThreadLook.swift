// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Conformance
import KernelTrace
import RunRecord
import VirtualCluster

/// A thread that a schedule may speak of, as one look at /proc saw it.
struct SeenThread: Sendable, Equatable {
    var pid: Int
    var comm: String
    /// The state letter of /proc/PID/stat.
    var state: String
    /// Kernel functions, innermost first.
    var functions: [String]
    /// Whether a frame is in md or md-cluster.
    var isInMD: Bool

    /// "dlm_lock_sync <- lock_comm <- sendmsg", from the function that decided to sleep.
    var text: String {
        if functions.isEmpty { return state == "R" ? "running" : "in user space" }
        let asleep = functions.drop { Frames.sleeping.contains($0) }
        return asleep.prefix(6).joined(separator: " <- ")
    }

    /// A daemon of md that waits for something to do.
    var isAtRest: Bool { functions.first { !Frames.sleeping.contains($0) } == "md_thread" }
}

/// Looks at the threads of md0 and at the processes of operations on one node.
struct ThreadLook: Sendable {
    /// The names of processes that count.
    let programs: Set<String>

    func look(at node: any NodeControl, limit: Duration) async throws -> [SeenThread] {
        seen(try await node.threads(named: programs.sorted(), limit: limit))
    }

    func seen(_ threads: [NodeSnapshot.Thread]) -> [SeenThread] {
        threads.filter { $0.comm.hasPrefix("md0_") || programs.contains($0.comm) }.map { thread in
            let frames = thread.frames
            return SeenThread(
                pid: thread.pid, comm: thread.comm, state: thread.state, functions: frames.map(\.function),
                isInMD: frames.contains { ["md_mod", "md_cluster", "raid1", "raid10"].contains($0.module) })
        }
    }
}

extension Schedule {
    /// The thread that a name means among those that were seen. Of several processes of one name, the one inside md.
    func find(_ thread: ScheduledThread, among seen: [SeenThread]) -> SeenThread? {
        if case .operation = thread.kind {
            let same = seen.filter { $0.comm == comm(of: thread) }
            return same.first { $0.isInMD } ?? same.first { !$0.functions.isEmpty } ?? same.first
        }
        return seen.first { ThreadRole(comm: $0.comm) == thread.role }
    }

    /// The names of the processes of its operations.
    var programs: Set<String> { Set(operations.map(\.comm)) }
}
