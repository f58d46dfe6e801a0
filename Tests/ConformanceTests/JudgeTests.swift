// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import ProtocolTrace
import RunRecord
import Testing

@testable import Conformance

@Suite struct JudgeTests {
    private func check(_ name: String, _ answer: CheckAnswer) -> CheckResult {
        CheckResult(name: name, answer: answer, findings: answer == .holds ? [] : [Finding("\(name) says why")])
    }

    @Test func aFailureOutweighsWhatIsNotDecided() {
        let (word, reason) = Judge.word(for: [check("a", .notDecided), check("b", .holds), check("c", .fails)])
        #expect(word == .fail)
        #expect(reason == "c: fails: c says why")
    }

    @Test func whatIsNotDecidedIsNoPass() {
        let (word, reason) = Judge.word(for: [check("a", .notDecided), check("b", .notDecided), check("c", .holds)])
        #expect(word == .miss)
        #expect(reason == "a, b: not decided: a says why")
    }

    @Test func allThatHoldPassAndNothingDoesNot() {
        #expect(Judge.word(for: [check("a", .holds), check("b", .holds)]) == (.pass, "a, b: all hold"))
        #expect(Judge.word(for: []).0 == .miss)
    }

    @Test func tracesAreWholeOnlyWhenTheRunFinished() {
        var description = RunDescription(
            toolVersion: "0", scenario: "s", started: Date(timeIntervalSince1970: 0), nodes: 2, kernelRelease: "6.1.0",
            start: .warm,
            accelerator: "tcg")
        description.ending = .finished
        #expect(Judge.cut(of: node1, description, []) == nil)
        let died = RunEvent(time: 3, kind: .nodeDied, node: "node2", text: "node2 died")
        #expect(Judge.cut(of: node1, description, [died]) == nil)
        #expect(Judge.cut(of: node2, description, [died]) == "node2 died")
        for ending in [RunDescription.Ending.running, .hung, .nodeDied, .interrupted, .failed] {
            description.ending = ending
            #expect(Judge.cut(of: node1, description, []) != nil, "\(ending)")
        }
        #expect(Judge.dead([died], before: 2) == [])
        #expect(Judge.dead([died], before: 4) == [node2])
    }

    @Test func snapshotsAreGroupedByLabelInTheOrderOfTime() {
        func snapshot(_ node: NodeID, _ label: String, _ time: Double) -> NodeSnapshot {
            NodeSnapshot(node: node, label: label, time: time, uptime: time, files: [:], threads: [], arrays: nil)
        }
        let sets = Judge.sets(of: [
            snapshot(node2, "hang-2", 9), snapshot(node1, "hang-2", 9.1), snapshot(node1, "final", 12),
            snapshot(node2, "hang-1", 5),
            snapshot(node1, "hang-1", 5.1), snapshot(node1, "before", 1), snapshot(node1, "final", 11),
        ])
        #expect(sets.map(\.label) == ["hang-1", "hang-2", "final"])
        #expect(sets[0].snapshots.map(\.node) == [node1, node2])
        #expect(sets[2].snapshots.map(\.time) == [12])
    }
}
