// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace

/// What one node's trace is, as far as those who judge need to know: its events, its lock operations, and where it
/// stops being complete.
public struct NodeTrace: Sendable, Equatable {
    public let node: NodeID
    public let events: [KernelEvent]
    /// nil when the trace covers the node's run to its orderly end; else why it stops early: "the run hung", "the node
    /// died".
    public var cut: String?
    /// Guest seconds minus host seconds (run.json), a hint; nil when it was not measured.
    public var clockOffset: Double?
    /// Host seconds at which the node died, if it did.
    public var died: Double?
    /// Nanoseconds between two ticks of a trace clock that ticks in jiffies: `TraceClock`. nil for a finer one.
    public let clockTick: UInt64?
    /// By lockspace of a clustered array, in the order in which they were asked for.
    package let operations: [UInt32: [LockOperation]]
    /// Indices of the events at which the ring buffer overran.
    package let losses: [Int]

    /// Cost: three passes over the events.
    public init(
        node: NodeID, events: [KernelEvent], cut: String? = nil, clockOffset: Double? = nil, died: Double? = nil
    ) {
        self.node = node
        self.events = events
        self.cut = cut
        self.clockOffset = clockOffset
        self.died = died
        clockTick = TraceClock.tick(of: events)
        operations = LockOperation.arrayLockspaces(in: events).reduce(into: [:]) {
            $0[$1] = LockOperation.all(in: events, lockspace: $1)
        }
        losses = events.compactMap { if case .lost = $0.body { $0.index } else { nil } }
    }

    /// The lockspaces of clustered arrays, in the order of their numbers.
    package var lockspaces: [UInt32] { operations.keys.sorted() }

    /// Whether events are missing between two indices of the trace.
    package func hasLoss(in range: ClosedRange<Int>) -> Bool { losses.contains { range.contains($0) } }
}
