// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import ProtocolTrace
import RunRecord

/// What a record holds, as values: all that the checks work from. Made of a `Recording`; the parts are for tests that
/// bend them.
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
    /// The rules are not those that were in force when the run ended.
    public var rulesAreNewer = false
    /// What of the record could not be read -> why.
    public var unreadable: [String: String]

    public init(
        description: RunDescription, events: [RunEvent] = [], traces: [NodeID: [KernelEvent]] = [:],
        snapshots: [NodeSnapshot] = [],
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

extension Evidence {
    /// What a record holds that was opened with `Recording.open`.
    ///
    /// - Parameter rules: those of kernel-tests/rules; nil when they could not be read, and then the kernel logs are
    ///   not decided.
    public init(_ recording: Recording, rules: LogRules?) {
        self.init(description: recording.description, events: recording.events, rules: rules)
        for node in recording.nodes {
            traces[node.id] = node.trace
            snapshots += node.snapshots
            logs[node.id] = [node.kmsg, node.console].compactMap { $0 }
        }
        for part in recording.missing { unreadable[part.path] = part.why.text }
    }
}

extension MissingPart.Why {
    fileprivate var text: String {
        switch self {
        case .absent: "it is not there"
        case .unreadable(let reason): reason
        case .notUnderstood(let line): line.map { "line \($0) is cut or damaged" } ?? "it is cut or damaged"
        case .incomplete(let error): "its parts could not be put together (\(error))"
        case .stillWritten: "the run still goes on"
        case .trace(let error): "\(error)"
        case .rules(let error): "\(error)"
        }
    }
}
