// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol

/// node*/snapshots/NN-LABEL.json: the state of one node at one moment, as it was read, not interpreted.
public struct NodeSnapshot: Codable, Sendable, Equatable {
    /// A thread as /proc/PID shows it. All md threads and every thread in D state are here.
    public struct Thread: Codable, Sendable, Equatable {
        public var pid: Int
        public var comm: String
        /// The state letter of /proc/PID/stat: R S D Z T I.
        public var state: String
        /// /proc/PID/stack, innermost first, each "symbol+0xoff/0xlen [module]".
        public var stack: [String]
        public init(pid: Int, comm: String, state: String, stack: [String]) {
            (self.pid, self.comm, self.state, self.stack) = (pid, comm, state, stack)
        }
    }

    /// Fields of `struct mddev` and `struct md_cluster_info` read from /proc/kcore with the offsets of the module's
    /// DWARF.
    public struct ArrayState: Codable, Sendable, Equatable {
        public var name: String
        /// `md_cluster_info.state`; nil when the array is not clustered.
        public var clusterState: UInt64?
        /// The pid of the owner of `mddev->reconfig_mutex`; nil when nobody holds it.
        public var reconfigMutexOwner: Int?
        /// Whether a thread sleeps in mutex_lock for it; nil in records that do not say.
        public var reconfigMutexHasWaiters: Bool?
        /// The pid of the owner of `md_cluster_info.recv_mutex`; nil when nobody holds it.
        public var receiveMutexOwner: Int?
        /// `mddev->flags`, `mddev->recovery`, `mddev->sb_flags`.
        public var flags: UInt64
        public var recovery: UInt64
        public var sbFlags: UInt64
        public init(
            name: String, clusterState: UInt64?, reconfigMutexOwner: Int?, reconfigMutexHasWaiters: Bool? = nil,
            receiveMutexOwner: Int?, flags: UInt64, recovery: UInt64, sbFlags: UInt64
        ) {
            self.name = name
            self.clusterState = clusterState
            self.reconfigMutexOwner = reconfigMutexOwner
            self.reconfigMutexHasWaiters = reconfigMutexHasWaiters
            self.receiveMutexOwner = receiveMutexOwner
            self.flags = flags
            self.recovery = recovery
            self.sbFlags = sbFlags
        }
    }

    public var node: NodeID
    public var label: String
    /// Seconds since the run started, host time.
    public var time: Double
    /// /proc/uptime of the guest, seconds.
    public var uptime: Double
    /// Path -> content of text files: /proc/mdstat, /sys/block/md*/md/**, /sys/kernel/debug/dlm/*,
    /// /proc/sys/kernel/tainted, /proc/modules ...
    public var files: [String: String]
    public var threads: [Thread]
    /// nil when the kernel's memory could not be read (no kcore, no debug info): then `unavailable` says why.
    public var arrays: [ArrayState]?
    /// Disk name ("vda") -> the first 8 KiB from sector 8 of the disk (the 1.2 superblock), base64. Read by the host
    /// from the image.
    public var superblocks: [String: String]
    /// What could not be read -> why.
    public var unavailable: [String: String]

    public init(
        node: NodeID, label: String, time: Double, uptime: Double, files: [String: String], threads: [Thread],
        arrays: [ArrayState]?, superblocks: [String: String] = [:], unavailable: [String: String] = [:]
    ) {
        self.node = node
        self.label = label
        self.time = time
        self.uptime = uptime
        self.files = files
        self.threads = threads
        self.arrays = arrays
        self.superblocks = superblocks
        self.unavailable = unavailable
    }
}
