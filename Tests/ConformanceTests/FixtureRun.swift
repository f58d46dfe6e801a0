// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import KernelTrace
import ProtocolTrace
import RunRecord
import TestRecords
import Testing

@testable import Conformance

/// A recorded run under Tests/Fixtures/runs, trimmed to what the checks look at:
///
///     run.json  events.ndjson  node1/events.txt  node1/kmsg.log  node1/snapshots/NN-LABEL.json
///
/// `MDLAB_TRIM=RUN MDLAB_TRIM_TO=NAME swift test --filter trimARun` makes one of a whole record.
struct FixtureRun {
    static func load(_ name: String) throws -> Evidence {
        Evidence(try TrimmedRun(name).recording, rules: try LogRules.load(directory: projectRules))
    }

    /// Writes the trimmed form of a whole record.
    static func trim(_ run: URL, to name: String) throws {
        let layout = RunLayout(root: run)
        let target = RunLayout(root: TrimmedRun.root.appending(path: name))
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        var description = try decoder.decode(RunDescription.self, from: Data(contentsOf: layout.description))
        // Paths of the machine that recorded it.
        description.qemuCommandLines = []
        try FileManager.default.createDirectory(at: target.root, withIntermediateDirectories: true)
        try encoder.encode(description).write(to: target.description)
        try Data(contentsOf: layout.events).write(to: target.events)
        for number in 1...description.nodes {
            let (from, to) = (layout.node(NodeID(number)), target.node(NodeID(number)))
            try FileManager.default.createDirectory(at: to.snapshots, withIntermediateDirectories: true)
            let events = try TraceReader(node: NodeID(number), url: from.trace).events()
            try Data(EventText.write(events).utf8).write(to: to.root.appending(path: "events.txt"))
            // The boot is not what these runs are about.
            let log = try String(contentsOf: from.kmsg, encoding: .utf8).split(
                separator: "\n", omittingEmptySubsequences: false)
            try Data(log.suffix(80).joined(separator: "\n").utf8).write(to: to.kmsg)
            let files = try FileManager.default.contentsOfDirectory(atPath: from.snapshots.path).sorted()
            // While a run settles it is looked at several times as "final"; the last one counts.
            for file in files
            where !file.hasSuffix("-final.json") || file == files.last(where: { $0.hasSuffix("-final.json") }) {
                let snapshot = try decoder.decode(
                    NodeSnapshot.self, from: Data(contentsOf: from.snapshots.appending(path: file)))
                try encoder.encode(trim(snapshot)).write(to: to.snapshots.appending(path: file))
            }
        }
    }

    private static func trim(_ snapshot: NodeSnapshot) -> NodeSnapshot {
        var snapshot = snapshot
        snapshot.files = snapshot.files.filter { path, _ in
            if path.hasPrefix("/sys/block/") {
                return NodeArray.commonFiles.contains { path.hasSuffix("/" + $0) } || path.hasSuffix("/array_state")
                    || path.hasSuffix("/sync_action")
                    || (path.contains("/md/dev-") && (path.hasSuffix("/state") || path.hasSuffix("/slot")))
            }
            return path == "/proc/mdstat" || path == "/proc/sys/kernel/tainted" || path.hasSuffix("_locks")
        }
        snapshot.threads = snapshot.threads.filter { $0.comm.hasPrefix("md") || $0.state == "D" }
        // The superblock and its roles are in the first KiB; a disk of zeros says nothing.
        snapshot.superblocks = snapshot.superblocks.compactMapValues { text in
            guard let data = Data(base64Encoded: text), data.contains(where: { $0 != 0 }) else { return nil }
            return data.prefix(1024).base64EncodedString()
        }
        return snapshot
    }
}

@Suite struct FixtureRunTests {
    @Test(.enabled(if: ProcessInfo.processInfo.environment["MDLAB_TRIM"] != nil)) func trimARun() throws {
        let environment = ProcessInfo.processInfo.environment
        let name = try #require(environment["MDLAB_TRIM_TO"])
        try FixtureRun.trim(URL(filePath: environment["MDLAB_TRIM"] ?? ""), to: name)
        #expect(try FixtureRun.load(name).traces.values.allSatisfy { !$0.isEmpty })
    }

    @Test func eventTextSurvivesTheWayThere() throws {
        let events = Cluster.everything(2).events[node1]!
        let text = EventText.write(events)
        let again = try EventText.read(text, node: node1)
        #expect(EventText.write(again) == text)
        #expect(again.count == events.count)
        #expect(throws: EventText.Malformed(line: 2)) { try EventText.read("1\t2\tc\tlost\t3\nrubbish\n", node: node1) }
        #expect(throws: EventText.Malformed(line: 1)) { try EventText.read("1\t2\tc\tdlm\tx\n", node: node1) }
    }
}
