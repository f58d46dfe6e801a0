// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import RunRecord

/// What a record holds, as values: all that the checks work from.
public struct Evidence: Sendable, Equatable {
    public var description: RunDescription
    public var events: [RunEvent]
    /// A node without an entry left no readable trace.
    public var traces: [NodeID: [KernelEvent]]
    public var snapshots: [NodeSnapshot]
    /// What of the record could not be read -> why.
    public var unreadable: [String: String]

    public init(
        description: RunDescription, events: [RunEvent] = [], traces: [NodeID: [KernelEvent]] = [:], snapshots: [NodeSnapshot] = [],
        unreadable: [String: String] = [:]
    ) {
        self.description = description
        self.events = events
        self.traces = traces
        self.snapshots = snapshots
        self.unreadable = unreadable
    }
}
