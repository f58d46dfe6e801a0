// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol

/// One message with all who received it.
package struct Exchange: Sendable, Equatable {
    /// nil when only receivers saw it: the sender's trace was cut.
    package var send: Send?
    package var receives: [NodeID: Receive] = [:]
    /// Members without a reception -> why.
    package var missing: [NodeID: String] = [:]
}

/// The global order of messages, found without clocks.
///
/// `token` orders all messages: at each step exactly one member sends and all the others receive. So every node's trace
/// is a sequence of sends and receptions, and laying the sequences side by side gives the order. Only where a join or a
/// leave belongs is open (a member that joins receives what comes after, which counting alone may not tell); there the
/// clock hint is tried first, and without clocks both ends are tried and what differs is left undecided.
package struct MessageOrder: Sendable, Equatable {
    package var exchanges: [Exchange]
    /// Sends and receptions that fit nowhere.
    package var unplaced: [NodePasses.Item]
    /// Messages of which counting does not tell who was a member; by place in `exchanges`.
    package var ambiguous: Set<Int>

    package init(_ passes: [NodePasses]) {
        let hasClocks = passes.allSatisfy { $0.clockOffset != nil }
        let found = Search.best(passes, markers: hasClocks ? .byClock : .first)
        exchanges = found.exchanges
        unplaced = zip(passes, found.positions).flatMap { $0.items[$1...] }.filter {
            if case .join = $0 { false } else if case .leave = $0 { false } else { true }
        }
        ambiguous = []
        if !hasClocks {
            let second = Search.best(passes, markers: .last).exchanges
            ambiguous = Set(exchanges.indices.filter { !second.contains(exchanges[$0]) })
        }
    }
}

/// Lays the nodes' sequences side by side, depth first, with the joins and leaves as the only choices.
private struct Search {
    enum Markers { case byClock, first, last }
    struct Found {
        var exchanges: [Exchange]
        var positions: [Int]
        var complete: Bool
    }
    enum Step { case marker(Int), message(Int), orphan }

    /// Nanoseconds by which the clock hint may be wrong. Closer than that, both orders are tried.
    static let clockUncertainty = 50e6

    let passes: [NodePasses]
    let markers: Markers
    /// Whether a trace that is said to be whole may still lack its last messages: recording does not stop everywhere at
    /// once.
    let lenient: Bool
    var dead: Set<[Int]> = []
    var best: Found

    /// The order in which whole traces lack nothing, if there is one, else the longest.
    static func best(_ passes: [NodePasses], markers: Markers) -> Found {
        var strict = Search(passes: passes, markers: markers, lenient: false)
        let found = strict.run()
        if found.complete { return found }
        var lenient = Search(passes: passes, markers: markers, lenient: true)
        return lenient.run()
    }

    init(passes: [NodePasses], markers: Markers, lenient: Bool) {
        self.passes = passes
        self.markers = markers
        self.lenient = lenient
        best = Found(exchanges: [], positions: Array(repeating: 0, count: passes.count), complete: false)
    }

    mutating func run() -> Found {
        let joined = passes.map(\.startsJoined)
        _ = explore([], Array(repeating: 0, count: passes.count), joined)
        return best
    }

    /// True when everything was placed. Depth grows only at choices.
    private mutating func explore(_ exchanges: [Exchange], _ positions: [Int], _ joined: [Bool]) -> Bool {
        var (exchanges, positions, joined) = (exchanges, positions, joined)
        while true {
            if dead.contains(positions) { return false }
            let steps = self.steps(positions, joined)
            if steps.isEmpty {
                let complete = passes.indices.allSatisfy { positions[$0] == passes[$0].items.count }
                if complete || positions.reduce(0, +) >= best.positions.reduce(0, +) {
                    best = Found(exchanges: exchanges, positions: positions, complete: complete)
                }
                if !complete { dead.insert(positions) }
                return complete
            }
            if steps.count == 1 {
                take(steps[0], &exchanges, &positions, &joined)
                continue
            }
            for step in steps {
                var (nextExchanges, nextPositions, nextJoined) = (exchanges, positions, joined)
                take(step, &nextExchanges, &nextPositions, &nextJoined)
                if explore(nextExchanges, nextPositions, nextJoined) { return true }
            }
            dead.insert(positions)
            return false
        }
    }

    private func head(_ number: Int, _ positions: [Int]) -> NodePasses.Item? {
        let items = passes[number].items
        return positions[number] < items.count ? items[positions[number]] : nil
    }

    /// What may come next, the likeliest first.
    private func steps(_ positions: [Int], _ joined: [Bool]) -> [Step] {
        var markerSteps: [Int] = []
        var senders: [Int] = []
        var receivers: [Int] = []
        var silent: [Int] = []
        for number in passes.indices {
            switch head(number, positions) {
            case .join, .leave: markerSteps.append(number)
            case .send: senders.append(number)
            case .receive: receivers.append(number)
            case nil: if joined[number] { silent.append(number) }
            }
        }
        markerSteps.sort { time($0, positions) < time($1, positions) }
        let markerList = markerSteps.map(Step.marker)
        guard senders.count == 1 else {
            // No sender left: one whose trace was cut sent what the others received.
            let orphan: [Step] =
                senders.isEmpty && !receivers.isEmpty && silent.contains(where: maySayNothing) ? [.orphan] : []
            return senders.isEmpty ? markerList + orphan : markerList
        }
        let message = Step.message(senders[0])
        // A member that shows nothing more may only be silent if its trace was cut, or if the message was never
        // acknowledged.
        if case .send(let send) = head(senders[0], positions), send.granted != nil,
            silent.contains(where: { !maySayNothing($0) })
        {
            return markerList
        }
        guard let marker = markerSteps.first else { return [message] }
        switch markers {
        case .first: return markerList + [message]
        case .last: return [message] + markerList
        case .byClock:
            let lead = time(senders[0], positions) - time(marker, positions)
            if abs(lead) > Self.clockUncertainty { return lead > 0 ? markerList : [message] }
            return lead >= 0 ? markerList + [message] : [message] + markerList
        }
    }

    private func maySayNothing(_ number: Int) -> Bool { lenient || passes[number].cut != nil }

    /// Whether a node had died when the sender was granted ack EX: DLM's recovery took its lock away, it owes no
    /// reception.
    private func wasDead(_ number: Int, when send: Send?, of sender: Int?) -> Bool {
        guard let died = passes[number].died, let sender, let granted = send?.granted,
            let time = passes[sender].hostTime(granted)
        else { return false }
        return time > died * 1e9 + Self.clockUncertainty
    }

    private func time(_ number: Int, _ positions: [Int]) -> Double {
        guard let item = head(number, positions) else { return .infinity }
        return passes[number].hostTime(item) ?? 0
    }

    private func take(_ step: Step, _ exchanges: inout [Exchange], _ positions: inout [Int], _ joined: inout [Bool]) {
        switch step {
        case .marker(let number):
            if case .join = head(number, positions) { joined[number] = true } else { joined[number] = false }
            positions[number] += 1
        case .message(let sender):
            guard case .send(let send) = head(sender, positions) else { return }
            positions[sender] += 1
            exchanges.append(receive(Exchange(send: send), but: sender, &positions, joined))
        case .orphan:
            exchanges.append(receive(Exchange(send: nil), but: nil, &positions, joined))
        }
    }

    private func receive(_ exchange: Exchange, but sender: Int?, _ positions: inout [Int], _ joined: [Bool]) -> Exchange
    {
        var exchange = exchange
        for number in passes.indices where number != sender && joined[number] {
            switch head(number, positions) {
            case .receive(let receive):
                exchange.receives[passes[number].node] = receive
                positions[number] += 1
            case nil:
                if wasDead(number, when: exchange.send, of: sender) { break }
                exchange.missing[passes[number].node] = passes[number].cut ?? "its trace shows nothing more"
            case .send, .join, .leave:
                // A member whose leave() comes next stopped its receive thread already.
                break
            }
        }
        return exchange
    }
}
