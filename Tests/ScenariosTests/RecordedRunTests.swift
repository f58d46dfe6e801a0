// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import RunRecord
import Testing

@testable import Scenarios

@Suite struct RecordedRunTests {
    /// A record of "smoke/3-nodes" in a folder of its own.
    private func record(_ body: (RunLayout) throws -> Void) throws {
        let layout = RunLayout(
            root: FileManager.default.temporaryDirectory.appending(path: "mdlab-\(UUID().uuidString)"))
        defer { try? FileManager.default.removeItem(at: layout.root) }
        try RecordedRun.keep(scenario: scenarioDirectory.appending(path: "smoke.yaml"), in: layout)
        var description = RunDescription(
            toolVersion: "0", scenario: "smoke/3-nodes", started: Date(timeIntervalSince1970: 1), nodes: 3,
            kernelRelease: "6.1",
            start: .cold, accelerator: "tcg")
        description.ending = .hung
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        try encoder.encode(description).write(to: layout.description)
        let event = RunEvent(time: 1, kind: .timeout, text: "x", facts: ["problem": "too long", "blame": "kernel"])
        try (try JSONEncoder().encode(event) + Data("\n{\"time\":2,\"kind\":".utf8)).write(to: layout.events)
        let snapshots = layout.node(NodeID(2)).snapshots
        try FileManager.default.createDirectory(at: snapshots, withIntermediateDirectories: true)
        let snapshot = NodeSnapshot(
            node: NodeID(2), label: "final", time: 1, uptime: 1, files: [:], threads: [], arrays: nil)
        try JSONEncoder().encode(snapshot).write(to: snapshots.appending(path: "01-final.json"))
        try Data("{".utf8).write(to: snapshots.appending(path: "02-final.json"))
        try body(layout)
    }

    @Test func aRecordIsReadEvenWhenItsLastLinesWereCut() throws {
        try record { layout in
            let run = try RecordedRun(layout)
            #expect(run.name == "smoke/3-nodes" && run.instance != nil)
            #expect(run.events.count == 1)
            #expect(run.snapshots.count == 1)
            let judged = Verdict(
                scenario: "", variant: nil, kernelRelease: "6.1", word: .pass, reason: "",
                checks: [CheckResult(name: "no-hang", answer: .holds)], metadataUpdates: [], detectorsOff: [:])
            let verdict = run.complete(judged)
            #expect(verdict.word == .fail)
            #expect(verdict.reason == "scenario: too long")
            #expect(verdict.scenario == "smoke/3-nodes")
        }
    }

    /// A cluster by hand has no scenario: what needs none is judged.
    @Test func aRecordWithoutAScenarioIsJudged() throws {
        try record { layout in
            try FileManager.default.removeItem(at: layout.scenario)
            let text = try String(contentsOf: layout.description, encoding: .utf8)
            try Data(text.replacing("smoke\\/3-nodes", with: "vm").utf8).write(to: layout.description)
            let run = try RecordedRun(layout)
            #expect(run.instance == nil && run.name == "vm")
            let verdict = run.verdict(rules: scenarioDirectory)
            #expect(verdict.word == .miss)
            #expect(!verdict.checks.contains { $0.name == "scenario" })
        }
    }

    @Test func aDamagedRecordIsOneError() throws {
        func reason(_ damage: (RunLayout) throws -> Void) throws -> String? {
            var reason: String?
            try record { layout in
                try damage(layout)
                do { _ = try RecordedRun(layout) } catch ScenarioError.record(_, let text) { reason = text } catch {
                    reason = "\(error)"
                }
            }
            return reason
        }
        #expect(
            try reason { try FileManager.default.removeItem(at: $0.scenario) }
                == "there is no scenario.yaml in it")
        #expect(
            try reason { layout in
                let text = try String(contentsOf: layout.description, encoding: .utf8)
                try Data(text.replacing("3-nodes", with: "9-nodes").utf8).write(to: layout.description)
            } == "its scenario.yaml has no smoke/9-nodes")
    }
}
