// SPDX-License-Identifier: GPL-2.0
import ModelChecker
import Testing

@Suite struct FingerprintTests {
    @Test func answersAsTheExactSearchDoes() {
        let exact = Search(TwoPhaseCommit(managers: 5)).run()
        let short = FingerprintSearch(TwoPhaseCommit(managers: 5)).run()
        #expect(short.verdict == .holds)
        #expect(short.states == exact.states)
        #expect(short.transitions == exact.transitions)
        #expect(short.depth == exact.depth)
    }

    @Test func takesAShortestRunToWhatItFinds() {
        let deadlock = FingerprintSearch(Counters(count: 2, limit: 3)).run()
        #expect(deadlock.verdict == .fails(.deadlock))
        #expect(deadlock.counterexample?.steps.count == 6)
        #expect(deadlock.counterexample?.states.last == [0x0303])
        let invariant = Property(.invariant, "not 9") { $0[0] != 9 }
        let broken = FingerprintSearch(Graph([(0, 1, 0), (1, 9, 0), (0, 2, 0)], properties: [invariant])).run()
        #expect(broken.verdict == .fails(.invariant("not 9")))
        #expect(broken.counterexample?.states == [[0], [1], [9]])
        let never = Property(.reachable, "7") { $0[0] == 7 }
        #expect(FingerprintSearch(Graph([(0, 0, 0)], properties: [never])).run().verdict == .fails(.unreachable("7")))
    }

    @Test func symmetryWorksWithIt() {
        let result = FingerprintSearch(Counters(count: 4, limit: 3, isSymmetric: true)).run()
        #expect(result.states == 35)
        #expect(result.counterexample?.steps.count == 12)
    }

    @Test func theOddsGrowWithTheSquareOfTheStates() {
        let few = FingerprintSearch(TwoPhaseCommit(managers: 3)).run()
        #expect(few.omissionOdds == 288.0 * 288 / 2 / 18_446_744_073_709_551_616)
        let none = FingerprintSearch(Graph([])).run()
        #expect(none.omissionOdds < few.omissionOdds)
    }

    @Test func boundsEndInNoAnswer() {
        let endless = Counters(count: 4, limit: 200)
        #expect(FingerprintSearch(endless, bounds: Bounds(depth: 5)).run().verdict == .undecided(.depth(5)))
        #expect(FingerprintSearch(endless, bounds: Bounds(states: 1000)).run().verdict == .undecided(.states(1000)))
        #expect(
            FingerprintSearch(endless, bounds: Bounds(bytes: 100_000)).run().verdict
                == .undecided(.memory(bytes: 100_000)))
        #expect(FingerprintSearch(endless, bounds: Bounds(seconds: 0)).run().verdict == .undecided(.seconds(0)))
        let interrupted = FingerprintSearch(endless)
        interrupted.stop.set()
        #expect(interrupted.run().verdict == .undecided(.interrupted))
    }
}

@Suite struct DirectedTests {
    @Test func goesStraightToTheGoal() {
        // All counters but one are in the way: the exhaustive search sees every state before the only deadlock.
        let system = Counters(count: 4, limit: 5)
        let result = DirectedSearch(system) { state in
            20 - (0..<4).reduce(0) { $0 + Int(state[0] >> UInt64($1 * 8) & 0xFF) }
        }
        .run()
        guard case .found(.deadlock, let run) = result.outcome else { Issue.record("\(result.outcome)"); return }
        #expect(run.states.last == [0x0505_0505])
        #expect(run.steps.count == 20)
        #expect(result.states < 100)
        #expect(Search(system).run().states == 1296)
    }

    @Test func aBadGuessCostsTimeAndNothingElse() {
        let system = Counters(count: 3, limit: 3)
        let result = DirectedSearch(system) { Int($0[0] & 0xFF) * 100 }.run()
        guard case .found(.deadlock, _) = result.outcome else { Issue.record("\(result.outcome)"); return }
        let invariant = Property(.invariant, "not 9") { $0[0] != 9 }
        let graph = Graph([(0, 1, 0), (1, 9, 0), (0, 2, 0), (2, 0, 0)], properties: [invariant])
        guard case .found(.invariant("not 9"), let run) = DirectedSearch(graph, distance: { _ in 0 }).run().outcome
        else {
            Issue.record("not found")
            return
        }
        #expect(run.states == [[0], [1], [9]])
    }

    @Test func nothingMeansThatEverythingWasSeen() {
        let result = DirectedSearch(TwoPhaseCommit(managers: 3)) { _ in 1000 }.run()
        #expect(result.outcome == .nothing)
        #expect(result.states == 288)
    }

    @Test func boundsEndInNoAnswer() {
        let endless = Counters(count: 4, limit: 200)
        func outcome(_ bounds: Bounds) -> DirectedSearch.Outcome {
            DirectedSearch(endless, bounds: bounds) { Int($0[0] & 0xFF) }.run().outcome
        }
        #expect(outcome(Bounds(states: 1000)) == .undecided(.states(1000)))
        #expect(outcome(Bounds(bytes: 100_000)) == .undecided(.memory(bytes: 100_000)))
        #expect(outcome(Bounds(seconds: 0)) == .undecided(.seconds(0)))
    }
}
