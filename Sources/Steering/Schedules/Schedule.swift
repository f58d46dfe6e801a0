// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Comparison
import NearNames
import Scenarios

/// A scenario that goes on under control: which threads are held where, in which order operations begin and threads are
/// let go, and what must come of it. A file of kernel-tests/schedules, made by hand or by `mdlab steer COUNTEREXAMPLE
/// --write FILE`.
///
/// Its array, disks and first steps are those of the scenario; then `order` is followed, entry by entry.
public struct Schedule: Sendable, Equatable {
    public var scenario: Scenario
    /// The model's run that this schedule forces on a kernel, if there is one.
    public var model: Origin?
    /// By name, in the order of the file.
    public var operations: [Operation]
    public var gates: [HeldThread]
    public var order: [Entry]
    /// The blocked threads that it ends in on the kernels of `scenario.variants`; empty: no deadlock is expected of any
    /// kernel.
    public var deadlock: [BlockedThread]

    public struct Origin: Sendable, Equatable {
        public var variant: String
        public var workload: String
        public init(variant: String, workload: String) { (self.variant, self.workload) = (variant, workload) }
    }

    /// A command that runs in the background from its `start` on.
    public struct Operation: Sendable, Equatable {
        public var name: String
        public var node: NodeID
        public var run: RunStep
        public init(name: String, node: NodeID, run: RunStep) { (self.name, self.node, self.run) = (name, node, run) }

        /// What the kernel calls the thread that carries it out: a word that the shell has built in runs in the shell
        /// itself.
        public var comm: String {
            let text: String =
                switch run.command {
                case .shell(let line): line
                case .argv(let argv): argv.joined(separator: " ")
                }
            let program = text.split(separator: " ").first.map(String.init) ?? ""
            let name = program.split(separator: "/").last.map(String.init) ?? ""
            return ["echo", "printf", "cat"].contains(name) ? "busybox" : String(name.prefix(15))
        }
    }

    /// A gate: where which thread is held.
    public struct HeldThread: Sendable, Equatable {
        public var name: String
        public var thread: ScheduledThread
        public var edge: Gate.Edge
        public var function: String
        /// So many hits pass first, from when it is armed.
        public var skip: Int
        /// The line of the file.
        public var line: Int
        public init(
            name: String, thread: ScheduledThread, edge: Gate.Edge, function: String, skip: Int = 0, line: Int = 0
        ) {
            (self.name, self.thread, self.edge, self.function) = (name, thread, edge, function)
            (self.skip, self.line) = (skip, line)
        }
    }

    public struct Entry: Sendable, Equatable {
        public enum Event: Sendable, Equatable {
            case start(operation: String)
            case arm(gate: String)
            /// Waits until the gate holds its thread.
            case held(gate: String)
            case release(gate: String)
            /// Waits until each thread stands in a function, or is at rest.
            case waits([(thread: ScheduledThread, place: Place)])
            /// Waits until operations have ended.
            case ends([String])
            /// Waits until DLM's tables say so.
            case locks([(lock: NodeLock, mode: LockState)])
        }
        public var event: Event
        /// The line of the file; 0 for an entry that a program made.
        public var line: Int
        /// Seconds on a machine of ordinary speed.
        public var limit: Double
        /// A kernel that does not do this is wrong; else it only went another way.
        public var isRequired: Bool
        public static let defaultLimit = 15.0
        public init(_ event: Event, line: Int = 0, limit: Double = defaultLimit, isRequired: Bool = false) {
            (self.event, self.line, self.limit, self.isRequired) = (event, line, limit, isRequired)
        }
    }

    /// Where a thread stands.
    public enum Place: Sendable, Equatable {
        case function(String)
        /// A daemon with nothing to do.
        case rest
    }

    /// A node's lock on one of md-cluster's resources: "node2 token".
    public struct NodeLock: Sendable, Equatable {
        public var node: NodeID
        public var resource: String
        public init(node: NodeID, resource: String) { (self.node, self.resource) = (node, resource) }
        public var text: String { "\(node) \(resource)" }
    }

    /// "EX", or "NL -> EX" while a conversion waits.
    public struct LockState: Sendable, Equatable {
        public var granted: LockMode
        public var requested: LockMode?
        public init(granted: LockMode, requested: LockMode? = nil) {
            (self.granted, self.requested) = (granted, requested)
        }
        public var text: String { requested.map { "\(granted) -> \($0)" } ?? "\(granted)" }
    }

    /// The first gate at a function that modules do not have, as the mistake that it is in a file; nil when they have
    /// all.
    ///
    /// - Parameter functions: all that can have a gate.
    public func unknownFunction(among functions: Set<String>, file: String) -> ScheduleError? {
        gates.first { !functions.contains($0.function) }.map { gate in
            .unknown(
                file: file, line: gate.line, kind: "function", name: gate.function,
                near: NameSuggestions.of(gate.function, among: functions),
                known: ["any function of md, raid1 and md-cluster"]
            )
        }
    }

    public func operation(_ name: String) -> Operation? { operations.first { $0.name == name } }
    public func gate(_ name: String) -> HeldThread? { gates.first { $0.name == name } }
    public var nodes: Int { scenario.nodeCounts.first ?? 2 }

    /// What the kernel calls a thread of the schedule: its whole `comm`, or how it begins.
    public func comm(of thread: ScheduledThread) -> String {
        switch thread.kind {
        case .raidDaemon: "md0_raid"
        case .recvDaemon: "md0_cluster_rec"
        case .resync: "md0_resync"
        case .recovery: "md0_recover"
        case .operation(let name): operation(name)?.comm ?? "*"
        }
    }
}

extension Schedule.Entry.Event {
    public static func == (left: Self, right: Self) -> Bool { left.text == right.text }

    /// One line for a person: "node2 resync waits in lock_token".
    public var text: String {
        switch self {
        case .start(let name): "start \(name)"
        case .arm(let name): "arm \(name)"
        case .held(let name): "\(name) holds its thread"
        case .release(let name): "release \(name)"
        case .waits(let list):
            list.map { thread, place in
                switch place {
                case .function(let function): "\(thread.text) waits in \(function)"
                case .rest: "\(thread.text) is at rest"
                }
            }.joined(separator: ", ")
        case .ends(let names): names.joined(separator: ", ") + (names.count == 1 ? " has ended" : " have ended")
        case .locks(let list): list.map { "\($0.text) is \($1.text)" }.joined(separator: ", ")
        }
    }
}

/// A thread as a schedule names it: "node2 resync", or "node2 remove-c" for the process of an operation.
public struct ScheduledThread: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        case raidDaemon, recvDaemon, resync, recovery
        case operation(String)
    }
    public var node: NodeID
    public var kind: Kind
    public init(node: NodeID, _ kind: Kind) { (self.node, self.kind) = (node, kind) }

    /// The names of the threads that every node has. The functions that they run, but for resync, which is md_do_sync.
    static let roles: [(name: String, kind: Kind)] = [
        ("raid1d", .raidDaemon), ("recv_daemon", .recvDaemon), ("resync", .resync), ("recover_bitmaps", .recovery),
    ]

    public var name: String {
        if case .operation(let name) = kind { return name }
        return Self.roles.first { $0.kind == kind }?.name ?? ""
    }
    public var text: String { "\(node) \(name)" }

    var role: ThreadRole {
        switch kind {
        case .raidDaemon: .raidDaemon
        case .recvDaemon: .recvDaemon
        case .resync: .resync
        case .recovery: .recoverBitmaps
        case .operation: .other
        }
    }
}

/// A thread of a deadlock: where it stands, what it waits for, and whose turn it would be.
public struct BlockedThread: Sendable, Equatable {
    public var thread: ScheduledThread
    /// Functions that its stack must show, innermost first. What the compiler inlined is not on a stack.
    public var stack: [String]
    public var waitsFor: AwaitedThing
    public var heldBy: ScheduledThread?
    public init(thread: ScheduledThread, stack: [String], waitsFor: AwaitedThing, heldBy: ScheduledThread? = nil) {
        (self.thread, self.stack, self.waitsFor, self.heldBy) = (thread, stack, waitsFor, heldBy)
    }
}
