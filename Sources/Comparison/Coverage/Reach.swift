// SPDX-License-Identifier: GPL-2.0
import ModelChecker
import ProcedureModel

/// The steps and the pairs of steps that the reachable states of a program have: every state is looked at.
///
/// States are looked at by turns from the oldest on, from the newest on, and from somewhere near the newest, so that a
/// search that ends at its limit has seen more than the beginnings of runs, and more than the ends of similar ones. The
/// choice is the same each time.
public struct Reach: Sendable, Equatable {
    public internal(set) var steps: Set<String> = []
    public internal(set) var pairs: Set<StepPair> = []
    public internal(set) var states = 0
    /// False if the search ended at its limit: then there may be more.
    public internal(set) var isComplete = true

    /// How many states are near the newest.
    private static let nearNewest = 50

    init() {}

    /// - Parameter limit: states after which it ends.
    init(_ machine: Machine, _ table: StepTable, limit: Int) {
        let names = table.names.numbering(machine)
        var found = PairSet(table, names: names)
        var taken = [Bool](repeating: false, count: names.names.count)
        var arena = StateArena(words: machine.stateWords)
        var successors = Successors(stateWords: machine.stateWords)
        machine.initialStates(into: &successors)
        for item in 0..<successors.count { _ = arena.insert(successors.words(item), parent: -1, step: -1) }
        var pending = [Int](repeating: -1, count: machine.threads.count)
        var newest = Array(0..<arena.count)
        var isLookedAt = [Bool](repeating: false, count: arena.count)
        var (oldest, left) = (0, arena.count)
        var (turn, random) = (0, UInt64(1))
        while left > 0 {
            if arena.count > limit {
                isComplete = false
                break
            }
            turn += 1
            var cursor = oldest
            if turn.isMultiple(of: 3) || newest.isEmpty {
                oldest += 1
            } else {
                if turn % 3 == 1 {
                    random = random &* 6_364_136_223_846_793_005 &+ 1
                    let back = Int((random >> 33) % UInt64(min(newest.count, Self.nearNewest)))
                    newest.swapAt(newest.count - 1 - back, newest.count - 1)
                }
                cursor = newest.removeLast()
            }
            if isLookedAt[cursor] { continue }
            isLookedAt[cursor] = true
            left -= 1
            for thread in pending.indices {
                let step = machine.nextStep(ofThread: thread, in: StateView(arena.state(cursor))) ?? -1
                let counts = step >= 0 && !machine.isRest(step) && names.numbers[step] >= 0
                pending[thread] = counts ? machine.pending(atStep: step) : -1
            }
            for thread in pending.indices {
                // Not kept across insertions: the arena moves when it grows.
                let view = StateView(arena.state(cursor))
                guard let step = machine.nextStep(ofThread: thread, in: view) else { continue }
                successors.removeAll()
                machine.successors(of: view, byThread: thread, into: &successors)
                if successors.count == 0 { continue }
                for item in 0..<successors.count {
                    guard let child = arena.insert(successors.words(item), parent: cursor, step: step) else { continue }
                    newest.append(child)
                    isLookedAt.append(false)
                    left += 1
                }
                guard names.numbers[step] >= 0 else { continue }
                taken[names.numbers[step]] = true
                for (other, next) in pending.enumerated() where other != thread && next >= 0 { found.note(step, next) }
            }
        }
        steps = Set(taken.indices.filter { taken[$0] }.map { names.names[$0] })
        pairs = found.pairs
        states = arena.count
    }
}
