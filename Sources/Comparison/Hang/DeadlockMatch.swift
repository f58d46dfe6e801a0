// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Conformance
import KernelTrace
import RunRecord

/// A thread of a predicted deadlock, as snapshots can be asked for it.
public struct PredictedThread: Sendable, Hashable {
    public var node: NodeID
    /// As it is spoken of: "raid1d", "remove-c".
    public var name: String
    /// `.other` for a process.
    public var role: ThreadRole
    /// The process's own name; nil for any.
    public var comm: String?
    public init(node: NodeID, name: String, role: ThreadRole, comm: String? = nil) {
        (self.node, self.name, self.role, self.comm) = (node, name, role, comm)
    }

    public var text: String { "\(node) \(name)" }

    /// The threads of a node that it can be. Of several processes, those inside md come first.
    func all(in snapshot: NodeSnapshot) -> [NodeSnapshot.Thread] {
        let same = snapshot.threads.filter { thread in
            role == .other && comm != nil ? thread.comm == comm : ThreadRole(comm: thread.comm) == role
        }
        let isInside = { (thread: NodeSnapshot.Thread) in
            thread.frames.contains { ["md_mod", "md_cluster"].contains($0.module) }
        }
        return role == .other ? same.filter(isInside) + same.filter { !isInside($0) } : same
    }
}

/// Where a thread of a predicted deadlock stands, what it waits for, and whose turn it would be.
public struct PredictedWait: Sendable, Equatable {
    public var thread: PredictedThread
    /// Functions that its stack must show, innermost first. What the compiler inlined is not on a stack.
    public var stack: [String]
    public var waitsFor: AwaitedThing
    public var heldBy: PredictedThread?
    public init(thread: PredictedThread, stack: [String], waitsFor: AwaitedThing, heldBy: PredictedThread? = nil) {
        (self.thread, self.stack, self.waitsFor, self.heldBy) = (thread, stack, waitsFor, heldBy)
    }
}

/// Whether the threads of a cluster that hangs stand and wait as predicted: their stacks, the DLM locks that they ask
/// for, the owners of the mutexes, and `cinfo->state`.
public struct DeadlockMatch: Sendable, Equatable {
    public struct Line: Sendable, Equatable {
        public var thread: PredictedThread
        /// "dlm_lock_sync <- __sendmsg, waits for ack EX"
        public var wanted: String
        /// What is otherwise; empty when all is as predicted.
        public var differences: [String]
    }
    public var lines: [Line]
    public var matches: Bool { !lines.isEmpty && lines.allSatisfy(\.differences.isEmpty) }

    /// - Parameter snapshots: one of each node, of one moment.
    public init(_ waits: [PredictedWait], in snapshots: [NodeSnapshot]) {
        lines = waits.map { wait in
            Line(
                thread: wait.thread, wanted: "\(wait.stack.joined(separator: " <- ")), waits for \(wait.waitsFor)",
                differences: Self.differences(wait, snapshots))
        }
    }

    /// Of several threads that it can be, the one that is nearest.
    private static func differences(_ blocked: PredictedWait, _ snapshots: [NodeSnapshot]) -> [String] {
        guard let node = snapshots.first(where: { $0.node == blocked.thread.node }) else {
            return ["there is no snapshot of \(blocked.thread.node)"]
        }
        let tried = blocked.thread.all(in: node).map { differences(blocked, $0, node, snapshots) }
        return tried.min { $0.count < $1.count } ?? ["there is no such thread"]
    }

    private static func differences(
        _ blocked: PredictedWait, _ thread: NodeSnapshot.Thread, _ node: NodeSnapshot, _ snapshots: [NodeSnapshot]
    ) -> [String] {
        let functions = thread.frames.map(\.function)
        var differences: [String] = []
        if thread.state == "R" { differences.append("it runs") }
        if !isSubsequence(blocked.stack, of: functions) {
            let shown = functions.drop { Frames.sleeping.contains($0) }.prefix(8).joined(separator: " <- ")
            differences.append("it stands in \(shown.isEmpty ? "user space" : shown)")
        }
        if let other = wait(blocked, node, snapshots) { differences.append(other) }
        return differences
    }

    static func isSubsequence(_ wanted: [String], of functions: [String]) -> Bool {
        var rest = functions[...]
        for name in wanted {
            guard let place = rest.firstIndex(of: name) else { return false }
            rest = rest[(place + 1)...]
        }
        return true
    }

    /// What is other than predicted about the wait; nil when nothing is.
    private static func wait(
        _ blocked: PredictedWait, _ node: NodeSnapshot, _ snapshots: [NodeSnapshot]
    ) -> String? {
        let array = node.arrays?.first { $0.clusterState != nil }
        switch blocked.waitsFor {
        case .mutex(let mutex): return self.mutex(mutex, blocked, node, array)
        case .bit("SEND_LOCK"):
            guard let state = array?.clusterState else { return "cinfo->state could not be read" }
            return StateBit.bits(in: state).contains(.sendLock) ? nil : "SEND_LOCK is clear"
        case .bit: return "no such wait is known"
        case .wakeUp:
            guard let array, let state = array.clusterState else { return "cinfo->state could not be read" }
            let isTrue =
                StateBit.bits(in: state).contains(.holdingMutexForRecvd) || array.reconfigMutexOwner == nil
            return isTrue ? nil : "reconfig_mutex is held and HOLDING_MUTEX_FOR_RECVD is clear: no wake-up is due"
        case .end:
            guard let heldBy = blocked.heldBy else { return nil }
            return heldBy.all(in: node).isEmpty ? "\(heldBy.text) has ended" : nil
        case .lock(let resource, let mode): return lock(resource, mode, blocked, node, snapshots)
        }
    }

    private static func mutex(
        _ mutex: String, _ blocked: PredictedWait, _ node: NodeSnapshot, _ array: NodeSnapshot.ArrayState?
    ) -> String? {
        guard let array else { return "the owner of \(mutex) could not be read" }
        let owner = mutex == "recv_mutex" ? array.receiveMutexOwner : array.reconfigMutexOwner
        guard let owner else { return "\(mutex) is free" }
        guard let heldBy = blocked.heldBy else { return nil }
        let wanted = heldBy.all(in: node)
        if wanted.isEmpty || wanted.contains(where: { $0.pid == owner }) { return nil }
        let name = node.threads.first { $0.pid == owner }?.comm ?? "pid \(owner)"
        return "\(mutex) is held by \(name), not by \(heldBy.name)"
    }

    private static func lock(
        _ resource: LockResource, _ mode: LockMode, _ blocked: PredictedWait, _ node: NodeSnapshot,
        _ snapshots: [NodeSnapshot]
    ) -> String? {
        func locks(of node: NodeSnapshot) -> DLMLock? {
            node.lockspaces.flatMap(\.locks).first { !$0.isMasterCopy && $0.resource == resource }
        }
        guard let own = locks(of: node) else { return "no lock on \(resource) is seen" }
        guard own.status != .granted, own.requested == mode else {
            return "its lock on \(resource) is \(own.granted), and it asks for \(own.requested)"
        }
        guard let heldBy = blocked.heldBy,
            let other = snapshots.first(where: { $0.node == heldBy.node }).flatMap(locks),
            mode.isCompatible(with: other.granted)
        else { return nil }
        return "\(heldBy.node) holds \(resource) in \(other.granted), which is not in the way"
    }
}
