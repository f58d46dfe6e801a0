// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation

/// Sends QMP commands to one QEMU and waits for their answers.
final class MachineMonitor: @unchecked Sendable {
    private let node: NodeID
    private let reactor: Reactor
    // Only touched on the reactor's thread.
    private var connection: Connection?
    private var decoder = MachineProtocol.LineDecoder()
    private var next = 1
    private var waiting: [Int: CheckedContinuation<MachineProtocol.Message.Return, any Error>] = [:]

    init(node: NodeID, reactor: Reactor) { (self.node, self.reactor) = (node, reactor) }

    /// Takes the connected socket over and leaves QMP's negotiation mode.
    func attach(_ descriptor: Int32) {
        reactor.execute { [self] in
            let connection = Connection(
                descriptor: descriptor, received: { [self] in receive($0) }, closed: { [unowned self] in closed() })
            self.connection = connection
            reactor.add(connection)
            connection.send(MachineProtocol.command("qmp_capabilities", id: 0))
        }
    }

    @discardableResult
    func execute(
        _ command: String, _ arguments: [String: MachineProtocol.Argument] = [:]
    ) async throws -> MachineProtocol.Message.Return {
        try await withCheckedThrowingContinuation { continuation in
            reactor.execute { [self] in
                guard let connection else {
                    return continuation.resume(throwing: ClusterFailure.nodeDied(node, lastConsoleLines: []))
                }
                waiting[next] = continuation
                connection.send(MachineProtocol.command(command, id: next, arguments: arguments))
                next += 1
            }
        }
    }

    private func receive(_ bytes: ArraySlice<UInt8>) {
        for message in decoder.append(bytes) {
            guard let id = message.id, let continuation = waiting.removeValue(forKey: id) else { continue }
            if let error = message.error {
                continuation.resume(
                    throwing: ClusterFailure.refused(node, action: "QEMU's monitor", reason: .said(error.desc)))
            } else if let value = message.return {
                continuation.resume(returning: value)
            }
        }
    }

    private func closed() {
        connection = nil
        let all = waiting.values
        waiting = [:]
        for continuation in all { continuation.resume(throwing: ClusterFailure.nodeDied(node, lastConsoleLines: [])) }
    }
}
