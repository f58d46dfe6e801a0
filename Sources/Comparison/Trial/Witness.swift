// SPDX-License-Identifier: GPL-2.0
import ModelChecker
import ProcedureModel

/// Replays a run of the model against the events that it is said to show. It shares nothing with the search but the
/// model.
enum Witness {
    /// Whether the steps are a run of the model, and what they show is each node's events, all of them, in their order.
    static func shows(_ words: TraceWords, steps: [Int], machine: Machine, alphabet: Alphabet) -> Bool {
        var successors = Successors(stateWords: machine.stateWords)
        machine.initialStates(into: &successors)
        // Branches of a choice have one number: all that the run can be are followed.
        var states = Set((0..<successors.count).map { StateView(successors.words($0)).copy(count: machine.stateWords) })
        var cursors = [Int](repeating: 0, count: words.nodes.count)
        let threadsPerNode = machine.threads.count / max(1, words.nodes.count)
        for step in steps {
            let thread = machine.actor(ofStep: step)
            var next: Set<[UInt64]> = []
            for state in states {
                state.withUnsafeBufferPointer { buffer in
                    guard let base = buffer.baseAddress else { return }
                    guard machine.nextStep(ofThread: thread, in: StateView(base)) == step else { return }
                    successors.removeAll()
                    machine.successors(of: StateView(base), byThread: thread, into: &successors)
                    for item in 0..<successors.count {
                        next.insert(StateView(successors.words(item)).copy(count: machine.stateWords))
                    }
                }
            }
            if next.isEmpty { return false }
            states = next
            guard alphabet.isVisible(step) else { continue }
            let node = machine.threads[thread].node
            guard cursors[node] < words.nodes[node].events.count else { return false }
            let event = words.nodes[node].events[cursors[node]]
            guard Int(event.thread) == thread - node * threadsPerNode, let label = alphabet.label(ofStep: step),
                words.labels[Int(event.label)].fits(label)
            else { return false }
            cursors[node] += 1
        }
        return zip(cursors, words.nodes).allSatisfy { $0 == $1.events.count }
    }
}
