// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace

/// The nodes' clocks against each other, as the record itself has them: a sender's request for `ack` is before the
/// receiver's bast, and the receiver's request to give `ack` up before the sender's grant. An offset that was measured
/// is off by the time that a busy machine took to answer, which can be far more than a message takes.
package enum ClockAlignment {
    /// How far an offset that was measured may be off. Nanoseconds.
    private static let limit: Int64 = 500_000_000
    /// Of each node; the clocks do not drift.
    private static let messages = 200

    /// - Parameters:
    ///   - offsets: guest seconds minus host seconds; those that are not there are 0.
    ///   - traces: one for each node, in order.
    /// - Returns: the same, but where others put more messages between the first node and a node in their order, the
    ///   nearest that puts the most.
    package static func offsets(_ offsets: [Double], for traces: [[KernelEvent]]) -> [Double] {
        var result = traces.indices.map { $0 < offsets.count ? offsets[$0] : 0 }
        guard let first = traces.first else { return result }
        let one = Passes(first, offset: result[0])
        for number in traces.indices.dropFirst() {
            let other = Passes(traces[number], offset: result[number])
            let there = shifts(of: other, for: one)
            let back = shifts(of: one, for: other).map { -$0.upperBound ... -$0.lowerBound }
            result[number] -= Double(nearest(there + back)) / 1e9
        }
        return result
    }

    /// What may be added to the receiver's times, by pairs that can be one message.
    private static func shifts(of receiver: Passes, for sender: Passes) -> [ClosedRange<Int64>] {
        sender.sends.prefix(messages).flatMap { send in
            receiver.receipts(near: send, limit: limit).compactMap { receipt in
                let (least, most) = (send.start - receipt.start, send.end - receipt.end)
                return receipt.lockspace == send.lockspace && least <= most ? least...most : nil
            }
        }
    }

    /// The value next to 0 that is in the most ranges.
    private static func nearest(_ ranges: [ClosedRange<Int64>]) -> Int64 {
        let ends = ranges.flatMap { [(at: $0.lowerBound, change: 1), (at: $0.upperBound + 1, change: -1)] }.sorted {
            $0.at < $1.at
        }
        var count = 0
        var best = (count: ranges.count { $0.contains(0) }, value: Int64(0))
        for (place, end) in ends.enumerated() {
            count += end.change
            guard count >= best.count, count > 0, place + 1 < ends.count, ends[place + 1].at > end.at else { continue }
            let value = min(max(0, end.at), ends[place + 1].at - 1)
            if count > best.count || abs(value) < abs(best.value) { best = (count, value) }
        }
        return best.value
    }

    /// A sender's wait for EX on `ack`, or a receiver's way from the bast to giving CR up. Host nanoseconds.
    private struct Span {
        var lockspace: UInt32
        var start: Int64
        var end: Int64
    }

    private struct Passes {
        var sends: [Span] = []
        private var receipts: [Span] = []

        init(_ events: [KernelEvent], offset: Double) {
            guard abs(offset) < 1e9 else { return }
            // By lockspace.
            var requests: [UInt32: Int64] = [:]
            var basts: [UInt32: Int64] = [:]
            for event in events {
                guard case .dlm(let dlm) = event.body, dlm.resource == .ack else { continue }
                let time = Int64(event.time) - Int64(offset * 1e9)
                let space = dlm.lockspace
                switch (dlm.kind, dlm.mode) {
                case (.lockStart, .ex): requests[space] = time
                case (.ast, _):
                    guard let start = requests.removeValue(forKey: space) else { continue }
                    sends.append(Span(lockspace: space, start: start, end: time))
                case (.bast, _): basts[space] = basts[space] ?? time
                case (.lockStart, .nl):
                    guard let start = basts.removeValue(forKey: space) else { continue }
                    receipts.append(Span(lockspace: space, start: start, end: time))
                default: continue
                }
            }
            receipts.sort { $0.start < $1.start }
        }

        func receipts(near send: Span, limit: Int64) -> ArraySlice<Span> {
            var (low, high) = (0, receipts.count)
            while low < high {
                let middle = (low + high) / 2
                if receipts[middle].start < send.start - limit { low = middle + 1 } else { high = middle }
            }
            return receipts[low...].prefix { $0.end <= send.end + limit }
        }
    }
}
