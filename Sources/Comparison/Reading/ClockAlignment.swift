// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace

/// The nodes' clocks against each other, as the record itself has them: a sender's request for `ack` is before the receiver's
/// bast, and the receiver's request to give `ack` up before the sender's grant. An offset that was measured is off by the
/// time that a busy machine took to answer, which can be more than a message takes.
enum ClockAlignment {
    /// How far an offset that was measured may be off, and with it which events can belong to one message. Nanoseconds.
    private static let slack: Int64 = 25_000_000

    /// - Parameters:
    ///   - offsets: guest seconds minus host seconds; those that are not there are 0.
    /// - Returns: the same, changed by as little as puts each message between the first node and another in its order; an
    ///   offset is left as it is if no change does.
    static func offsets(_ offsets: [Double], for traces: [[KernelEvent]], lockspace: UInt32) -> [Double] {
        var result = traces.indices.map { $0 < offsets.count ? offsets[$0] : 0 }
        guard let first = traces.first else { return result }
        let one = Passes(first, lockspace, offset: result[0])
        for number in traces.indices.dropFirst() {
            let other = Passes(traces[number], lockspace, offset: result[number])
            // What may be added to the other node's times.
            var range = (least: -slack, most: slack)
            for send in one.sends {
                guard let receipt = other.receipt(of: send, slack: slack) else { continue }
                range.least = max(range.least, send.start - receipt.start)
                range.most = min(range.most, send.end - receipt.end)
            }
            for send in other.sends {
                guard let receipt = one.receipt(of: send, slack: slack) else { continue }
                range.least = max(range.least, receipt.end - send.end)
                range.most = min(range.most, receipt.start - send.start)
            }
            guard range.least <= range.most else { continue }
            result[number] -= Double(min(max(0, range.least), range.most)) / 1e9
        }
        return result
    }

    /// A sender's wait for EX on `ack`, or a receiver's way from the bast to giving CR up. Nanoseconds.
    private struct Span {
        var start: Int64
        var end: Int64
    }

    private struct Passes {
        var sends: [Span] = []
        private var receipts: [Span] = []

        init(_ events: [KernelEvent], _ lockspace: UInt32, offset: Double) {
            var request: Int64?
            var bast: Int64?
            for event in events {
                guard case .dlm(let dlm) = event.body, dlm.lockspace == lockspace, dlm.resource == .ack else {
                    continue
                }
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

        /// The one that can belong to a message; nil if there is none, or several can.
        func receipt(of send: Span, slack: Int64) -> Span? {
            var (low, high) = (0, receipts.count)
            while low < high {
                let middle = (low + high) / 2
                if receipts[middle].start < send.start - slack { low = middle + 1 } else { high = middle }
            }
            let fitting = receipts[low...].prefix { $0.end <= send.end + slack }
            return fitting.count == 1 ? fitting.first : nil
        }
    }
}
