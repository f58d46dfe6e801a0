// SPDX-License-Identifier: GPL-2.0
import MDClusterModel
import ModelChecker
import ProcedureModel

/// Looks for a run of the model that shows the recorded events: the events of a node in their order, those of different
/// nodes in any order. Steps that leave no event may come at any time.
///
/// A state is the model's state and, for each node, how many of its events have been matched. The search goes deep
/// first and is complete: it ends with a run, or when no state is left. What it need not look at:
///
/// - A step that shows an event changes nothing but the position of its thread, so when it is possible it is taken,
///   alone. The same holds for the choice of a branch.
/// - A thread whose code does not lead to its next event will never get on: such a state is lost.
/// - A thread at rest whose next action is to take a mutex does so right before its next event: a mutex that is taken
///   later is in nobody's way.
///
/// What is tried first follows the nodes' clocks, moved by their offsets: usually that is the order in which things
/// happened, and then the search goes straight on.
struct LanguageSearch {
    let machine: Machine
    let words: TraceWords
    let alphabet: Alphabet
    let nodes: Int
    let threadsPerNode: Int
    /// By node: its first event in the tables below; one more at the end.
    let firsts: [Int]
    let labels: [Int32]
    let threads: [Int32]
    let hints: [Int64]
    /// The model's state before the first events; nil for its initial states.
    var start: [UInt64]?
    /// [(first of the node + node + matched events) * threads + thread]: the thread's next event, or -1.
    private let nextEvents: [Int32]

    enum Aim {
        /// Is there a run?
        case run
        /// How far can the record be followed, if there is none? As far in time as possible, then as many events as
        /// possible: what happened before the first event that is left over is all the model's. A lost state is of use
        /// as long as that event may be later than in all others.
        case longestCut
        /// The same in little memory, for a record that is long or has many nodes: level by level.
        case longestCutByLevels
        /// Can a node show so many of its events, whatever the other nodes have shown? Lost states are gone on with.
        case reach(node: Int, events: Int)
        /// Is there a run after whose last event no thread that is inside md-cluster can go on?
        case stop
    }

    struct Result {
        enum Ending { case conforms, noRun, limit }
        var ending: Ending
        var states: Int
        var bytes: Int
        /// Matched events of each node in the longest conforming cut.
        var cut: [Int]
        /// False if there may be a longer one: not all states in which a thread is lost were looked at.
        var isLongest = true
        /// Model states in which that cut ends; the run that led to the first of them.
        var ends: [[UInt64]]
        var steps: [Int]
    }

    init(machine: Machine, words: TraceWords, alphabet: Alphabet) {
        self.machine = machine
        self.words = words
        self.alphabet = alphabet
        let count = words.nodes.count
        let threads = machine.threads.count / max(1, count)
        (nodes, threadsPerNode) = (count, threads)
        let events = words.nodes.flatMap(\.events)
        labels = events.map(\.label)
        self.threads = events.map(\.thread)
        hints = events.map(\.hint)
        firsts = (0...count).map { node in words.nodes[..<node].reduce(0) { $0 + $1.events.count } }
        var table = [Int32](repeating: -1, count: (events.count + count) * threads)
        for (number, node) in words.nodes.enumerated() {
            let base = firsts[number] + number
            for place in node.events.indices.reversed() {
                let row = (base + place) * threads
                for thread in 0..<threads { table[row + thread] = table[row + threads + thread] }
                table[row + Int(node.events[place].thread)] = Int32(place)
            }
        }
        nextEvents = table
    }

    /// - Parameter limit: states kept at once.
    func run(_ aim: Aim = .run, limit: Int) -> Result {
        var walk = LanguageWalk(self, aim)
        return walk.run(limit: limit)
    }

    /// A record that conforms is followed nearly straight on. One that takes many more states than that most likely
    /// does not, and how far it can be followed is found out at once, in little memory.
    ///
    /// - Parameter limit: states kept at once.
    func answer(limit: Int) -> Result {
        var result = run(limit: min(limit, Self.straightOn + 10 * labels.count))
        guard result.ending != .conforms else { return result }
        var spent = (states: result.states, bytes: result.bytes)
        result = run(.longestCut, limit: limit)
        if result.ending == .limit || !result.isLongest {
            var other = run(.longestCutByLevels, limit: limit)
            if result.ending == .noRun, other.ending == .limit || reach(other.cut) <= reach(result.cut) {
                // The deep search came as far, and has its run.
                result.isLongest = other.ending == .noRun && other.isLongest
            } else {
                swap(&result, &other)
                if result.ending == .noRun {
                    // What the nodes had done until then is a record that conforms: its run is the run of the cut.
                    let cut = LanguageSearch(machine: machine, words: words.prefix(result.cut), alphabet: alphabet)
                    result.steps = cut.run(limit: limit).steps
                }
            }
            spent = (spent.states + other.states, max(spent.bytes, other.bytes))
        }
        if result.ending == .conforms {
            spent = (spent.states + result.states, max(spent.bytes, result.bytes))
            result = run(limit: limit)
        }
        result.bytes = max(result.bytes, spent.bytes)
        result.states += spent.states
        return result
    }

    private static let straightOn = 2_000

    /// How far a cut reaches: when the first event happened that is left over, and how many events are matched.
    private func reach(_ cut: [Int]) -> (Int64, Int) {
        let left = cut.indices.filter { cut[$0] < eventCount($0) }.map { hints[firsts[$0] + cut[$0]] }
        return (left.min() ?? .max, cut.reduce(0, +))
    }

    /// The next event of a thread that is not matched yet, counted in its node; -1 if there is none.
    @inline(__always) func nextEvent(_ node: Int, _ cursor: Int, _ local: Int) -> Int {
        Int(nextEvents[(firsts[node] + node + cursor) * threadsPerNode + local])
    }

    @inline(__always) func eventCount(_ node: Int) -> Int { firsts[node + 1] - firsts[node] }
}
