// SPDX-License-Identifier: GPL-2.0
import ModelChecker
import ProcedureModel

@testable import Comparison

/// The question that `LanguageSearch` answers, answered without any of its reductions: breadth first, every step of
/// every thread in every state, and nothing is left out but what was met before.
struct PlainSearch {
    struct Result: Equatable {
        var conforms = false
        /// As far as the record can be followed: when the first event happened that is left over then, and how many
        /// events are matched.
        var time = Int64.min
        var matched = -1
    }

    let machine: Machine
    let words: TraceWords
    let alphabet: Alphabet

    /// The model's state, and behind it how many events of each node have been matched. nil if it gave up at the limit.
    func run(from start: [UInt64]?, limit: Int) -> Result? {
        var best = Result()
        var successors = Successors(stateWords: machine.stateWords)
        var starts: [[UInt64]] = []
        if let start {
            starts = [start]
        } else {
            machine.initialStates(into: &successors)
            starts = (0..<successors.count).map { StateView(successors.words($0)).copy(count: machine.stateWords) }
        }
        var open = starts.map { $0 + words.nodes.map { _ in 0 } }
        var met = Set(open)
        var next = 0
        while next < open.count {
            let state = open[next]
            next += 1
            note(state, &best)
            if best.conforms { return best }
            if open.count > limit { return nil }
            for thread in machine.threads.indices {
                for follower in followers(of: state, by: thread, &successors) where met.insert(follower).inserted {
                    open.append(follower)
                }
            }
        }
        return best
    }

    private func followers(of state: [UInt64], by thread: Int, _ successors: inout Successors) -> [[UInt64]] {
        state.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return [] }
            let view = StateView(base)
            guard let step = machine.nextStep(ofThread: thread, in: view) else { return [] }
            var cursors = Array(state[machine.stateWords...])
            if alphabet.isVisible(step) {
                // It shows the next event of its node, or it cannot be taken.
                let node = machine.threads[thread].node
                let events = words.nodes[node].events
                let place = Int(cursors[node])
                guard place < events.count, node * threadsPerNode + Int(events[place].thread) == thread,
                    let label = alphabet.label(ofStep: step),
                    words.labels[Int(events[place].label)].fits(label)
                else { return [] }
                cursors[node] += 1
            }
            successors.removeAll()
            machine.successors(of: view, byThread: thread, into: &successors)
            return (0..<successors.count).map {
                StateView(successors.words($0)).copy(count: machine.stateWords) + cursors
            }
        }
    }

    private var threadsPerNode: Int { machine.threads.count / words.nodes.count }

    private func note(_ state: [UInt64], _ best: inout Result) {
        let cursors = state[machine.stateWords...].map { Int($0) }
        let left = zip(words.nodes, cursors).compactMap { node, cursor in
            node.events.indices.contains(cursor) ? node.events[cursor].hint : nil
        }
        let (time, matched) = (left.min() ?? .max, cursors.reduce(0, +))
        if (time, matched) > (best.time, best.matched) {
            best = Result(conforms: left.isEmpty, time: time, matched: matched)
        }
    }
}
