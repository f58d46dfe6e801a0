// SPDX-License-Identifier: GPL-2.0

/// Whether two automata do the same, and the first place where they do not.
enum Equivalence {
    /// Strong bisimulation, by refining a partition of the states of both.
    static func areBisimilar(_ one: Automaton, _ other: Automaton) -> Bool {
        let shift = one.edges.count
        var edges = one.edges.map { $0.map { ($0.label, $0.target) } }
        edges += other.edges.map { $0.map { ($0.label, $0.target + shift) } }
        var classes = Array(repeating: 0, count: edges.count)
        var count = 1
        while true {
            var ids: [Signature: Int] = [:]
            var next = classes
            for state in edges.indices {
                let moves = Set(edges[state].map { Move(label: $0.0, target: classes[$0.1]) })
                let signature = Signature(old: classes[state], moves: moves)
                if let id = ids[signature] {
                    next[state] = id
                } else {
                    next[state] = ids.count
                    ids[signature] = ids.count
                }
            }
            classes = next
            if ids.count == count { break }
            count = ids.count
        }
        return classes[0] == classes[shift]
    }

    private struct Move: Hashable {
        var label: Automaton.Label
        var target: Int
    }

    private struct Signature: Hashable {
        var old: Int
        var moves: Set<Move>
    }

    /// Where one does what the other cannot, after the shortest common beginning.
    struct Difference: Sendable {
        /// The steps that both do first.
        var common: [Automaton.Edge] = []
        /// What only the one does then, and what only the other.
        var was: [Automaton.Edge] = []
        var now: [Automaton.Edge] = []
    }

    /// The first difference of what can be done, in sequences of steps.
    ///
    /// - Parameter opaque: whether steps count that are not looked at; else only what the protocol knows does.
    /// - Returns: nil if there is none, or none was found within some 40,000 pairs of sets of states.
    static func difference(_ one: Automaton, _ other: Automaton, opaque: Bool) -> Difference? {
        let begin = Pair(closure(one, [0], opaque), closure(other, [0], opaque))
        var from: [Pair: Origin] = [begin: Origin()]
        var queue = [begin]
        var place = 0
        while place < queue.count, place < 40_000 {
            let pair = queue[place]
            place += 1
            let (left, right) = (moves(one, pair.one, opaque), moves(other, pair.other, opaque))
            if Set(left.keys) != Set(right.keys) {
                var found = Difference()
                found.was = left.filter { right[$0.key] == nil }.sorted { $0.key < $1.key }.map(\.value.edge)
                found.now = right.filter { left[$0.key] == nil }.sorted { $0.key < $1.key }.map(\.value.edge)
                var step = pair
                while let origin = from[step], let before = origin.pair, let edge = origin.edge {
                    found.common.append(edge)
                    step = before
                }
                found.common.reverse()
                return found
            }
            for (label, move) in left.sorted(by: { $0.key < $1.key }) {
                guard let answer = right[label] else { continue }
                let next = Pair(closure(one, move.targets, opaque), closure(other, answer.targets, opaque))
                guard from[next] == nil else { continue }
                from[next] = Origin(pair: pair, edge: move.edge)
                queue.append(next)
            }
        }
        return nil
    }

    private struct Origin {
        var pair: Pair?
        var edge: Automaton.Edge?
    }

    private struct Pair: Hashable {
        var one: Set<Int>
        var other: Set<Int>
        init(_ one: Set<Int>, _ other: Set<Int>) { (self.one, self.other) = (one, other) }
    }

    /// The states that are reached by steps that do not count.
    private static func closure(_ automaton: Automaton, _ states: Set<Int>, _ opaque: Bool) -> Set<Int> {
        guard !opaque else { return states }
        var all = states
        var work = Array(states)
        while let state = work.popLast() {
            for edge in automaton.edges[state] where edge.label.isOpaque && all.insert(edge.target).inserted {
                work.append(edge.target)
            }
        }
        return all
    }

    private static func moves(
        _ automaton: Automaton, _ states: Set<Int>, _ opaque: Bool
    ) -> [Automaton.Label: (targets: Set<Int>, edge: Automaton.Edge)] {
        var found: [Automaton.Label: (targets: Set<Int>, edge: Automaton.Edge)] = [:]
        for state in states.sorted() {
            for edge in automaton.edges[state] where opaque || !edge.label.isOpaque {
                var label = edge.label
                if !opaque { label.detail = "" }
                found[label, default: ([], edge)].targets.insert(edge.target)
            }
        }
        return found
    }
}
