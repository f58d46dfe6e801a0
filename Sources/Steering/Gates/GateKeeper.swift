// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import VirtualCluster

/// Arms and releases the gates of one node, whose modules are instrumented and loaded.
///
///     let keeper = GateKeeper(cluster.nodes[1])
///     try await keeper.arm(Gate("resync", at: .entry, of: "resync_info_update", by: "md0_resync", limit:
/// .seconds(60)))
///     let state = try await keeper.untilHeld("resync", patience: .seconds(10))
///     try await keeper.release("resync")
///     try await keeper.reset()
///
/// Every function throws `GateError`, or `ClusterFailure` when the node does not answer.
public struct GateKeeper: Sendable {
    public let node: any NodeControl

    public init(_ node: any NodeControl) { self.node = node }

    /// Between two looks at a gate.
    static let interval = Duration.milliseconds(10)

    /// Arms a gate. One that is spent may be armed again under its name.
    public func arm(_ gate: Gate) async throws {
        if let fault = gate.fault { throw GateError.badGate(gate, fault) }
        try await control(gate.line, unknown: .unknownFunction(gate.function, node.id), gate: gate.id)
    }

    /// All gates that were armed since the last `reset`, spent ones too.
    public func states() async throws -> [GateState] { try GateState.states(in: try await read(GateModule.gates)) }

    /// Waits until a thread is held at a gate. Throws `atomicContext`, `gone`, `unknownGate`, or `neverArrived` after
    /// `patience`.
    @discardableResult
    public func untilHeld(_ id: String, patience: Duration) async throws -> GateState {
        let clock = ContinuousClock()
        let end = clock.now + patience
        while true {
            guard let state = try await states().first(where: { $0.id == id }) else {
                throw GateError.unknownGate(id, node.id)
            }
            switch state.stage {
            case .held: return state
            case .atomic: throw GateError.atomicContext(state, node.id)
            case .released, .expired: throw GateError.gone(state, node.id)
            case .armed: break
            }
            if clock.now >= end {
                throw GateError.neverArrived(
                    state, node.id, seconds: patience / .seconds(1), instead: try await places(of: state.comm))
            }
            try await Task.sleep(for: Self.interval)
        }
    }

    /// Lets the thread go. A gate to which nobody has come yet is spent, and holds nobody any more.
    public func release(_ id: String) async throws { try await control("release \(id)", gate: id) }

    /// Releases the gate and forgets it.
    public func disarm(_ id: String) async throws { try await control("disarm \(id)", gate: id) }

    /// Releases and forgets all gates.
    public func reset() async throws { try await control("reset") }

    /// Starts to count, from zero, all hits of all functions.
    public func startRecording() async throws { try await control("record on") }

    /// Stops counting; returns what was hit.
    public func stopRecording() async throws -> [GatePoint] {
        try await control("record off")
        return try GatePoint.points(in: try await read(GateModule.points))
    }

    /// Where the threads are whose names begin with `comm`; "*" is all of md's.
    public func places(of comm: String) async throws -> [ThreadPlace] {
        let beginning = comm == "*" ? "md" : String(comm.prefix(15))
        return try await node.threads(named: [beginning], limit: .seconds(20)).filter { $0.comm.hasPrefix(beginning) }
            .map { ThreadPlace(pid: $0.pid, comm: $0.comm, state: $0.state, stack: $0.stack) }
    }

    // MARK: - The module's files

    private func read(_ file: String) async throws -> String {
        do {
            return String(decoding: try await node.read(file), as: UTF8.self)
        } catch ClusterFailure.refused(_, _, .errno(ENOENT)) {
            throw GateError.notInstrumented(node.id)
        }
    }

    /// - Parameter unknown: what ENOENT means when the module is there.
    private func control(_ line: String, unknown: GateError? = nil, gate: String = "") async throws {
        do {
            try await node.write(GateModule.control, line)
        } catch ClusterFailure.refused(let id, let action, let reason) {
            switch reason {
            case .errno(ENOENT):
                // The file itself may be what is missing.
                _ = try await read(GateModule.gates)
                throw unknown ?? GateError.refused(line: line, id)
            case .errno(EEXIST): throw GateError.alreadyArmed(gate, id)
            case .errno(ESRCH): throw GateError.unknownGate(gate, id)
            case .errno(ENOSPC): throw GateError.tooManyGates(id)
            case .errno(EINVAL): throw GateError.refused(line: line, id)
            default: throw ClusterFailure.refused(id, action: action, reason: reason)
            }
        }
    }

}
