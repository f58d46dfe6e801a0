// SPDX-License-Identifier: GPL-2.0
import ModelChecker
import ProcedureModel

/// A run of the observed program that shows all events of a record: an order of all nodes' events that the model
/// allows.
struct ModelRun: Sendable {
    let machine: Machine
    let alphabet: Alphabet
    /// Node and the event's place in its word.
    let order: [(node: Int, place: Int)]
    let steps: [Int]
    /// The state after the last event.
    let end: [UInt64]

    init?(_ result: LanguageSearch.Result, machine: Machine, words: TraceWords, alphabet: Alphabet) {
        guard let end = result.ends.first else { return nil }
        self.machine = machine
        self.alphabet = alphabet
        self.end = Array(end.prefix(machine.stateWords))
        let threads = machine.threads.count / max(1, words.nodes.count)
        var cursors = Array(repeating: 0, count: words.nodes.count)
        var order: [(node: Int, place: Int)] = []
        order.reserveCapacity(words.count)
        for step in result.steps where alphabet.isVisible(step) {
            let node = machine.actor(ofStep: step) / threads
            order.append((node, cursors[node]))
            cursors[node] += 1
        }
        self.order = order
        steps = result.steps
    }
}
