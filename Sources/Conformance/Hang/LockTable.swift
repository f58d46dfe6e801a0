// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import RunRecord

extension LockRow {
    /// The rows of every /sys/kernel/debug/dlm/LOCKSPACE_locks of a snapshot; nil when there is no such file.
    static func rows(in snapshot: NodeSnapshot) -> [LockRow]? {
        guard snapshot.files.keys.contains(where: { $0.hasPrefix("/sys/kernel/debug/dlm/") && $0.hasSuffix("_locks") })
        else { return nil }
        return snapshot.lockspaces.flatMap(\.locks).compactMap { LockRow($0, seenBy: snapshot.node) }
    }

    init?(_ lock: DLMLock, seenBy viewer: NodeID) {
        switch lock.status {
        case .waiting: status = .waiting
        case .granted: status = .granted
        case .converting: status = .converting
        case .other: return nil
        }
        fromMaster = lock.master == 0
        owner = lock.isMasterCopy ? NodeID(lock.nodeID) : viewer
        resource = lock.resource
        granted = lock.granted
        requested = lock.requested
        age = lock.age
    }
}

extension ClusterMoment {
    /// One set of snapshots.
    init(label: String, snapshots: [NodeSnapshot], dead: Set<NodeID>) {
        self.label = label
        self.dead = dead
        time = snapshots.map(\.time).max() ?? 0
        nodes = snapshots.filter { !dead.contains($0.node) }.map {
            Node(node: $0.node, threads: $0.threads, locks: LockRow.rows(in: $0), arrays: $0.arrays)
        }
    }
}
