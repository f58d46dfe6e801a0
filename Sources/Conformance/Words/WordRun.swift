// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import ProtocolTrace
import RunRecord

/// An automaton on its way through one node's operations of one role.
struct WordRun {
    let automaton: WordAutomaton
    private(set) var states: Set<WordAutomaton.State>
    /// The operations since the last rest: the word so far.
    private(set) var word: [LockOperation] = []
    private(set) var violations: [Finding] = []

    /// - Parameter fromStart: the trace saw the array's locks being made, so the word begins at the automaton's start.
    init(_ automaton: WordAutomaton, fromStart: Bool) {
        self.automaton = automaton
        states = fromStart ? [automaton.start] : automaton.states
    }

    var resting: Bool { !states.isDisjoint(with: automaton.rest) }

    /// Events are missing: anything may have happened.
    mutating func forget() {
        states = automaton.states
        word = []
    }

    mutating func take(_ operation: LockOperation) {
        if let previous = word.last, operation.kind != .cancel, previous.kind != .cancel {
            // dlm_lock_sync waits for the ast, and the role is one thread at a time.
            if previous.answer == nil || previous.answer!.index > operation.index {
                fail(
                    operation,
                    "\(operation.request) is asked for while \(previous.request) of \(previous.threadName) has no answer yet"
                )
            }
        }
        let letter = LockLetter.asked(operation.request)
        let next = automaton.after(letter, from: states)
        if next.isEmpty {
            let said = word.isEmpty ? "at rest" : "after " + word.map(\.request.description).joined(separator: ", ")
            let legal = automaton.expected(in: states).joined(separator: " or ")
            fail(operation, "\(operation.request) is not legal here: \(said) comes \(legal)")
            forget()
            let resumed = automaton.after(letter, from: states)
            states = resumed.isEmpty ? automaton.states : resumed
        } else {
            states = next
        }
        word.append(operation)
        judgeAnswer(operation)
        if states.isSubset(of: automaton.rest) {
            word = []
        }
    }

    private mutating func judgeAnswer(_ operation: LockOperation) {
        guard let status = operation.answer?.status, status != 0 else { return }
        switch operation.kind {
        case .unlock where status == DLMConstant.unlocked, .cancel:
            return
        case .create, .convert:
            if status == DLMConstant.again, operation.noQueue {
                states = automaton.after(.refused(operation.resource), from: states)
                return
            }
            // The answer to a conversion that dlm_lock_sync_interruptible gave up.
            if status == DLMConstant.cancelled, automaton.knows(.asked(.cancel(operation.resource))) { return }
        case .unlock:
            break
        }
        fail(operation, "\(operation.request) failed with \(status)")
        forget()
    }

    private mutating func fail(_ operation: LockOperation, _ text: String) {
        violations.append(
            Finding(
                "\(operation.threadName), as \(automaton.role): \(text)", node: operation.node.description,
                time: Double(operation.time) / 1e9, details: (word + [operation]).map(\.line)))
    }
}

extension LockOperation {
    /// One line of a finding's details: guest seconds, thread, letter, what came of it.
    var line: String {
        let outcome =
            switch answer {
            case nil: "no answer"
            case .some(let answer) where answer.status == 0: "granted after \(milliseconds(answer.time &- time))"
            case .some(let answer): "status \(answer.status) after \(milliseconds(answer.time &- time))"
            }
        return "\(seconds(time)) \(comm)-\(pid): \(request)  (\(outcome))"
    }
}
