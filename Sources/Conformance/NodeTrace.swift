// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace

/// What one node's trace is, as far as the checks need to know: its events, and where it stops being complete.
public struct NodeTrace: Sendable, Equatable {
    public var node: NodeID
    public var events: [KernelEvent]
    /// nil when the trace covers the node's run to its orderly end; else why it stops early: "the run hung", "the node died".
    public var cut: String?
    /// Guest seconds minus host seconds (run.json), a hint; nil when it was not measured.
    public var clockOffset: Double?
    /// Host seconds at which the node died, if it did.
    public var died: Double?

    public init(
        node: NodeID, events: [KernelEvent], cut: String? = nil, clockOffset: Double? = nil, died: Double? = nil
    ) {
        self.node = node
        self.events = events
        self.cut = cut
        self.clockOffset = clockOffset
        self.died = died
    }

    /// Indices of the events at which the ring buffer overran.
    var losses: [Int] {
        events.compactMap { if case .lost = $0.body { $0.index } else { nil } }
    }

    /// Whether events are missing between two indices of the trace.
    func hasLoss(in range: ClosedRange<Int>) -> Bool { losses.contains { range.contains($0) } }
}
