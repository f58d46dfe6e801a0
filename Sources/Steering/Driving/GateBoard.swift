// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import VirtualCluster

/// The gates of all nodes, as a driver needs them. `KernelGates` are those of the module mdlab_gate; tests have others.
public protocol GateBoard: Sendable {
    /// Throws `GateError`.
    func arm(_ gate: Gate, on node: NodeID) async throws
    /// Nil when there is no such gate.
    func state(of gate: String, on node: NodeID) async throws -> GateState?
    func release(_ gate: String, on node: NodeID) async throws
    /// Lets everybody go and forgets all gates.
    func reset() async throws
}

/// The gates of the nodes of a cluster.
public struct KernelGates: GateBoard {
    private let keepers: [NodeID: GateKeeper]

    public init(_ nodes: [any NodeControl]) {
        keepers = Dictionary(nodes.map { ($0.id, GateKeeper($0)) }) { first, _ in first }
    }

    private func keeper(_ node: NodeID) throws -> GateKeeper {
        guard let keeper = keepers[node] else { throw GateError.notInstrumented(node) }
        return keeper
    }

    public func arm(_ gate: Gate, on node: NodeID) async throws { try await keeper(node).arm(gate) }
    public func state(of gate: String, on node: NodeID) async throws -> GateState? {
        try await keeper(node).states().first { $0.id == gate }
    }
    public func release(_ gate: String, on node: NodeID) async throws { try await keeper(node).release(gate) }
    public func reset() async throws { for keeper in keepers.values { try await keeper.reset() } }
}
