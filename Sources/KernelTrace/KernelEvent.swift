// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol

/// One event of a node's trace, in the order in which the node recorded it.
public struct KernelEvent: Sendable, Equatable {
    public var node: NodeID
    /// Position in the node's trace, from 0.
    public var index: Int
    /// Nanoseconds of the node's own trace clock. Only comparable within a node.
    public var time: UInt64
    public var cpu: Int
    public var pid: Int
    public var comm: String { didSet { thread = ThreadIdentity(comm: comm) } }
    /// What the thread is for md. By its name here; who opens a record adds what its calls tell.
    public var thread: ThreadIdentity
    public var body: Body

    public enum Body: Sendable, Equatable {
        /// The function tracer: `name` was called from `caller`.
        case function(name: String, caller: String)
        /// An mdlab kprobe at the entry of a function, with the arguments it fetched.
        case entry(function: String, arguments: [String: Int64])
        /// An mdlab kretprobe: the function returned.
        case exit(function: String, value: Int64?)
        /// A tracepoint of the dlm group.
        case dlm(DLMEvent)
        /// Any other event, as its fields print.
        case other(system: String, name: String, fields: [String: String])
        /// The ring buffer overran here: this many events are missing (0: unknown number).
        case lost(UInt64)
    }

    public init(node: NodeID, index: Int, time: UInt64, cpu: Int, pid: Int, comm: String, body: Body) {
        self.node = node
        self.index = index
        self.time = time
        self.cpu = cpu
        self.pid = pid
        self.comm = comm
        self.thread = ThreadIdentity(comm: comm)
        self.body = body
    }

    /// nil when neither the thread's name nor its calls tell.
    public var role: ThreadRole? { thread.role }

    /// Whether the event is a call of a function, seen by a kprobe or by the function tracer.
    public func calls(_ function: String) -> Bool {
        switch body {
        case .entry(let name, _), .function(let name, _): name == function
        default: false
        }
    }
}

/// What is known of the thread that took an event.
public enum ThreadIdentity: Hashable, Sendable {
    case known(ThreadRole)
    /// Not `recv_daemon`; which other thread it is does not show.
    case notReceiveThread
    /// It has no name, and called nothing that only one thread of md calls.
    case unknown

    /// What the kernel prints for a thread that is not in its table of names (`trace_find_cmdline` of
    /// kernel/trace/trace.c).
    public static let nameless = "<...>"

    public init(comm: String) { self = comm == Self.nameless ? .unknown : .known(ThreadRole(comm: comm)) }

    public var role: ThreadRole? { if case .known(let role) = self { role } else { nil } }

    /// Whether it is `recv_daemon` of md-cluster.c; nil when that is not known.
    public var isReceiveThread: Bool? {
        switch self {
        case .known(let role): role == .recvDaemon
        case .notReceiveThread: false
        case .unknown: nil
        }
    }
}

/// The dlm tracepoints of include/trace/events/dlm.h.
public struct DLMEvent: Sendable, Equatable {
    public enum Kind: String, Sendable {
        case lockStart = "dlm_lock_start"
        case lockEnd = "dlm_lock_end"
        case ast = "dlm_ast"
        case bast = "dlm_bast"
        case unlockStart = "dlm_unlock_start"
        case unlockEnd = "dlm_unlock_end"
    }
    public var kind: Kind
    /// The lockspace's global id (/sys/kernel/dlm/NAME/id).
    public var lockspace: UInt32
    public var lock: UInt32
    public var resource: LockResource
    /// Requested mode of a lock, blocking mode of a bast; nil where the event has none.
    public var mode: LockMode?
    /// DLM_LKF_ flags of a lock or unlock; DLM_SBF_ flags of an ast.
    public var flags: UInt32
    /// `error` of an _end event, `sb_status` of an ast; nil for the others.
    public var status: Int32?

    public init(
        kind: Kind, lockspace: UInt32, lock: UInt32, resource: LockResource, mode: LockMode?, flags: UInt32,
        status: Int32?
    ) {
        self.kind = kind
        self.lockspace = lockspace
        self.lock = lock
        self.resource = resource
        self.mode = mode
        self.flags = flags
        self.status = status
    }
}
