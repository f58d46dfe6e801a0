// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import KernelTrace
import RunRecord

/// A recorded run of Tests/Fixtures/runs, read: its traces as text, its logs and snapshots.
public struct TrimmedRun: Sendable {
    public static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(
        path: "Fixtures/runs")

    public var description: RunDescription
    public var events: [RunEvent]
    public var traces: [(node: NodeID, events: [KernelEvent])] = []
    public var logs: [NodeID: String] = [:]
    public var snapshots: [NodeSnapshot] = []

    public init(_ name: String) throws {
        let layout = RunLayout(root: Self.root.appending(path: name))
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        description = try decoder.decode(RunDescription.self, from: Data(contentsOf: layout.description))
        events = try String(contentsOf: layout.events, encoding: .utf8).split(separator: "\n").map {
            try decoder.decode(RunEvent.self, from: Data($0.utf8))
        }
        for number in 1...description.nodes {
            let id = NodeID(number)
            let node = layout.node(id)
            traces.append(
                (
                    id,
                    try EventText.read(
                        String(contentsOf: node.root.appending(path: "events.txt"), encoding: .utf8), node: id)
                ))
            logs[id] = try String(contentsOf: node.kmsg, encoding: .utf8)
            // A node that died has none.
            let files = (try? FileManager.default.contentsOfDirectory(atPath: node.snapshots.path)) ?? []
            for file in files.sorted() {
                snapshots.append(
                    try decoder.decode(NodeSnapshot.self, from: Data(contentsOf: node.snapshots.appending(path: file))))
            }
        }
    }
}
