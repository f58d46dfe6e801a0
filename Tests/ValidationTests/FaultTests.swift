// SPDX-License-Identifier: GPL-2.0
import Foundation
import RunRecord
import Testing

@testable import Validation

func finding(
    _ text: String, check: String = "no-hang", _ kind: FindingFact.Kind = .hang, _ subject: String = "token",
    rank: FindingRank = .hang, details: [String] = []
) -> RunOutcome.CheckFinding {
    .init(check: check, finding: Finding(text, details: details, fact: .init(kind, subject), rank: rank))
}

func outcome(
    _ scenario: String, _ word: VerdictWord = .pass, _ findings: [RunOutcome.CheckFinding] = [],
    comparison: ComparisonOutcome = .conforms
) -> RunOutcome {
    RunOutcome(scenario: scenario, word: word, reason: "a reason", findings: findings, comparison: comparison)
}

@Suite struct FaultTests {
    @Test func aFaultOfThePatchedKernelAloneIsThePatchs() throws {
        let hang = finding("node1 waits")
        let faults = Fault.all(
            patched: [outcome("smoke", .fail, [hang]), outcome("smoke", .fail, [hang]), outcome("grow-size")],
            baseline: [outcome("smoke"), outcome("grow-size")], changed: [])
        let fault = try #require(faults.first)
        #expect(faults.count == 1 && fault.blame == .patch)
        // Counted where it was seen, not over runs of other scenarios.
        #expect(fault.patched == .init(2, of: 2) && fault.unpatched == .init(0, of: 1))
        #expect(fault.scenarios == ["smoke"])
    }

    @Test func whatTheUnpatchedKernelHasTooHoweverRarelyIsNotThePatchs() {
        let oops = finding("BUG", check: "kernel-log", .log, "oops", rank: .crash)
        let once = outcome("resync-handover", .fail, [oops])
        // Even when the unpatched one had it in another scenario, once in nine runs.
        let baseline = [outcome("resync-handover"), outcome("stop-while-resyncing", .fail, [oops])]
        #expect(Fault.all(patched: [once, once], baseline: baseline, changed: ["join"]).map(\.blame) == [.known])
    }

    @Test func anOopsThatWasSeenOnceInForeignCodeIsOpen() {
        let stack = ["recover_bitmaps+0x45/0x90 [md_cluster]"]
        let oops = finding("BUG", check: "kernel-log", .log, "oops", rank: .crash, details: stack)
        let runs = [outcome("smoke", .fail, [oops]), outcome("smoke")]
        func blame(_ runs: [RunOutcome], _ changed: Set<String>) -> [Fault.Blame] {
            Fault.all(patched: runs, baseline: [outcome("smoke"), outcome("smoke")], changed: changed).map(\.blame)
        }
        #expect(blame(runs, ["unlock_comm"]) == [.open])
        // In the patch's own function, or more than once: it is the patch's.
        #expect(blame(runs, ["recover_bitmaps"]) == [.patch])
        #expect(blame([runs[0], runs[0]], ["unlock_comm"]) == [.patch])
    }

    @Test func nothingIsBlamedWithoutABaseline() {
        let hang = outcome("smoke", .fail, [finding("node1 waits")])
        #expect(Fault.all(patched: [hang, hang], baseline: [], changed: []).map(\.blame) == [.open])
    }

    @Test func differencesFromTheModelAreToldApartByTheirEvent() {
        func differs(_ label: String) -> RunOutcome {
            outcome("smoke", comparison: .differs(.event(label), text: "node1 at 1.0: \(label)"))
        }
        let faults = Fault.all(
            patched: [differs("exit leave()")], baseline: [differs("enter join(2)")], changed: [])
        #expect(faults.map(\.blame) == [.patch] && faults[0].rank == .protocol)
        #expect(
            Fault.all(patched: [differs("a")], baseline: [differs("a")], changed: []).map(\.blame) == [.known])
    }

    @Test func theWorstComesFirst() {
        let run = outcome(
            "smoke", .fail,
            [
                finding("taint", check: "kernel-log", .taint, "9", rank: .consequence),
                finding("panic", check: "kernel-log", .log, "panic", rank: .crash), finding("hang"),
            ])
        let faults = Fault.all(patched: [run, run], baseline: [outcome("smoke")], changed: [])
        #expect(faults.map(\.text) == ["panic", "hang", "taint"])
    }

    @Test func aReportIsReadAsItWasWritten() throws {
        let run = outcome("smoke", .fail, [finding("x")], comparison: .differs(.goesOn, text: "it hangs"))
        let bytes = try JSONEncoder().encode(run)
        #expect(try JSONDecoder().decode(RunOutcome.self, from: bytes) == run)
    }
}
