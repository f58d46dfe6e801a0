// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import Testing

@testable import Comparison

/// Recorded traces, changed in one place by a generator with a seed. Early in the trace, since what is before the
/// change is searched in full; `compare-bench mutations` changes 200 places anywhere.
@Suite struct MutationTests {
    /// Seconds in a debug build, so once for all tests.
    private static let smoke = Result { try make("smoke") }

    static func trial(_ name: String) throws -> RecordTrial { name == "smoke" ? try smoke.get() : try make(name) }

    private static func make(_ name: String) throws -> RecordTrial {
        let fixture = try Fixture(name)
        return try #require(
            try RecordTrial(
                traces: fixture.traces, offsets: fixture.description.clockOffsets, probed: Fixture.probed,
                variant: "v5.11"))
    }

    @Test(arguments: [
        ("smoke", TraceMutation.Kind.mode), ("concurrent-updates", .swapped), ("add-device", .field),
        ("grow-size", .dropped), ("stop-while-resyncing", .renamed),
    ])
    func whatLeavesTheLanguageIsRejectedWhereItDoes(name: String, kind: TraceMutation.Kind) throws {
        let trial = try Self.trial(name)
        let mutation = try #require(trial.mutation(kind, seed: 0, first: 60))
        switch try trial.report(mutation, limit: 1_000_000).outcome {
        case .conforms(let isProven): #expect(isProven, "\(mutation.text)")
        case .rejected(.place), .rejected(.later), .rejected(.elsewhere): break
        case .rejected(let blame): Issue.record("\(mutation.text): \(blame)")
        case .notDecided(let doubts): Issue.record("\(mutation.text): \(doubts)")
        }
    }

    /// What the test above rests on: a blame that is wrong is told from one that is right.
    @Test func aWrongBlameIsNoticed() throws {
        let trial = try Self.trial("smoke")
        let mutation = try #require(trial.mutation(.mode, seed: 1, first: 60))
        let report = try trial.report(mutation, limit: 1_000_000)
        guard case .doesNotConform(var mismatch) = report.comparison.answer else {
            Issue.record("\(report.comparison.answer)")
            return
        }
        #expect(report.outcome == .rejected(.place))
        #expect(report.isRuledOut)
        #expect(mismatch.first == mutation.node)
        mismatch.nodes[mutation.node].matched -= 3
        #expect(trial.blame(mismatch, mutation, limit: 1_000_000) == .early(3))
        // The other node's first event needs nobody.
        mismatch.first = 1 - mutation.node
        mismatch.nodes[mismatch.first].matched = 0
        #expect(trial.blame(mismatch, mutation, limit: 1_000_000) == .unrelated)
    }

    /// A second opinion on what the search rejects: what no branch of the thread's code leads to.
    @Test func aThreadsCodeRulesOutWhatItNeverDoes() throws {
        let trial = try Self.trial("smoke")
        func impossible(_ words: TraceWords) -> [Int?] {
            var code = ThreadCode(words, machine: trial.machine, alphabet: trial.alphabet)
            return code.firstImpossible()
        }
        let words = trial.original.words
        #expect(impossible(words) == [nil, nil])
        var changed = words
        changed.nodes[1].events.remove(at: 100)
        // What follows in the same thread is what cannot be.
        let place = try #require(impossible(changed)[1])
        #expect((100...102).contains(place) && impossible(changed)[0] == nil)
    }

    @Test func aRunThatIsNotOneIsNoWitness() throws {
        let trial = try Self.trial("smoke")
        let words = trial.original.words
        let search = LanguageSearch(machine: trial.machine, words: words, alphabet: trial.alphabet)
        let steps = search.run(limit: 100_000).steps
        func shows(_ steps: [Int], _ words: TraceWords) -> Bool {
            Witness.shows(words, steps: steps, machine: trial.machine, alphabet: trial.alphabet)
        }
        #expect(shows(steps, words))
        #expect(!shows(Array(steps.dropLast(20)), words))
        #expect(!shows(Array(steps.dropFirst()), words))
        var changed = words
        changed.nodes[0].events.swapAt(10, 40)
        #expect(!shows(steps, changed))
    }

    @Test func aRequestThatIsMissingAfterTheBeginIsRejected() throws {
        let fixture = try Fixture("smoke")
        let place = try #require(
            fixture.traces[0].events.firstIndex { event in
                if case .dlm(let dlm) = event.body { return dlm.kind == .lockStart && dlm.resource == .token }
                return false
            })
        let comparison = try fixture.compared(with: "v5.11") { traces in
            traces[0].events.remove(at: place)
            for index in traces[0].events.indices { traces[0].events[index].index = index }
        }
        guard case .doesNotConform = comparison.answer else {
            Issue.record("\(comparison.answer)")
            return
        }
    }
}

@Suite struct LostStatesTests {
    @Test func theMostAdvancedComesFirst() {
        var lost = LostStates()
        for (time, bound, state) in [(5, 9, 1), (7, 8, 2), (7, 20, 3), (1, 30, 4), (7, 20, 5)]
            as [(Int64, Int64, Int32)]
        {
            lost.push(LostStates.Item(time: time, bound: bound, state: state))
        }
        #expect((0..<6).map { _ in lost.pop()?.state } == [5, 3, 2, 1, 4, nil])
    }
}
