// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import RunRecord
import Testing

@testable import Scenarios

private let md = "/sys/block/md0/md/"

private func snapshot(_ node: Int, _ files: [String: String]) -> NodeSnapshot {
    NodeSnapshot(
        node: NodeID(node), label: "final", time: 0, uptime: 0,
        files: Dictionary(uniqueKeysWithValues: files.map { (md + $0.key, $0.value) }), threads: [], arrays: nil)
}

private let good = ["degraded": "1\n", "dev-vda/state": "in_sync\n", "dev-vdb/state": "faulty,blocked\n"]
private let update = MetadataUpdate(
    sender: "node1", senderThread: "md0_raid1", receiver: "node2", path: .trylock, handling: 0.01, reload: 0.005,
    time: 9)

/// The judge's answers, "agreement" and so on, and what becomes of them.
private struct Case {
    var answers: [String: CheckAnswer] = [
        "synchronous": .holds, "dlm-words": .holds, "agreement": .holds, "kernel-log": .holds, "no-hang": .holds,
    ]
    var variant: String?
    var ending = RunDescription.Ending.finished
    var events: [RunEvent] = []
    var snapshots = [snapshot(1, good), snapshot(2, good)]
    var updates = [update]
    var hangNodes = ["node1", "node2"]

    func verdict() throws -> Verdict {
        let scenario = try scenario(
            steps: "  - {stop: node1}",
            expect: "  METADATA_UPDATED: 1\n  all: {degraded: 1, devices: {vda: in_sync, vdb: faulty, vdc: absent}}",
            variants: "  async: {fails: [synchronous]}\n  cyclic: {fails: [no-hang], cycle: [node1, node2]}",
            known: "  it forgets: {fails: [agreement], finds: [differs degraded]}")
        var description = RunDescription(
            toolVersion: "0", scenario: "test", started: Date(timeIntervalSince1970: 0), nodes: 2, kernelRelease: "6.1",
            start: .cold, accelerator: "tcg")
        (description.variant, description.ending) = (variant, ending)
        let checks = answers.sorted { $0.key < $1.key }.map { name, answer in
            CheckResult(
                name: name, answer: answer,
                findings: answer == .holds
                    ? []
                    : [
                        Finding(
                            "\(name) is wrong", fact: name == "agreement" ? FindingFact(.differs, "degraded") : nil,
                            nodes: name == "no-hang" ? hangNodes : nil)
                    ])
        }
        let judged = Verdict(
            scenario: "test", variant: variant, kernelRelease: "6.1", word: .pass, reason: "", checks: checks,
            metadataUpdates: updates, detectorsOff: [:])
        return ScenarioVerdict(
            instance: ScenarioInstance(scenario: scenario, level: .raid1, nodes: 2), description: description,
            events: events,
            snapshots: snapshots
        ).complete(judged)
    }

    static func problem(_ blame: String) -> RunEvent {
        RunEvent(time: 1, kind: .note, text: "x", facts: ["problem": "the problem", "blame": blame])
    }
}

@Suite struct ScenarioVerdictTests {
    @Test func aGoodRunPasses() throws {
        let verdict = try Case().verdict()
        #expect(verdict.word == .pass)
        #expect(verdict.reason == "6 checks hold")
        #expect(verdict.checks.last?.seen == ["8 values compared", "1 METADATA_UPDATED received"])
    }

    @Test func whatIsNotAsExpectedFails() throws {
        var files = good
        files["degraded"] = "0\n"
        files["dev-vdb/state"] = nil
        files["dev-vdc/state"] = "spare\n"
        let verdict = try Case(snapshots: [snapshot(1, good), snapshot(2, files)], updates: []).verdict()
        #expect(verdict.word == .fail)
        #expect(
            verdict.checks.last?.findings.map(\.text) == [
                "degraded is 0, expected 1", "vdb is absent, expected faulty", "vdc is spare, expected absent",
                "0 METADATA_UPDATED received, at least 1 expected",
            ])
        #expect(verdict.checks.last?.findings.first?.node == "node2")
    }

    @Test func aKnownFailureIsNamed() throws {
        let verdict = try Case(answers: ["agreement": .fails, "no-hang": .holds]).verdict()
        #expect(verdict.word == .xfail)
        #expect(verdict.reason == "known, docs/findings.md, it forgets: agreement is wrong")
        #expect(try Case(answers: ["agreement": .fails, "no-hang": .fails]).verdict().word == .fail)
        #expect(try Case(answers: ["no-hang": .fails]).verdict().word == .fail)
        #expect(try Case(answers: ["agreement": .fails], ending: .hung).verdict().word == .fail)
        #expect(try Case().verdict().word == .pass)
    }

    /// The worst finding is the headline, whichever check has it and wherever it stands there.
    @Test func theWorstFindingIsTheHeadline() throws {
        var judged = try Case(answers: ["agreement": .fails, "kernel-log": .fails]).verdict()
        let log = try #require(judged.checks.firstIndex { $0.name == "kernel-log" })
        judged.checks[log].findings = [
            Finding("a complaint", node: "node1", rank: .message),
            Finding("divide error", node: "node2", fact: FindingFact(.log, "divide-error"), rank: .crash),
            Finding("tainted", rank: .consequence),
        ]
        #expect(judged.checks.failing.map(\.name) == ["kernel-log", "agreement"])
        #expect(judged.checks.failing.first?.worst?.finding.text == "divide error")
        judged.checks[log].findings.remove(at: 1)
        #expect(judged.checks.failing.map(\.name) == ["agreement", "kernel-log"])
    }

    /// A fault from outside: what the scenario expects need not come, and only the judge's own checks may fail.
    @Test func aDisturbedRunIsNotHeldToItsExpectations() throws {
        var run = Case(events: [RunEvent(time: 1, kind: .step, text: "x", facts: [Disturbance.fact: "crash"])])
        run.updates = []
        #expect(try run.verdict().word == .miss)
        #expect(try run.verdict().checks.last?.answer == .notDecided)
        run.events.append(Case.problem("scenario"))
        #expect(try run.verdict().word == .miss)
        run.answers["dlm-words"] = .fails
        #expect(try run.verdict().word == .fail)
        #expect(try Case(updates: []).verdict().word == .fail)
    }

    @Test func whatWasNotSeenIsNotDecided() throws {
        var unreadable = snapshot(2, good)
        unreadable.files[md + "degraded"] = nil
        unreadable.unavailable[md + "degraded"] = "EIO"
        let verdict = try Case(snapshots: [snapshot(1, good), unreadable]).verdict()
        #expect(verdict.checks.last?.answer == .notDecided)
        #expect(verdict.word == .miss)
        #expect(verdict.reason == "scenario: not decided: /sys/block/md0/md/degraded could not be read: EIO")
        let blind = try Case(answers: ["synchronous": .notDecided], snapshots: [], updates: []).verdict()
        #expect(blind.word == .miss)
    }

    /// A scenario that cuts a node's power expects nothing of it at the end.
    @Test func aNodeThatDiedHasNoFinalSnapshot() throws {
        var run = Case()
        run.snapshots = [snapshot(1, good)]
        #expect(try run.verdict().word == .miss)
        run.events = [RunEvent(time: 1, kind: .nodeDied, node: "node2", text: "the node's QEMU ended")]
        let verdict = try run.verdict()
        #expect(verdict.word == .pass)
        #expect(verdict.checks.last?.seen == ["4 values compared", "1 METADATA_UPDATED received"])
        run.ending = .nodeDied
        #expect(try run.verdict().word == .miss)
    }

    @Test func anExpectedFailurePassesOnlyWhenExactlyThatFails() throws {
        #expect(
            try Case(answers: ["synchronous": .fails, "no-hang": .holds], variant: "async").verdict().word == .xfail)
        let pass = try Case(variant: "async").verdict()
        #expect(pass.word == .fail)
        #expect(pass.reason == "unexpected pass: async must fail synchronous, and it holds")
        let other = try Case(answers: ["synchronous": .fails, "agreement": .fails], variant: "async").verdict()
        #expect(other.word == .fail)
        #expect(other.reason == "async must fail synchronous and nothing else; agreement: agreement is wrong")
        let undecided = try Case(answers: ["synchronous": .notDecided, "agreement": .holds], variant: "async").verdict()
        #expect(undecided.word == .fail)
        // The same failure without the variant is a failure.
        #expect(try Case(answers: ["synchronous": .fails, "no-hang": .holds]).verdict().word == .fail)
        // A variant that the scenario says nothing of is judged like the unchanged kernel.
        #expect(try Case(answers: ["synchronous": .fails], variant: "other").verdict().word == .fail)
    }

    @Test func aCycleMustNameBothNodes() throws {
        let hang: [String: CheckAnswer] = ["synchronous": .holds, "no-hang": .fails, "agreement": .notDecided]
        let events = [Case.problem("kernel")]
        let both = try Case(answers: hang, variant: "cyclic", ending: .hung, events: events).verdict()
        #expect(both.word == .xfail)
        #expect(both.checks.last?.answer == .notDecided)
        let one = try Case(answers: hang, variant: "cyclic", ending: .hung, events: events, hangNodes: ["node1"])
            .verdict()
        #expect(one.word == .fail)
        #expect(one.reason.contains("does not name node2"))
    }

    @Test(arguments: [
        ("kernel", RunDescription.Ending.finished, VerdictWord.fail), ("kernel", .hung, .fail),
        ("node", .nodeDied, .miss),
        ("scenario", .failed, .error), ("lab", .failed, .miss), ("user", .interrupted, .miss),
    ])
    func whoIsToBlame(_ blame: String, _ ending: RunDescription.Ending, _ word: VerdictWord) throws {
        let verdict = try Case(ending: ending, events: [Case.problem(blame)]).verdict()
        #expect(verdict.word == word)
        #expect(verdict.checks.last?.answer == (word == .fail ? .fails : .notDecided))
        // With a broken kernel, a lab that failed is still no proof of anything.
        if blame == "lab" {
            let broken = Case(
                answers: ["synchronous": .notDecided], variant: "async", ending: ending, events: [Case.problem(blame)])
            #expect(try broken.verdict().word == .miss)
        }
    }

    @Test func aRecordThatJustEndsIsAMiss() throws {
        #expect(try Case(ending: .running).verdict().word == .miss)
        #expect(try Case(ending: .failed).verdict().word == .miss)
    }
}
