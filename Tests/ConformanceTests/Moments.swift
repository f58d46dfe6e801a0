// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import RunRecord

@testable import Conformance

/// Builds moments of a cluster, for the tests of the wait graph.
struct MomentBuilder {
    var moment = ClusterMoment(label: "hang-1", snapshots: [], dead: [])

    init(_ nodes: [NodeID], memory: Bool) {
        moment.nodes = nodes.map { node in
            ClusterMoment.Node(
                node: node, threads: [], locks: [],
                arrays: memory
                    ? [
                        NodeSnapshot.ArrayState(
                            name: "md0", clusterState: 1 << 6, reconfigMutexOwner: nil, receiveMutexOwner: nil,
                            flags: 0, recovery: 0,
                            sbFlags: 0)
                    ] : nil)
        }
    }

    /// A thread in D state; `stack` as "inner <- outer", without the frames that all sleepers have.
    mutating func thread(_ node: NodeID, _ comm: String, _ stack: String, state: String = "D") {
        let names = stack.components(" <- ")
        let frames = (stack.isEmpty ? [] : names).map { "\($0)+0x10/0x80 [md_mod]" }
        let place = index(node)
        moment.nodes[place].threads.append(
            NodeSnapshot.Thread(
                pid: Cluster.pid(comm)
                    + (comm == "mdadm" ? moment.nodes[place].threads.count { $0.comm == "mdadm" } : 0), comm: comm,
                state: state,
                stack: (state == "R" ? [] : ["__schedule+0x2/0x3", "schedule+0x5e/0xd0"]) + frames + [
                    "kthread+0xd8/0x100"
                ]))
    }

    mutating func idle(_ node: NodeID, _ comm: String) { thread(node, comm, "md_thread", state: "S") }

    /// The own lock of a node; node1 is the master of everything.
    mutating func lock(_ node: NodeID, _ resource: LockResource, _ granted: LockMode, asks requested: LockMode? = nil) {
        moment.nodes[0].locks?.append(
            LockRow(
                owner: node, resource: resource, status: requested == nil ? .granted : .converting, granted: granted,
                requested: requested ?? .none, age: 7, fromMaster: true))
    }

    /// What a node knows of its own lock, where node1 knows more.
    mutating func copy(_ node: NodeID, _ resource: LockResource, _ granted: LockMode, asks requested: LockMode) {
        moment.nodes[index(node)].locks?.append(
            LockRow(
                owner: node, resource: resource, status: .converting, granted: granted, requested: requested, age: 7,
                fromMaster: false))
    }

    mutating func mutex(
        _ node: NodeID, reconfig: String? = nil, hasWaiters: Bool = false, receive: String? = nil, state: StateBit...
    ) {
        let place = index(node)
        guard moment.nodes[place].arrays != nil else { return }
        moment.nodes[place].arrays?[0].reconfigMutexOwner = reconfig.map(Cluster.pid)
        moment.nodes[place].arrays?[0].reconfigMutexHasWaiters = hasWaiters
        moment.nodes[place].arrays?[0].receiveMutexOwner = receive.map(Cluster.pid)
        moment.nodes[place].arrays?[0].clusterState = state.reduce(1 << 6) { $0 | 1 << UInt64($1.rawValue) }
    }

    private func index(_ node: NodeID) -> Int { moment.nodes.firstIndex { $0.node == node }! }

    /// The same again some seconds later.
    var twice: [ClusterMoment] {
        var second = moment
        second.label = "hang-2"
        second.time += 4
        return [moment, second]
    }
}

extension String {
    fileprivate func components(_ separator: String) -> [String] {
        var parts: [String] = []
        var rest = self[...]
        while let range = rest.firstRange(of: separator) {
            parts.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        return parts + [String(rest)]
    }
}
