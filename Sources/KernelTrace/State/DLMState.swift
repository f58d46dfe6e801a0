// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import RunRecord

/// A lock as /sys/kernel/debug/dlm/LOCKSPACE_locks shows it (print_format2_lock of fs/dlm/debug_fs.c).
///
/// A node lists its own locks and, for the resources it is the master of, copies of the other nodes' locks.
public struct DLMLock: Sendable, Equatable {
    /// DLM_LKSTS_ of fs/dlm/dlm_internal.h.
    public enum Status: Sendable, Equatable {
        case waiting, granted, converting
        case other(Int)
    }
    /// lkb_id, on the node that lists it.
    public var id: UInt32
    /// The node it belongs to when this is the master's copy of another node's lock. On the own locks of a node that is not
    /// the master, the master's id. 0: an own lock on the master.
    public var nodeID: Int
    /// The id of the same lock on that node.
    public var remoteID: UInt32
    /// lkb_ownpid: the thread that made the last request. Of the node that lists it only for own locks.
    public var pid: Int
    /// The id of a user-space program.
    public var xid: UInt64
    public var externalFlags: UInt32
    /// Bit 16 (DLM_IFL_MSTCPY) marks the master's copy of another node's lock.
    public var internalFlags: UInt32
    public var status: Status
    public var granted: LockMode
    /// `.none` unless something is asked for.
    public var requested: LockMode
    /// Seconds since the lock was queued. The kernel's header calls the column time_ms, and prints microseconds.
    public var age: Double
    /// The node that is the resource's master; 0: this one, -1: not known yet.
    public var master: Int
    public var resource: LockResource

    /// Whether this is a master's copy of another node's lock.
    public var isMasterCopy: Bool { internalFlags & 0x10000 != 0 }
}

/// A resource as /sys/kernel/debug/dlm/LOCKSPACE shows it (print_format1).
public struct DLMResource: Sendable, Equatable {
    public struct Entry: Sendable, Equatable {
        public var id: UInt32
        public var granted: LockMode
        public var requested: LockMode?
        /// The node and its id of the lock, on the master.
        public var remote: Int?
        public var remoteID: UInt32?
    }
    public var name: LockResource
    /// The master's node id; 0: this node; nil: not known.
    public var master: Int?
    public var valueBlock: [UInt8] = []
    public var valueBlockIsInvalid = false
    public var granted: [Entry] = []
    public var converting: [Entry] = []
    public var waiting: [Entry] = []
}

/// A request that waits for another node's reply: LOCKSPACE_waiters.
public struct DLMWaiter: Sendable, Equatable {
    public var id: UInt32
    /// DLM_MSG_ of fs/dlm/dlm_internal.h: 1 request, 2 convert, 3 unlock, 4 cancel.
    public var waitType: Int
    public var nodeID: Int
    public var resource: LockResource
}

/// What debugfs says of one lockspace.
public struct DLMLockspace: Sendable, Equatable {
    /// For an array, its UUID.
    public var name: String
    /// /sys/kernel/dlm/NAME/id: the `ls_id` of the tracepoints; nil when it was not read.
    public var id: UInt32?
    public var locks: [DLMLock]
    public var resources: [DLMResource]
    public var waiters: [DLMWaiter]
}

extension NodeSnapshot {
    /// The lockspaces that this node is in, by name.
    public var lockspaces: [DLMLockspace] {
        let debug = "/sys/kernel/debug/dlm/"
        let control = "/sys/kernel/dlm/"
        var names: Set<String> = []
        for path in files.keys {
            if path.hasPrefix(debug), path.hasSuffix("_locks") {
                names.insert(String(path.dropFirst(debug.count).dropLast("_locks".count)))
            } else if path.hasPrefix(control), let name = path.dropFirst(control.count).split(separator: "/").first {
                names.insert(String(name))
            }
        }
        return names.sorted().map { name in
            DLMLockspace(
                name: name,
                id: files["\(control)\(name)/id"].flatMap { UInt32($0.split(whereSeparator: \.isWhitespace).first ?? "") },
                locks: DLMText.locks(files["\(debug)\(name)_locks"] ?? ""),
                resources: DLMText.resources(files["\(debug)\(name)"] ?? ""),
                waiters: DLMText.waiters(files["\(debug)\(name)_waiters"] ?? ""))
        }
    }
}
