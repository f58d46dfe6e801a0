// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import KernelTrace
import ProtocolTrace
import RunRecord

/// A recorded run of Tests/Fixtures/runs, read: its traces as text, its logs and snapshots.
public struct TrimmedRun: Sendable {
    public static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(
        path: "Fixtures/runs")

    public var description: RunDescription { recording.description }
    public var events: [RunEvent] { recording.events }
    public var traces: [(node: NodeID, events: [KernelEvent])] { recording.nodes.map { ($0.id, $0.trace ?? []) } }
    public var snapshots: [NodeSnapshot] { recording.nodes.flatMap(\.snapshots) }
    /// As if the whole record had been opened.
    public var recording: Recording

    public init(_ name: String) throws {
        let layout = RunLayout(root: Self.root.appending(path: name))
        // Its folder has everything but the traces, which are text here.
        recording = try Recording.open(layout.root)
        for place in recording.nodes.indices {
            let id = recording.nodes[place].id
            let text = try String(contentsOf: layout.node(id).root.appending(path: "events.txt"), encoding: .utf8)
            recording.nodes[place].trace = try EventText.read(text, node: id)
        }
        recording.missing.removeAll { $0.path.hasSuffix("/trace.dat") || $0.path.hasSuffix("/console.log") }
        recording.identifyThreads()
    }
}

extension Recording {
    /// Makes of a node's trace what a run that was killed leaves: no thread has a name. Then call `identifyThreads`.
    ///
    /// - Parameter node: a place in `nodes`.
    public mutating func forgetNames(of node: Int) {
        nodes[node].trace = nodes[node].trace?.map { event in
            var event = event
            event.comm = ThreadIdentity.nameless
            return event
        }
    }
}
