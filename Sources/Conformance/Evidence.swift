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
    /// kmsg.log and console.log of each node.
    public var logs: [NodeID: [KernelLog]]
    /// nil when the rules could not be read.
    public var rules: LogRules?
    /// What of the record could not be read -> why.
    public var unreadable: [String: String]

    public init(
        description: RunDescription, events: [RunEvent] = [], traces: [NodeID: [KernelEvent]] = [:], snapshots: [NodeSnapshot] = [],
        logs: [NodeID: [KernelLog]] = [:], rules: LogRules? = nil, unreadable: [String: String] = [:]
    ) {
        self.description = description
        self.events = events
        self.traces = traces
        self.snapshots = snapshots
        self.logs = logs
        self.rules = rules
        self.unreadable = unreadable
    }
}
