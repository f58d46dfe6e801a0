// SPDX-License-Identifier: GPL-2.0
import ModelChecker
import ProcedureModel

/// What a thread's own code says of its events, whatever variables, locks and other threads are: every branch can be
/// taken and no wait waits. More than the model allows, so what is not allowed here is certainly not the model's, and
/// no search was needed to know it.
struct ThreadCode {
    private let machine: Machine
    private let alphabet: Alphabet
    private let words: TraceWords
    /// What a thread may show next is a set of steps; sets are numbered as they are met.
    private var sets: [Set<Int>] = []
    private var numbers: [Set<Int>: Int] = [:]
    private var moves: [Move: Int?] = [:]

    private struct Move: Hashable {
        var from: Int
        var event: Int32
    }

    init(_ words: TraceWords, machine: Machine, alphabet: Alphabet) {
        (self.words, self.machine, self.alphabet) = (words, machine, alphabet)
    }

    /// By node: its first event that its thread can never come to after those before; nil where there is none.
    mutating func firstImpossible() -> [Int?] {
        let threads = machine.threads.count / max(1, words.nodes.count)
        var first: [Int?] = []
        for (number, node) in words.nodes.enumerated() {
            var places = [Int?](repeating: nil, count: threads)
            var impossible: Int?
            // A thread of a node that has died begins anew.
            for (event, item) in node.events.enumerated() where !node.died {
                let local = Int(item.thread)
                let from = places[local] ?? self.number(of: starts(ofThread: number * threads + local))
                guard let next = move(Move(from: from, event: item.label)) else {
                    impossible = event
                    break
                }
                places[local] = next
            }
            first.append(impossible)
        }
        return first
    }

    /// nil if no step of the set shows the event.
    private mutating func move(_ move: Move) -> Int? {
        if let known = moves[move] { return known }
        let taken = sets[move.from].filter { alphabet.fits(event: move.event, step: $0) }
        let next = taken.isEmpty ? nil : number(of: Set(taken.flatMap { machine.followers(ofStep: $0) }))
        moves[move] = .some(next)
        return next
    }

    /// Of the set of all steps that show an event and to which hidden ones lead from the given.
    private mutating func number(of steps: Set<Int>) -> Int {
        var met = steps
        var open = Array(steps)
        while let step = open.popLast() {
            guard !alphabet.isVisible(step) else { continue }
            for next in machine.followers(ofStep: step) where met.insert(next).inserted { open.append(next) }
        }
        let shown = met.filter(alphabet.isVisible)
        if let known = numbers[shown] { return known }
        numbers[shown] = sets.count
        sets.append(shown)
        return sets.count - 1
    }

    /// Where it stands, and where it begins when it is started.
    private func starts(ofThread thread: Int) -> Set<Int> {
        var starts: Set<Int> = [machine.steps(ofThread: thread).lowerBound]
        var successors = Successors(stateWords: machine.stateWords)
        machine.initialStates(into: &successors)
        for item in 0..<successors.count {
            if let step = machine.nextStep(ofThread: thread, in: StateView(successors.words(item))) {
                starts.insert(step)
            }
        }
        return starts
    }
}
