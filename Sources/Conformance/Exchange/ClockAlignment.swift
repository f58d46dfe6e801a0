// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace

/// The nodes' clocks against each other, as the record itself has them: a sender's request for `ack` is before the receiver's
/// bast, and the receiver's request to give `ack` up before the sender's grant. An offset that was measured is off by the
/// time that a busy machine took to answer, which can be far more than a message takes.
public enum ClockAlignment {
    /// How far an offset that was measured may be off. Nanoseconds.
    private static let limit: Int64 = 500_000_000
    /// Of each node; the clocks do not drift.
    private static let messages = 200

    /// - Parameters:
    ///   - offsets: guest seconds minus host seconds; those that are not there are 0.
    ///   - traces: one for each node, in order.
    ///   - lockspace: of the array; nil for whichever there is.
    /// - Returns: the same, but where others put more messages between the first node and a node in their order, the nearest
    ///   that puts the most.
    public static func offsets(
        _ offsets: [Double], for traces: [[KernelEvent]], lockspace: UInt32? = nil
    ) -> [Double] {
        var result = traces.indices.map { $0 < offsets.count ? offsets[$0] : 0 }
        guard let first = traces.first else { return result }
        let one = Passes(first, lockspace, offset: result[0])
        for number in traces.indices.dropFirst() {
            let other = Passes(traces[number], lockspace, offset: result[number])
            // What may be added to the other node's times, by pairs that can be one message.
            var ranges: [ClosedRange<Int64>] = []
            for send in one.sends.prefix(messages) {
                for receipt in other.receipts(near: send, limit: limit) {
                    let (least, most) = (send.start - receipt.start, send.end - receipt.end)
                    if least <= most { ranges.append(least...most) }
                }
            }
            for send in other.sends.prefix(messages) {
                for receipt in one.receipts(near: send, limit: limit) {
                    let (least, most) = (receipt.end - send.end, receipt.start - send.start)
                    if least <= most { ranges.append(least...most) }
                }
            }
            result[number] -= Double(nearest(ranges)) / 1e9
        }
        return result
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
        var start: Int64
        var end: Int64
    }

    private struct Passes {
        var sends: [Span] = []
        private var receipts: [Span] = []

        init(_ events: [KernelEvent], _ lockspace: UInt32?, offset: Double) {
            guard abs(offset) < 1e9 else { return }
            var request: Int64?
            var bast: Int64?
            for event in events {
                guard case .dlm(let dlm) = event.body, dlm.resource == .ack,
                    lockspace.map({ $0 == dlm.lockspace }) ?? true
                else { continue }
                let time = Int64(event.time) - Int64(offset * 1e9)
                switch (dlm.kind, dlm.mode) {
                case (.lockStart, .ex): request = time
                case (.ast, _):
                    if let start = request { sends.append(Span(start: start, end: time)) }
                    request = nil
                case (.bast, _): bast = bast ?? time
                case (.lockStart, .nl):
                    if let start = bast { receipts.append(Span(start: start, end: time)) }
                    bast = nil
                default: continue
                }
            }
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
