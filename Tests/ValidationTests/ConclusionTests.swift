// SPDX-License-Identifier: GPL-2.0
import LineCoverage
import RunRecord
import Testing

@testable import Validation

@Suite struct ConclusionTests {
    private static let diff = """
        --- a/drivers/md/md-cluster.c
        +++ b/drivers/md/md-cluster.c
        @@ -10,2 +10,4 @@
         first(1);
        +second(2);
        +third(3);
         fourth(4);

        """

    /// Line 11 ran so often, and line 12.
    private func coverage(_ second: UInt64?, _ third: UInt64?) throws -> PatchCoverage {
        var file = LineCounts.File()
        file.lines = [10: 5, 13: 5]
        file.lines[11] = second
        file.lines[12] = third
        file.functions = ["unlock_comm": .init(line: 9, end: 14, count: 5)]
        var counts = LineCounts()
        counts.files["drivers/md/md-cluster.c"] = file
        return try PatchCoverage(ChangedSource(diff: [UInt8](Self.diff.utf8)), counts)
    }

    private func conclusion(
        runs: [RunOutcome] = [outcome("smoke")], faults: [Fault] = [], coverage: PatchCoverage,
        stages: [StageResult] = [], isSameCode: Bool = false, unreached: Set<String> = [], isComplete: Bool = true
    ) -> Conclusion {
        Conclusion(
            .init(
                stages: stages, runs: runs, faults: faults, coverage: coverage, isSameCode: isSameCode,
                unreached: unreached, isComplete: isComplete))
    }

    @Test func whatTheSourceDoesNotShowTheRunsDecide() throws {
        let open = StageResult(.model, .notDecided, lines: ["not decided: something changes that is not looked at"])
        #expect(conclusion(coverage: try coverage(5, 1), stages: [open]).word == .pass)
        #expect(conclusion(coverage: try coverage(nil, nil), stages: [open]).word == .notDecided)
    }

    @Test func whatWasBrokenOffIsNoPass() throws {
        let said = conclusion(coverage: try coverage(5, 1), isComplete: false)
        #expect(said.word == .notDecided && said.sentence == "Not decided: the validation was broken off.")
        #expect(conclusion(coverage: try coverage(5, 1), isSameCode: true, isComplete: false).word == .notDecided)
    }

    @Test func everythingDecidedAndGoodIsAPass() throws {
        let said = conclusion(coverage: try coverage(5, 1))
        #expect(said.word == .pass && said.why.isEmpty)
    }

    @Test func aLineThatNeverRanIsNotAPass() throws {
        let said = conclusion(coverage: try coverage(5, 0), unreached: ["unlock_comm"])
        #expect(said.word == .notDecided)
        #expect(said.sentence == "Not decided: md-cluster.c:12 (unlock_comm) never ran.")
        #expect(said.next == ["no scenario reaches unlock_comm: write one that does (HACKING.md)"])
        // A scenario that was not run does.
        #expect(conclusion(coverage: try coverage(5, 0)).next == ["run more scenarios: mdlab validate --full"])
    }

    @Test func aPatchWithoutCodeThatCouldRunIsNotAPass() throws {
        #expect(conclusion(coverage: try coverage(nil, nil)).word == .notDecided)
        // Unless nothing that runs is changed at all.
        #expect(conclusion(runs: [], coverage: try coverage(nil, nil), isSameCode: true).word == .pass)
    }

    @Test func aFaultIsSaidFirstEvenWhenLinesNeverRan() throws {
        let hang = outcome("smoke", .fail, [finding("node1 waits")])
        let faults = Fault.all(patched: [hang, hang], baseline: [outcome("smoke")], changed: [])
        let said = conclusion(runs: [hang, hang], faults: faults, coverage: try coverage(5, 0))
        #expect(said.word == .fail)
        #expect(said.sentence == "With this patch: node1 waits (2 of 2 runs of smoke; without it 0 of 1).")
    }

    @Test func aKnownFaultDoesNotFailThePatch() throws {
        let hang = outcome("smoke", .fail, [finding("node1 waits")])
        let faults = Fault.all(patched: [hang, hang], baseline: [hang, outcome("smoke")], changed: [])
        let said = conclusion(runs: [hang, hang], faults: faults, coverage: try coverage(5, 1))
        #expect(said.word == .pass)
        #expect(said.why == ["known: node1 waits (the unpatched kernel too: 1 of 2 runs)"])
    }

    @Test(arguments: [
        (outcome("smoke", .miss), "smoke: a reason"),
        (
            outcome("smoke", comparison: .notDecided(reason: "no trace")),
            "smoke: not compared with the model: no trace"
        ),
    ])
    func whatIsOpenIsNamed(run: RunOutcome, open: String) throws {
        let said = conclusion(runs: [run], coverage: try coverage(5, 1))
        #expect(said.word == .notDecided && said.sentence == "Not decided: \(open).")
    }

    @Test func aPatchThatDoesNotCompileFails() throws {
        let stage = StageResult(.build, .fail, lines: ["\"x\": md-cluster.c:3: error: y", "more"])
        let said = conclusion(runs: [], coverage: try coverage(nil, nil), stages: [stage])
        #expect(said.word == .fail && said.sentence == "build: \"x\": md-cluster.c:3: error: y")
        #expect(said.why == ["more"])
    }
}

@Suite struct ReachTableTests {
    private let table = ReachTable([
        "smoke": ["join": 2, "leave": 1], "grow": ["update_size": 1, "join": 2], "race": ["leave": 90],
    ])

    @Test func scenariosThatReachMostOfWhatIsLeftComeFirst() {
        let names = ["smoke", "grow", "race"]
        #expect(
            table.scenarios(reaching: ["join", "leave", "update_size"], among: names, limit: 2) == ["smoke", "grow"])
        // Of those that reach as much, the one that enters it most often.
        #expect(table.scenarios(reaching: ["leave"], among: names, limit: 4) == ["race", "smoke"])
        #expect(table.scenarios(reaching: ["gather_bitmaps"], among: names, limit: 4) == [])
        #expect(table.unreached(["join", "gather_bitmaps"]) == ["gather_bitmaps"])
    }

    @Test func isReadAsItWasWritten() {
        #expect(ReachTable(text: "# a comment\n" + table.text) == table)
        for garbage in ["no colon\n", ": nobody\n", "smoke: join\n", "smoke: join=x\n"] {
            #expect(ReachTable(text: garbage) == nil, "\(garbage)")
        }
    }
}
