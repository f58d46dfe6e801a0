// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import RunRecord

/// One row of /sys/kernel/debug/dlm/LOCKSPACE_locks, with the node it belongs to worked out.
struct LockRow: Sendable, Equatable {
    enum Status: Sendable, Equatable { case waiting, granted, converting }
    /// Whose lock it is.
    var owner: NodeID
    var resource: LockResource
    var status: Status
    var granted: LockMode
    /// The mode asked for, while `status` is not granted.
    var requested: LockMode
    /// Seconds since the request, or since the grant (`lkb_timestamp`); nil when not known.
    var age: Double?
    /// Read from the resource's master, which knows all locks of it; else from the owner's own copy.
    var fromMaster: Bool
}

/// All nodes as one set of snapshots shows them. The snapshots of a set are not taken at one instant, so what is found
/// in one set counts only when a second set shows the same.
struct ClusterMoment: Sendable, Equatable {
    struct Node: Sendable, Equatable {
        var node: NodeID
        var threads: [NodeSnapshot.Thread]
        /// nil when DLM's debugfs could not be read on this node.
        var locks: [LockRow]?
        /// nil when the kernel's memory could not be read.
        var arrays: [NodeSnapshot.ArrayState]?
    }
    var label: String
    /// Host seconds since the run started.
    var time: Double
    var nodes: [Node]
    /// Nodes that were part of the cluster and died.
    var dead: Set<NodeID>

    subscript(node: NodeID) -> Node? { nodes.first { $0.node == node } }

    /// The locks of a resource: the master's table where there is one, else what each owner knows of its own.
    func locks(of resource: LockResource) -> [LockRow] {
        let rows = nodes.flatMap { $0.locks ?? [] }.filter { $0.resource == resource }
        let master = rows.filter(\.fromMaster)
        let known = Set(master.map(\.owner))
        return master + rows.filter { !$0.fromMaster && !known.contains($0.owner) }
    }

    var hasLocks: Bool { nodes.contains { $0.locks != nil } }
}

extension ClusterMoment.Node {
    func thread(_ role: ThreadRole) -> NodeSnapshot.Thread? { threads.first { ThreadRole(comm: $0.comm) == role } }

    /// `cinfo->state`, if it was read. One clustered array a node.
    var state: Set<StateBit>? {
        arrays?.compactMap(\.clusterState).first.map { Set(StateBit.bits(in: $0)) }
    }

    /// The clustered array's memory, if it was read.
    var array: NodeSnapshot.ArrayState? { arrays?.first { $0.clusterState != nil } }
}
