// SPDX-License-Identifier: GPL-2.0
import ModelChecker
import Testing

@Suite struct SearchTests {
    @Test func aStateWithoutStepsIsADeadlockUnlessItIsFinal() {
        let edges: [(UInt64, UInt64, Int)] = [(0, 1, 0), (1, 2, 0), (0, 3, 1)]
        let stuck = Search(Graph(edges, final: [2])).run()
        #expect(stuck.verdict == .fails(.deadlock))
        #expect(stuck.counterexample?.states == [[0], [3]])
        #expect(stuck.counterexample?.steps == [1])
        #expect(Search(Graph(edges, final: [2, 3])).run().verdict == .holds)
    }

    @Test func theShortestRunToABrokenInvariantIsShown() {
        let invariant = Property(.invariant, "not 9") { $0[0] != 9 }
        let edges: [(UInt64, UInt64, Int)] = [(0, 1, 0), (1, 2, 0), (2, 9, 0), (0, 5, 1), (5, 9, 1), (9, 0, 0)]
        let result = Search(Graph(edges, properties: [invariant])).run()
        #expect(result.verdict == .fails(.invariant("not 9")))
        #expect(result.counterexample?.states == [[0], [5], [9]])
    }

    @Test func anInvariantThatTheBeginningBreaksNeedsNoStep() {
        let result = Search(Graph([(0, 0, 0)], properties: [Property(.invariant, "no") { _ in false }])).run()
        #expect(result.verdict == .fails(.invariant("no")))
        #expect(result.counterexample?.steps == [])
    }

    @Test func amongShortestRunsTheOneWithFewestSwitchesIsShown() {
        // Two counters of 3 steps each end in a deadlock; 20 runs lead there, two of them with a single switch.
        let result = Search(Counters(count: 2, limit: 3)).run()
        #expect(result.verdict == .fails(.deadlock))
        #expect(result.counterexample?.steps == [0, 0, 0, 1, 1, 1])
        #expect(result.counterexample?.actorSwitches == 1)
        #expect(result.counterexample?.fewestSwitches == true)
    }

    @Test func whatNeverHappensIsAFailure() {
        let never = Property(.reachable, "7") { $0[0] == 7 }
        #expect(Search(Graph([(0, 0, 0)], properties: [never])).run().verdict == .fails(.unreachable("7")))
        #expect(Search(Graph([(0, 7, 0), (7, 0, 0)], properties: [never])).run().verdict == .holds)
    }

    @Test func aTrapWithoutAWayToTheGoalIsNoProgress() {
        let goal = Property(.progress, "2 stays possible") { $0[0] == 2 }
        let good: [(UInt64, UInt64, Int)] = [(0, 1, 0), (1, 0, 0), (1, 2, 0), (2, 0, 0)]
        #expect(Search(Graph(good, properties: [goal])).run().verdict == .holds)
        let trap: [(UInt64, UInt64, Int)] = good + [(1, 3, 0), (3, 4, 0), (4, 3, 0)]
        let result = Search(Graph(trap, properties: [goal])).run()
        #expect(result.verdict == .fails(.noProgress("2 stays possible")))
        #expect(result.counterexample?.states == [[0], [1], [3]])
    }

    @Test func boundsEndInNoAnswer() {
        let endless = Counters(count: 4, limit: 200)
        #expect(Search(endless, bounds: Bounds(depth: 5)).run().verdict == .undecided(.depth(5)))
        let states = Search(endless, bounds: Bounds(states: 1000)).run()
        guard case .undecided(.states) = states.verdict else { Issue.record("\(states.verdict)"); return }
        #expect(states.states <= 1000)
        #expect(Search(endless, bounds: Bounds(bytes: 100_000)).run().verdict == .undecided(.memory(bytes: 100_000)))
        #expect(Search(endless, bounds: Bounds(seconds: 0)).run().verdict == .undecided(.seconds(0)))
        let interrupted = Search(endless)
        interrupted.stop.set()
        #expect(interrupted.run().verdict == .undecided(.interrupted))
    }

    @Test(arguments: [1, 2, 3]) func theNumberOfWorkersChangesNothing(workers: Int) {
        let commit = Search(TwoPhaseCommit(managers: 5), workers: workers).run()
        #expect(commit.states == 8832)
        let deadlock = Search(Counters(count: 3, limit: 6), workers: workers).run()
        #expect(deadlock.verdict == .fails(.deadlock))
        #expect(deadlock.states == 343)
        #expect(deadlock.counterexample == Search(Counters(count: 3, limit: 6)).run().counterexample)
    }

    @Test func symmetryKeepsTheVerdictAndARunThatCanBeTaken() {
        let full = Search(Counters(count: 4, limit: 3)).run()
        let reduced = Search(Counters(count: 4, limit: 3, isSymmetric: true)).run()
        #expect(full.states == 256)
        #expect(reduced.states == 35)
        #expect(reduced.verdict == full.verdict)
        #expect(reduced.counterexample?.steps.count == full.counterexample?.steps.count)
        #expect(reduced.counterexample?.states.last == [0x0303_0303])
    }

    @Test func coverageCountsFiringsAndFindings() {
        let result = Search(Graph([(0, 1, 2), (0, 1, 3), (1, 1, 4)])).run()
        #expect(result.coverage[2] == StepCoverage(fired: 1, found: 1))
        #expect(result.coverage[3] == StepCoverage(fired: 1, found: 0))
        #expect(result.coverage[4] == StepCoverage(fired: 1, found: 0))
        #expect(result.coverage[5] == StepCoverage(fired: 0, found: 0))
    }
}

@Suite struct TwoPhaseCommitTests {
    @Test(arguments: [1, 4]) func hasTheKnownNumberOfStates(words: Int) {
        let result = Search(TwoPhaseCommit(managers: 3, stateWords: words)).run()
        #expect(result.states == 288)
        // Both ends of the protocol have steps that change nothing, so there is no deadlock.
        #expect(result.verdict == .holds)
        #expect(result.reached == ["a manager commits", "a manager aborts"])
    }
}

@Suite struct SimulationTests {
    @Test func theSameSeedTakesTheSameRun() {
        let system = Counters(count: 3, limit: 5)
        let first = Simulation(system, seed: 7).run()
        #expect(first.failure == .deadlock)
        #expect(first.counterexample?.steps.count == 15)
        #expect(first.counterexample == Simulation(system, seed: 7).run().counterexample)
        #expect(first.counterexample != Simulation(system, seed: 8).run().counterexample)
    }

    @Test func aBrokenInvariantEndsTheRun() {
        let graph = Graph([(0, 1, 0), (1, 0, 0)], properties: [Property(.invariant, "not 1") { $0[0] != 1 }])
        #expect(Simulation(graph).run().failure == .invariant("not 1"))
    }

    @Test func runsWithoutAnEndAreGivenUp() {
        let result = Simulation(Graph([(0, 0, 0)]), runs: 3, depth: 10).run()
        #expect(result.failure == nil)
        #expect(result.runs == 3)
        #expect(result.steps == 30)
    }
}
