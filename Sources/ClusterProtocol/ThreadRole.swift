// SPDX-License-Identifier: GPL-2.0

/// What a thread is for md, read from its `comm` (15 characters at most, so `md0_cluster_recv` is `md0_cluster_rec`).
public enum ThreadRole: Hashable, Sendable, Codable {
    /// `recv_daemon` of md-cluster.c.
    case recvDaemon
    /// The personality's thread, `raid1d` or `raid10d`: `mddev->thread`.
    case raidDaemon
    /// `md_do_sync`: `mddev->sync_thread`.
    case resync
    /// `recover_bitmaps` of md-cluster.c.
    case recoverBitmaps
    /// Anything else: an ioctl or a write to sysfs, a worker, a user-space program.
    case other

    public init(comm: some StringProtocol) {
        guard comm.hasPrefix("md"), let underscore = comm.firstIndex(of: "_") else { self = .other; return }
        let tail = comm[comm.index(after: underscore)...]
        if tail.hasPrefix("cluster_rec") {
            self = .recvDaemon
        } else if tail == "raid1" || tail == "raid10" {
            self = .raidDaemon
        } else if tail == "resync" || tail == "reshape" {
            self = .resync
        } else if tail.hasPrefix("recover") {
            self = .recoverBitmaps
        } else {
            self = .other
        }
    }
}

extension ThreadRole: CustomStringConvertible {
    /// The function that the thread runs.
    public var description: String {
        switch self {
        case .recvDaemon: "recv_daemon"
        case .raidDaemon: "raid1d"
        case .resync: "md_do_sync"
        case .recoverBitmaps: "recover_bitmaps"
        case .other: "a process"
        }
    }
}
