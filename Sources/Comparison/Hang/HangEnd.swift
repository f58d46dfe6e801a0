// SPDX-License-Identifier: GPL-2.0
import MDClusterModel
import ModelChecker
import ProcedureModel

/// Can the model stop where the kernels of a run that hung did?
///
/// A hang is more than a record that ends: nothing happened after its last event. So there must be a run of the model
/// that shows all events and then comes to a state in which no thread inside md-cluster can go on. That holds for
/// whatever the nodes did, while `HangMatch` searches the model under a workload that someone has to name.
public enum HangEnd: Sendable, Equatable {
    case stops
    /// However the model comes to the last event, somebody goes on: in the first such state these threads do, each with
    /// its node and next event, "node2 recv_daemon: enter md_reload_sb(1)".
    case goesOn([String])
    /// The search gave up.
    case notDecided(states: Int)

    /// nil unless the events conform.
    public init?(_ comparison: ModelComparison, limit: Int = ModelComparison.stateLimit) {
        guard comparison.answer == .conforms, let run = comparison.run else { return nil }
        let search = LanguageSearch(machine: run.machine, words: comparison.words, alphabet: run.alphabet)
        let result = search.run(.stop, limit: limit)
        switch result.ending {
        case .conforms: self = .stops
        case .limit: self = .notDecided(states: result.states)
        case .noRun: self = .goesOn(search.whoGoesOn(in: result.ends.first ?? run.end))
        }
    }
}

extension LanguageSearch {
    /// A thread in md.c, or in user space, may be held up by something that the model does not have; a time limit may
    /// be yet to come, and a thread be asked to stop later. Whoever is called by a wake-up is not free to stay.
    func mayStay(_ thread: Int, at step: Int) -> Bool {
        let place = machine.place(ofStep: step)
        let procedures = place.procedures
        if machine.isRest(step) { return Self.callers.contains(procedures.first ?? "") }
        guard let innermost = procedures.first else { return false }
        let label = TraceLabel(place)
        if label?.mark == .lockTimeout || label?.mark == .unlockStart && label?.arguments.last == .symbol("CANCEL") {
            return true
        }
        // Who is about to enter a function is still in its caller.
        let own =
            if case .enter(let name)? = label?.mark { procedures.dropFirst().first { $0 != name } } else { innermost }
        return Self.callers.contains(own ?? "")
    }

    /// What stands for md.c, user space and the machine.
    private static let callers: Set<String> = ["raid1d", "md_do_sync", "md_update_sb", "process", "power cut"]

    /// The threads that cannot stay where they are, each with what it would do next.
    func whoGoesOn(in state: [UInt64]) -> [String] {
        var successors = Successors(stateWords: machine.stateWords)
        return state.withUnsafeBufferPointer { buffer -> [String] in
            guard let base = buffer.baseAddress else { return [] }
            let view = StateView(base)
            return machine.threads.indices.compactMap { thread in
                guard let step = machine.nextStep(ofThread: thread, in: view), !mayStay(thread, at: step) else {
                    return nil
                }
                successors.removeAll()
                machine.successors(of: view, byThread: thread, into: &successors)
                guard successors.count > 0 else { return nil }
                let text = alphabet.label(ofStep: step)?.description ?? machine.place(ofStep: step).text
                return "\(machine.name(ofThread: thread)): \(text)"
            }
        }
    }
}
