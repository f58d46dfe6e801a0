// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import ProcedureModel
import Testing

@testable import Comparison

/// `LanguageSearch` held against `PlainSearch`, on stretches of recorded runs and of runs that were changed: whatever
/// the reductions leave out must make no difference to the answer, nor to how far a record can be followed.
@Suite struct PlainSearchTests {
    /// Some events of a recorded run, from a state of a run of the model that shows all events before them.
    struct Stretch {
        let machine: Machine
        let alphabet: Alphabet
        let start: [UInt64]?
        var words: TraceWords

        /// - Parameters:
        ///   - from: the number of the first event, in the order of the run that was found.
        ///   - count: events, of all nodes.
        init(_ comparison: ModelComparison, from: Int, count: Int) throws {
            let run = try #require(comparison.run)
            (machine, alphabet) = (run.machine, run.alphabet)
            func cursors(_ events: Int) -> [Int] {
                run.order.prefix(events).reduce(into: comparison.words.nodes.map { _ in 0 }) { $0[$1.node] += 1 }
            }
            let before = cursors(from)
            let search = LanguageSearch(machine: machine, words: comparison.words.prefix(before), alphabet: alphabet)
            let reached = search.run(limit: 100_000)
            #expect(reached.ending == .conforms)
            start = from == 0 ? nil : try #require(reached.ends.first).dropLast(before.count)
            words = comparison.words.prefix(cursors(from + count))
            for node in words.nodes.indices { words.nodes[node].events.removeFirst(before[node]) }
        }

        /// One event is dropped, two change places, or one has another label or thread.
        mutating func change(using generator: inout SeededGenerator) {
            let node =
                words.nodes.indices.filter { words.nodes[$0].events.count > 1 }
                .randomElement(using: &generator) ?? 0
            let place = Int.random(in: 0..<words.nodes[node].events.count - 1, using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: words.nodes[node].events.remove(at: place)
            case 1:
                let hint = words.nodes[node].events[place].hint
                words.nodes[node].events.swapAt(place, place + 1)
                words.nodes[node].events[place + 1].hint = words.nodes[node].events[place].hint
                words.nodes[node].events[place].hint = hint
            case 2:
                words.nodes[node].events[place].label = Int32.random(
                    in: 0..<Int32(words.labels.count), using: &generator)
            default:
                words.nodes[node].events[place].thread = Int32.random(
                    in: 0..<Int32(machine.threads.count / words.nodes.count), using: &generator)
            }
        }

        func plain(limit: Int) -> PlainSearch.Result? {
            PlainSearch(machine: machine, words: words, alphabet: alphabet).run(from: start, limit: limit)
        }

        func reduced(_ aim: LanguageSearch.Aim) -> PlainSearch.Result {
            var search = LanguageSearch(machine: machine, words: words, alphabet: alphabet)
            search.start = start
            let result = search.run(aim, limit: 100_000)
            let left = zip(words.nodes, result.cut).compactMap { node, cursor in
                node.events.indices.contains(cursor) ? node.events[cursor].hint : nil
            }
            return PlainSearch.Result(
                conforms: result.ending == .conforms, time: left.min() ?? .max, matched: result.cut.reduce(0, +))
        }
    }

    /// - Returns: whether the stretch conforms; nil if the plain search gave up.
    static func isDecided(_ stretch: Stretch, limit: Int, _ what: String) -> Bool? {
        guard let plain = stretch.plain(limit: limit) else { return nil }
        #expect(stretch.reduced(.run).conforms == plain.conforms, "\(what)")
        #expect(stretch.reduced(.longestCut) == plain, "\(what)")
        #expect(stretch.reduced(.longestCutByLevels) == plain, "\(what)")
        return plain.conforms
    }

    @Test
    func theReductionsMakeNoDifference() throws {
        let comparison = try Fixture.reference("smoke")
        var answers: [Bool: Int] = [:]
        for round in 0..<10 {
            var generator = SeededGenerator(seed: UInt64(round))
            let count = Int.random(in: 3..<7, using: &generator)
            let from = round == 0 ? 0 : Int.random(in: 0..<comparison.words.count - count, using: &generator)
            let stretch = try Stretch(comparison, from: from, count: count)
            for item in 0..<3 {
                var stretch = stretch
                if item > 0 { stretch.change(using: &generator) }
                guard
                    let answer = Self.isDecided(
                        stretch, limit: 4_000, "events \(from) to \(from + count), round \(round), change \(item)")
                else { continue }
                answers[answer, default: 0] += 1
            }
        }
        // Else nothing was tested.
        #expect(answers[true, default: 0] >= 5, "\(answers)")
        #expect(answers[false, default: 0] >= 5, "\(answers)")
    }
}
