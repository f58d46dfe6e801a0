// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import GuestProtocol
import Synchronization

/// Asks the agent of one node, and hears what it reports by itself.
final class AgentChannel: @unchecked Sendable {
    let node: NodeID
    private let reactor: Reactor
    private let nextID = Atomic<UInt32>(0)
    /// Called on the reactor's thread with everything that is not a reply.
    private let report: @Sendable (Report) -> Void
    // Only touched on the reactor's thread.
    private var connection: Connection?
    private var decoder = FrameDecoder()
    private var waiting: [UInt32: CheckedContinuation<Reply, any Error>] = [:]
    /// Cancelled before they were sent.
    private var cancelled: Set<UInt32> = []
    private var failure: ClusterFailure?

    init(node: NodeID, reactor: Reactor, report: @escaping @Sendable (Report) -> Void) {
        (self.node, self.reactor, self.report) = (node, reactor, report)
    }

    func attach(_ descriptor: Int32) {
        reactor.execute { [self] in
            let connection = Connection(
                descriptor: descriptor, received: { [self] in receive($0) },
                closed: { [self] in fail(.nodeDied(node, lastConsoleLines: [])) })
            self.connection = connection
            reactor.add(connection)
        }
    }

    /// The reply to a request. Waits as long as it takes, or until the task is cancelled; throws when the node dies.
    func ask(_ request: Request) async throws -> Reply {
        let id = nextID.wrappingAdd(1, ordering: .relaxed).newValue
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                reactor.execute { [self] in
                    guard failure == nil, let connection else {
                        return continuation.resume(throwing: failure ?? .nodeDied(node, lastConsoleLines: []))
                    }
                    guard cancelled.remove(id) == nil else { return continuation.resume(throwing: CancellationError()) }
                    waiting[id] = continuation
                    connection.send(FrameDecoder.frame(request.encode(id: id)))
                }
            }
        } onCancel: {
            reactor.execute { [self] in
                if let continuation = waiting.removeValue(forKey: id) {
                    continuation.resume(throwing: CancellationError())
                } else {
                    cancelled.insert(id)
                }
            }
        }
    }

    /// Like `ask`, and a `.failed` reply is thrown.
    @discardableResult
    func demand(_ request: Request) async throws -> Reply {
        let reply = try await ask(request)
        if case .failed(let errno, let action) = reply {
            throw ClusterFailure.refused(node, action: action, reason: .errno(errno))
        }
        return reply
    }

    /// Fails everything that waits and everything asked later.
    func fail(_ failure: ClusterFailure) {
        self.failure = self.failure ?? failure
        connection = nil
        let all = waiting.values
        waiting = [:]
        for continuation in all { continuation.resume(throwing: failure) }
    }

    private func receive(_ bytes: ArraySlice<UInt8>) {
        decoder.append(bytes)
        do {
            while let frame = try decoder.next() {
                let decoded = try Report.decode(frame)
                if case .reply(let id, let reply) = decoded {
                    waiting.removeValue(forKey: id)?.resume(returning: reply)
                } else {
                    report(decoded)
                }
            }
        } catch {
            // Whatever speaks there is not this version's agent.
            let broken = connection
            fail(.agentVersion(node, agent: -1, host: Int(guestProtocolVersion)))
            if let broken { reactor.remove(broken) }
        }
    }
}
