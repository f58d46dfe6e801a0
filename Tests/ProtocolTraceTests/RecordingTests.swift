// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import RunRecord
import TestRecords
import Testing

@testable import KernelTrace
@testable import ProtocolTrace

@Suite struct RecordingTests {
    let folder: TemporaryFolder
    let layout: RunLayout
    init() throws {
        folder = try TemporaryFolder()
        layout = RunLayout(root: folder.url)
    }

    /// A record of two nodes, made of the fixtures; node 2's trace is still in parts, as a killed run leaves it.
    func makeRecord() throws {
        var description = RunDescription(
            toolVersion: "1", scenario: "fail-device", started: Date(timeIntervalSince1970: 1_000_000), nodes: 2,
            kernelRelease: "6.1.0-50-amd64", start: .cold, accelerator: "tcg")
        description.ending = .hung
        try write(description)
        try "{\"facts\":{},\"kind\":\"boot\",\"node\":\"node1\",\"text\":\"init\",\"time\":1.5}\n"
            .write(to: layout.events, atomically: true, encoding: .utf8)
        for number in 1...2 {
            let node = layout.node(NodeID(number))
            try FileManager.default.createDirectory(at: node.snapshots, withIntermediateDirectories: true)
            try copy("state/fail-device-node\(number).json", to: node.snapshots.appending(path: "02-end.json"))
            try copy("state/hang-node\(number).json", to: node.snapshots.appending(path: "01-start.json"))
            try copy("logs/clean/fail-device-node1.kmsg.log", to: node.kmsg)
            try copy("logs/clean/fail-device-node2.console.log", to: node.console)
        }
        let parts = Fixture.root.appending(path: "trace/fail-device")
        try TraceDatContents.load(from: parts.appending(path: "node1")).write(to: layout.node(NodeID(1)).trace)
        for name in ["trace.parts", "trace.cpu0.raw"] {
            try FileManager.default.copyItem(
                at: parts.appending(path: "node2/\(name)"), to: layout.node(NodeID(2)).root.appending(path: name))
        }
    }

    func write(_ description: RunDescription) throws {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        try encoder.encode(description).write(to: layout.description)
    }

    func copy(_ fixture: String, to url: URL) throws {
        try FileManager.default.copyItem(at: Fixture.root.appending(path: fixture), to: url)
    }

    @Test func aWholeRecord() throws {
        try makeRecord()
        let recording = try Recording.open(layout.root)
        #expect(recording.missing == [])
        #expect(recording.description.scenario == "fail-device" && recording.description.ending == .hung)
        #expect(recording.events.map(\.text) == ["init"])
        #expect(recording.nodes.map(\.id) == [NodeID(1), NodeID(2)])
        for node in recording.nodes {
            #expect(try #require(node.trace).count > 300)
            #expect(node.trace?.first?.node == node.id)
            #expect(try #require(node.kmsg).lines.count > 400)
            #expect(try #require(node.console).lines.count > 3)
            #expect(node.snapshots.count == 2 && node.snapshots.map(\.node) == [node.id, node.id])
            #expect(node.snapshots[0].threads.contains { $0.state == "D" }, "01-start.json comes first")
        }
        // What a killed run left is a trace.dat now.
        #expect(FileManager.default.fileExists(atPath: layout.node(NodeID(2)).trace.path))
        #expect(try Recording.open(layout.root) == recording)
    }

    @Test func whatIsMissingIsAFact() throws {
        try makeRecord()
        let (first, second) = (layout.node(NodeID(1)), layout.node(NodeID(2)))
        try FileManager.default.removeItem(at: first.trace)
        try FileManager.default.removeItem(at: first.kmsg)
        try Data("{\"node\":".utf8).write(to: first.snapshots.appending(path: "02-end.json"))
        try FileManager.default.removeItem(at: second.root)
        try "{\"facts\":{},\"kind\":\"boot\",\"text\":\"a\",\"time\":1}\n{\"facts\":{},\"ki".write(
            to: layout.events, atomically: true, encoding: .utf8)
        let recording = try Recording.open(layout.root)
        #expect(
            recording.missing == [
                MissingPart(path: "events.ndjson", why: .notUnderstood(line: 2)),
                MissingPart(path: "node1/trace.dat", why: .absent),
                MissingPart(path: "node1/kmsg.log", why: .absent),
                MissingPart(path: "node1/snapshots/02-end.json", why: .notUnderstood(line: nil)),
                MissingPart(path: "node2", why: .absent),
            ])
        #expect(recording.events.count == 1)
        #expect(
            recording.nodes[0].trace == nil && recording.nodes[0].kmsg == nil && recording.nodes[0].snapshots.count == 1
        )
        #expect(recording.nodes[1] == Recording.Node(id: NodeID(2)))
    }

    /// Records of format 1 have no rules; the rules of format 2 are those that were in force.
    @Test func theRulesOfARecordAreRead() throws {
        try makeRecord()
        #expect(try Recording.open(layout.root).rules == nil)
        try FileManager.default.createDirectory(at: layout.rules, withIntermediateDirectories: true)
        try Data("deny: a\nkind: bug\ntext: b\nmeaning: c\n".utf8).write(to: layout.rules.appending(path: "a.rules"))
        #expect(try Recording.open(layout.root).rules?.rules.map(\.name) == ["a"])
        try Data("nonsense".utf8).write(to: layout.rules.appending(path: "a.rules"))
        let damaged = try Recording.open(layout.root)
        #expect(damaged.rules == nil && damaged.missing.map(\.path) == ["rules"])
    }

    /// run.json as format 1 had it.
    @Test func aRecordOfFormatOneIsRead() throws {
        try makeRecord()
        let text = String(decoding: try Data(contentsOf: layout.description), as: UTF8.self)
        let old = text.replacingOccurrences(of: "\"format\":2", with: "\"format\":1")
        #expect(old != text)
        try old.write(to: layout.description, atomically: true, encoding: .utf8)
        let recording = try Recording.open(layout.root)
        #expect(recording.description.format == 1 && recording.description.host == nil)
        #expect(recording.missing == [])
    }

    @Test func aDamagedTraceIsAFact() throws {
        try makeRecord()
        let url = layout.node(NodeID(1)).trace
        try Data(contentsOf: url).prefix(50_000).write(to: url)
        let recording = try Recording.open(layout.root)
        #expect(recording.missing.map(\.path) == ["node1/trace.dat"])
        guard case .trace = try #require(recording.missing.first).why else {
            Issue.record("\(recording.missing)")
            return
        }
        #expect(recording.nodes[1].trace != nil)
    }

    @Test func partsWithoutAHeaderAreAFact() throws {
        try makeRecord()
        let parts = layout.node(NodeID(2)).root.appending(path: "trace.parts")
        try FileManager.default.removeItem(at: parts.appending(path: "header_page"))
        let recording = try Recording.open(layout.root)
        #expect(
            recording.missing == [
                MissingPart(
                    path: "node2/trace.dat", why: .incomplete(.missing(part: "header_page", directory: parts.path)))
            ])
    }

    /// Whoever looks at a record while its run goes on takes nothing from it.
    @Test func theTraceOfARunThatGoesOnStaysInParts() throws {
        try makeRecord()
        var description = try RunFile.description(layout.description)
        let trace = layout.node(NodeID(2)).trace
        description.ending = .running
        try write(description)
        let writer = open(layout.events.path, O_WRONLY | O_CLOEXEC)
        #expect(flock(writer, LOCK_EX | LOCK_NB) == 0)
        let recording = try Recording.open(layout.root)
        #expect(recording.missing.map(\.why) == [.stillWritten, .stillWritten])
        #expect(!FileManager.default.fileExists(atPath: trace.path))
        // The writer has ended without a word: its run was killed.
        #expect(flock(writer, LOCK_UN) == 0)
        close(writer)
        #expect(try Recording.open(layout.root).missing == [])
        #expect(FileManager.default.fileExists(atPath: trace.path))
    }

    @Test func aNewerRecordIsRefused() throws {
        try makeRecord()
        let text = String(decoding: try Data(contentsOf: layout.description), as: UTF8.self)
        try text.replacingOccurrences(of: "\"format\":2", with: "\"format\":3")
            .write(to: layout.description, atomically: true, encoding: .utf8)
        #expect(throws: RecordingError.newerFormat(path: layout.description.path, format: 3, supported: 2)) {
            try Recording.open(layout.root)
        }
    }

    @Test(arguments: [
        "", "{}", "[]", "{\"format\":1}", "{\"format\":1,\"toolVersion\":\"x\"}", "\0\0",
        "{\"format\":\"1\",\"toolVersion\":3}",
    ])
    func aForeignRecordIsRefused(text: String) throws {
        try text.write(to: layout.description, atomically: true, encoding: .utf8)
        #expect(throws: RecordingError.foreign(path: layout.description.path)) { try Recording.open(layout.root) }
    }

    @Test(arguments: [0, -1, 65, Int.max]) func aRecordOfAbsurdlyManyNodesIsRefused(nodes: Int) throws {
        try write(
            RunDescription(
                toolVersion: "1", scenario: "x", started: .now, nodes: nodes, kernelRelease: "6.1", start: .warm,
                accelerator: "tcg"))
        #expect(throws: RecordingError.foreign(path: layout.description.path)) { try Recording.open(layout.root) }
    }

    @Test func aFolderThatIsNoRecord() {
        #expect(throws: RecordingError.notARecord(path: folder.url.path)) { try Recording.open(folder.url) }
    }
}
