// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace

/// Who the threads of a node are that have no name in its trace.
///
/// The kernel keeps the names of threads in a table that is read when a run ends. Where a run was killed or a node died
/// nobody read it, and every thread is `<...>`. What a thread calls tells most of them:
///
/// - `recv_daemon` is called by its own thread alone, once for each pass (md_thread of md.c).
/// - `md_check_recovery` is called from raid1d and raid10d by the array's thread.
/// - `resync_start` is called by md_do_sync alone.
/// - A thread that sends, joins or leaves is not the receive thread, which does none of these.
/// - In a trace that shows `recv_daemon` from the array's begin on and has no gap, a thread without such a call is not
///   the receive thread: every lock that it takes is behind one.
///
/// Locks are never evidence: they are what is judged.
package struct ThreadIdentities {
    private var identities: [Int: ThreadIdentity] = [:]

    /// Functions that every thread but the receive thread may call.
    private static let notReceiving: Set<String> = [
        "join", "leave", "lock_comm", "unlock_comm", "metadata_update_start", "metadata_update_finish",
        "metadata_update_cancel", "__sendmsg", "update_size", "add_new_disk", "new_disk_ack", "remove_disk",
        "gather_bitmaps", "resync_info_update", "resync_finish",
    ]

    /// - Parameters:
    ///   - events: one node's, in order.
    ///   - showsReceiveThread: the trace was told to show calls of `recv_daemon`.
    package init(_ events: [KernelEvent], showsReceiveThread: Bool) {
        guard events.contains(where: { $0.thread == .unknown }) else { return }
        var roles: [Int: ThreadRole] = [:]
        var notReceiving: Set<Int> = []
        for event in events where event.comm == ThreadIdentity.nameless {
            switch event.body {
            case .entry("recv_daemon", _): roles[event.pid] = .recvDaemon
            case .entry("resync_start", _): roles[event.pid] = .resync
            case .function("md_check_recovery", let caller) where ["raid1d", "raid10d"].contains(caller):
                roles[event.pid] = .raidDaemon
            case .entry(let name, _) where Self.notReceiving.contains(name): notReceiving.insert(event.pid)
            default: continue
            }
        }
        let isWhole = showsReceiveThread && Self.isWhole(events)
        for event in events where event.comm == ThreadIdentity.nameless && identities[event.pid] == nil {
            identities[event.pid] =
                roles[event.pid].map { .known($0) }
                ?? (isWhole || notReceiving.contains(event.pid) ? .notReceiveThread : .unknown)
        }
    }

    /// Whether the trace begins before the array's locks were made, and misses nothing.
    private static func isWhole(_ events: [KernelEvent]) -> Bool {
        var hasBegun = false
        for event in events {
            switch event.body {
            case .lost: return false
            case .dlm(let dlm) where dlm.resource == .token:
                if hasBegun { continue }
                guard dlm.kind == .lockStart, dlm.flags & DLMConstant.convert == 0 else { return false }
                hasBegun = true
            default: continue
            }
        }
        return true
    }

    /// Fills in the identities that names do not tell.
    package func apply(to events: inout [KernelEvent]) {
        if identities.isEmpty { return }
        for place in events.indices where events[place].comm == ThreadIdentity.nameless {
            events[place].thread = identities[events[place].pid] ?? .unknown
        }
    }
}
