// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol

/// The gates of all nodes, as a driver needs them. `KernelGates` are those of the module mdlab_gate; tests have others.
public protocol GateBoard: Sendable {
    /// Throws `SteeringError.noSuchFunction` when no instrumented module has the function.
    func arm(_ gate: Schedule.HeldThread, comm: String, limit: Duration) async throws
    func state(of gate: Schedule.HeldThread) async throws -> GateSight
    func release(_ gate: Schedule.HeldThread) async throws
    /// Lets everybody go and forgets all gates.
    func reset() async throws
}

/// How a gate stands.
public enum GateSight: Sendable, Equatable {
    /// Nobody came yet; so many hits were let pass.
    case armed(passed: Int)
    case held(pid: Int, comm: String)
    case released
    /// It let go by itself, its limit was over.
    case expired
    /// It was hit where sleeping is forbidden, and held nobody.
    case atomic
    /// There is no such gate.
    case gone
}

/// What can go wrong with steering itself: facts, worded at the edge.
public enum SteeringError: Error, Sendable, Equatable {
    case noSuchFunction(String, node: NodeID)
    /// The gate module refused, or could not be reached.
    case gate(String, node: NodeID, reason: String)
}
