// SPDX-License-Identifier: GPL-2.0
import Foundation

/// One line of events.ndjson: something that happened in the run, with host time.
public struct RunEvent: Codable, Sendable, Equatable {
    public enum Kind: String, Codable, Sendable {
        case boot, restored, cluster, modules, array, step, stepEnd, wait, snapshot, uevent, splat, hang, timeout,
            nodeDied,
            interrupted, note, verdict
        /// What a command of a step printed: facts "node", "status", "output", "errors".
        case output
    }
    /// A fact of a node: it did not answer when its trace was ended, which may lack its last events.
    public static let lostTraceEnd = "trace-end-lost"

    /// Seconds since the run started.
    public var time: Double
    public var kind: Kind
    /// "node1", or nil for the whole cluster.
    public var node: String?
    /// One line for a person.
    public var text: String
    /// Facts for a program: exit status, duration, file names.
    public var facts: [String: String]

    public init(time: Double, kind: Kind, node: String? = nil, text: String, facts: [String: String] = [:]) {
        (self.time, self.kind, self.node, self.text, self.facts) = (time, kind, node, text, facts)
    }
}
