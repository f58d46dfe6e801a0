// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import RunRecord

/// Whether the threads of a cluster that hangs stand and wait as a schedule says.
public struct DeadlockMatch: Sendable, Equatable {
    public struct Line: Sendable, Equatable {
        public var thread: ScheduledThread
        /// "dlm_lock_sync <- __sendmsg, waits for ack EX"
        public var wanted: String
        /// What is otherwise; empty when all is as predicted.
        public var differences: [String]
    }
    public var lines: [Line]
    public var matches: Bool { !lines.isEmpty && lines.allSatisfy(\.differences.isEmpty) }

    /// - Parameter snapshots: one of each node, of one moment.
    public init(_ schedule: Schedule, in snapshots: [NodeSnapshot]) {
        lines = schedule.deadlock.map { blocked in
            let stack = blocked.stack.joined(separator: " <- ")
            return Line(
                thread: blocked.thread, wanted: "\(stack), waits for \(blocked.waitsFor)",
                differences: Self.differences(blocked, schedule, snapshots))
        }
    }

    private static func differences(
        _ blocked: BlockedThread, _ schedule: Schedule, _ snapshots: [NodeSnapshot]
    ) -> [String] {
        guard let node = snapshots.first(where: { $0.node == blocked.thread.node }) else {
            return ["there is no snapshot of \(blocked.thread.node)"]
        }
        guard let thread = schedule.find(blocked.thread, in: node) else { return ["there is no such thread"] }
        let functions = thread.frames.map(\.function)
        var differences: [String] = []
        if thread.state == "R" { differences.append("it runs") }
        if !isSubsequence(blocked.stack, of: functions) {
            let shown = functions.drop { SeenThread.sleeping.contains($0) }.prefix(8).joined(separator: " <- ")
            differences.append("it stands in \(shown.isEmpty ? "user space" : shown)")
        }
        if let other = wait(blocked, thread, node, schedule, snapshots) { differences.append(other) }
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
        _ blocked: BlockedThread, _ thread: NodeSnapshot.Thread, _ node: NodeSnapshot, _ schedule: Schedule,
        _ snapshots: [NodeSnapshot]
    ) -> String? {
        let words = blocked.waitsFor.split(separator: " ").map(String.init)
        let array = node.arrays?.first { $0.clusterState != nil }
        switch words.first {
        case "reconfig_mutex", "recv_mutex":
            guard let array else { return "the owner of \(words[0]) could not be read" }
            let owner = words[0] == "recv_mutex" ? array.receiveMutexOwner : array.reconfigMutexOwner
            guard let owner else { return "\(words[0]) is free" }
            guard let heldBy = blocked.heldBy, let wanted = schedule.find(heldBy, in: node), wanted.pid != owner else {
                return nil
            }
            let name = node.threads.first { $0.pid == owner }?.comm ?? "pid \(owner)"
            return "\(words[0]) is held by \(name), not by \(heldBy.name)"
        case "SEND_LOCK":
            guard let state = array?.clusterState else { return "cinfo->state could not be read" }
            return StateBit.bits(in: state).contains(.sendLock) ? nil : "SEND_LOCK is clear"
        case "wake-up":
            guard let array, let state = array.clusterState else { return "cinfo->state could not be read" }
            let isTrue =
                StateBit.bits(in: state).contains(.holdingMutexForRecvd) || array.reconfigMutexOwner == nil
            return isTrue ? nil : "reconfig_mutex is held and HOLDING_MUTEX_FOR_RECVD is clear: no wake-up is due"
        case "the":  // the end of a thread
            guard let heldBy = blocked.heldBy else { return nil }
            return schedule.find(heldBy, in: node) == nil ? "\(heldBy.text) has ended" : nil
        case .some(let resource):
            guard words.count == 2, let mode = LockMode(name: words[1]) else { return "no such wait is known" }
            let own = node.lockspaces.flatMap(\.locks).first {
                !$0.isMasterCopy && $0.resource.rawValue == resource
            }
            guard let own else { return "no lock on \(resource) is seen" }
            guard own.status != .granted, own.requested == mode else {
                return "its lock on \(resource) is \(own.granted), and it asks for \(own.requested)"
            }
            guard let heldBy = blocked.heldBy,
                let other = snapshots.first(where: { $0.node == heldBy.node })?.lockspaces.flatMap(\.locks).first(
                    where: { !$0.isMasterCopy && $0.resource.rawValue == resource }),
                mode.isCompatible(with: other.granted)
            else { return nil }
            return "\(heldBy.node) holds \(resource) in \(other.granted), which is not in the way"
        case nil: return nil
        }
    }
}

extension Schedule {
    /// The thread that a name means in a snapshot.
    func find(_ thread: ScheduledThread, in node: NodeSnapshot) -> NodeSnapshot.Thread? {
        if case .operation = thread.kind {
            let same = node.threads.filter { $0.comm == comm(of: thread) }
            return same.first { $0.frames.contains { ["md_mod", "md_cluster"].contains($0.module) } } ?? same.first
        }
        return node.threads.first { ThreadRole(comm: $0.comm) == thread.role }
    }
}
