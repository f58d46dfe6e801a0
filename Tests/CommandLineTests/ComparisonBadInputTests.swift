// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import ClusterProtocol
import Comparison
import Foundation
import KernelTrace
import ProtocolTrace
import RunRecord
import TestRecords
import Testing

@testable import mdlab

/// Folders that are no record, or only a part of one: `mdlab compare` says so in a line, ends with the right code, and
/// never says that they conform.
@Suite struct ComparisonBadInputTests {
    /// A folder with the run.json of a recorded run and real traces of two nodes.
    final class Folder {
        let url = FileManager.default.temporaryDirectory.appending(path: "mdlab-compare-\(UUID().uuidString)")

        init() throws {
            let fixtures = TrimmedRun.root.deletingLastPathComponent()
            for node in ["node1", "node2"] {
                let folder = url.appending(path: node)
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                try TraceDatContents.load(from: fixtures.appending(path: "trace/fail-device/\(node)"))
                    .write(to: folder.appending(path: "trace.dat"))
            }
            try FileManager.default.copyItem(
                at: TrimmedRun.root.appending(path: "smoke/run.json"), to: url.appending(path: "run.json"))
        }
        deinit { try? FileManager.default.removeItem(at: url) }

        func write(_ bytes: Data, to path: String) throws { try bytes.write(to: url.appending(path: path)) }

        /// What the command ends with.
        func code() -> Int32 {
            do {
                let command = try Compare.parse([url.path, "--brief", "--states", "1000"])
                try command.run()
                return Exit.pass
            } catch let error as ExitCode {
                return error.rawValue
            } catch let error as any Worded {
                #expect(!error.line.contains("\n"))
                return error.exitCode
            } catch {
                Issue.record("\(error)")
                return -1
            }
        }

        func doubts() throws -> [ModelComparison.Doubt] {
            guard case .notDecided(let doubts) = try ModelComparison(Recording.open(url), limit: 1000).answer else {
                return []
            }
            return doubts
        }
    }

    @Test func aFolderThatIsNoRecordIsRefused() throws {
        let folder = try Folder()
        for json in ["", "{", "[]", "\u{0}"] {
            try folder.write(Data(json.utf8), to: "run.json")
            #expect(folder.code() == Exit.usage)
        }
        let text = try String(
            contentsOf: TrimmedRun.root.appending(path: "smoke/run.json"), encoding: .utf8)
        let newer = text.replacing(/"format" *: *1/, with: "\"format\": 9")
        #expect(newer != text)
        try folder.write(Data(newer.utf8), to: "run.json")
        #expect(folder.code() == Exit.usage)
        try FileManager.default.removeItem(at: folder.url.appending(path: "run.json"))
        #expect(folder.code() == Exit.usage)
    }

    @Test func aTraceThatIsCutIsNotDecided() throws {
        let folder = try Folder()
        let whole = try Data(contentsOf: folder.url.appending(path: "node1/trace.dat"))
        // As it is it can be read: what follows is about what was cut.
        #expect(try !folder.doubts().contains(.noTrace(NodeID(1))))
        for part in [0, 10, whole.count / 2, whole.count - 100, whole.count - 1] {
            try folder.write(whole.prefix(part), to: "node1/trace.dat")
            #expect(try folder.doubts() == [.noTrace(NodeID(1))], "\(part) of \(whole.count) bytes")
        }
        #expect(folder.code() == Exit.untestable)
        try folder.write(Data((0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 167 >> 3) }), to: "node1/trace.dat")
        #expect(folder.code() == Exit.untestable)
        try FileManager.default.removeItem(at: folder.url.appending(path: "node1"))
        #expect(try folder.doubts() == [.noTrace(NodeID(1))])
        #expect(folder.code() == Exit.untestable)
    }

    @Test func everyDoubtIsALineThatSaysWhatToDo() {
        let node = NodeID(1)
        let doubts: [ModelComparison.Doubt] = [
            .noTrace(node), .noArray, .severalArrays, .lostEvents(node, 3, at: 7, time: 9), .begun(node, at: 4),
            .tooManyProcesses(11), .tooManyNodes(9), .died(node), .limit(states: 5), .noModel(kernel: "4.19"),
            .unfinished(.running), .unnamed(node, pid: 8), .unmarked(node, what: "overrun of cpu0", 2),
            .damaged("node1/snapshots/01-final.json"), .otherKernel(node, log: "6.12", record: "6.1"),
        ]
        let lines = doubts.map { ComparisonWording.text($0) }
        #expect(Set(lines).count == doubts.count)
        #expect(lines.allSatisfy { !$0.contains("\n") && $0.count > 20 })
    }
}
