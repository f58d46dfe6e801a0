// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import ProtocolTrace

/// A message and what came of it: the sender's locks, and what each receiver did. Which receptions belong to it is not
/// taken from clocks, but from the order of the model's run.
///
/// All times are nanoseconds of the trace clock of the node that they are of; nil for what did not happen.
public struct MessageExchange: Codable, Sendable, Equatable {
    public struct Receiver: Codable, Sendable, Equatable {
        public var node: String
        public var comm: String
        public var pid: Int
        /// dlm_bast of ack: the sender wants EX.
        public var bast: UInt64?
        /// message CR is granted: the message is read.
        public var read: UInt64?
        public var reloadBegun: UInt64?
        public var reloadEnded: UInt64?
        /// ack NL is asked for: the message is handled.
        public var acknowledged: UInt64?
        /// message NL is asked for.
        public var ended: UInt64?
    }

    public var sender: String
    public var comm: String
    public var pid: Int
    public var type: String
    /// raid_slot of the message.
    public var device: Int
    /// token EX was granted to the node.
    public var token: UInt64?
    /// __sendmsg is entered.
    public var begun: UInt64
    /// message EX is granted.
    public var locked: UInt64?
    /// message CW is granted: it can be read.
    public var published: UInt64?
    /// ack EX is granted: all others have handled it.
    public var acknowledged: UInt64?
    /// ack CR is granted again.
    public var restored: UInt64?
    /// __sendmsg returns.
    public var ended: UInt64?
    /// What __sendmsg returned.
    public var result: Int32?
    public var receivers: [Receiver] = []
}

extension ModelComparison {
    /// The exchanges of a record that conforms, in the order of the run; empty for any other.
    ///
    /// - Parameter traces: those that were compared, in the same order.
    public func exchanges(_ traces: [(node: NodeID, events: [KernelEvent])]) -> [MessageExchange] {
        var reader = ExchangeReader(
            nodes: traces.map(\.node),
            operations: traces.map { LockOperation.all(in: $0.events, lockspace: words.lockspace) })
        for item in run?.order ?? [] {
            let event = words.nodes[item.node].events[item.place]
            reader.read(traces[item.node].events[Int(event.index)], on: item.node)
        }
        return reader.exchanges
    }
}

private struct ExchangeReader {
    private(set) var exchanges: [MessageExchange] = []
    private let names: [NodeID]
    private var tokens: [Int: UInt64] = [:]
    private var basts: [Int: UInt64] = [:]
    /// By node: the exchange that it sends, and the one whose reception it is at, with the receiver's place.
    private var sending: [Int: Int] = [:]
    private var receiving: [Int: (exchange: Int, place: Int)] = [:]
    /// By node and event: the operation that it answers.
    private let answers: [[Int: LockOperation]]

    init(nodes: [NodeID], operations: [[LockOperation]]) {
        names = nodes
        answers = operations.map { operations in
            Dictionary(
                operations.compactMap { operation in operation.answer.map { ($0.index, operation) } },
                uniquingKeysWith: { _, last in last })
        }
    }

    mutating func read(_ event: KernelEvent, on node: Int) {
        switch event.body {
        case .entry("__sendmsg", let values):
            sending[node] = exchanges.count
            exchanges.append(
                MessageExchange(
                    sender: "\(names[node])", comm: event.comm, pid: event.pid,
                    type: "\(MessageType(rawValue: UInt32(truncatingIfNeeded: values["type"] ?? -1)))",
                    device: Int(values["raid_slot"] ?? 0), token: tokens[node], begun: event.time))
        case .exit("__sendmsg", let value):
            guard let number = sending.removeValue(forKey: node) else { return }
            exchanges[number].ended = event.time
            exchanges[number].result = value.map { Int32(truncatingIfNeeded: $0) }
        case .entry("md_reload_sb", _), .function("md_reload_sb", _):
            reception(of: event, on: node) { $0.reloadBegun = event.time }
        case .exit("md_reload_sb", _): reception(of: event, on: node) { $0.reloadEnded = event.time }
        case .exit("recv_daemon", _): receiving[node] = nil
        case .dlm(let dlm): read(dlm, event, on: node)
        default: return
        }
    }

    private mutating func read(_ dlm: DLMEvent, _ event: KernelEvent, on node: Int) {
        switch dlm.kind {
        case .bast: basts[node] = event.time
        case .lockStart:
            guard let mode = dlm.mode else { return }
            if dlm.resource == .ack, mode == .nl {
                reception(of: event, on: node) { $0.acknowledged = event.time }
            } else if dlm.resource == .message, mode == .nl {
                reception(of: event, on: node) { $0.ended = event.time }
            }
        case .ast:
            guard let operation = answers[node][event.index], operation.granted else { return }
            let isReceiver = operation.thread.role == .recvDaemon
            if operation.request == .convert(.token, .ex) { tokens[node] = event.time }
            if operation.request == .convert(.message, .cr), isReceiver { received(event, operation, on: node) }
            guard let number = sending[node], !isReceiver else { return }
            switch (operation.resource, operation.mode) {
            case (.message, .ex): exchanges[number].locked = event.time
            case (.message, .cw): exchanges[number].published = event.time
            case (.ack, .ex): exchanges[number].acknowledged = event.time
            case (.ack, .cr): exchanges[number].restored = event.time
            default: return
            }
        default: return
        }
    }

    /// What is on message now was sent last: token lets one node send at a time.
    private mutating func received(_ event: KernelEvent, _ request: LockOperation, on node: Int) {
        guard let number = exchanges.indices.last, exchanges[number].sender != "\(names[node])" else { return }
        receiving[node] = (number, exchanges[number].receivers.count)
        exchanges[number].receivers.append(
            MessageExchange.Receiver(
                node: "\(names[node])", comm: request.comm, pid: request.pid, bast: basts.removeValue(forKey: node),
                read: event.time))
    }

    private mutating func reception(
        of event: KernelEvent, on node: Int, _ change: (inout MessageExchange.Receiver) -> Void
    ) {
        guard event.role == .recvDaemon, let place = receiving[node] else { return }
        change(&exchanges[place.exchange].receivers[place.place])
    }
}
