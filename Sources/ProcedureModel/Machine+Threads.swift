// SPDX-License-Identifier: GPL-2.0
import ModelChecker

/// One thread at a time: for whoever chooses the order of the steps, as a trace does.
extension Machine {
    /// The number of the step that a thread takes next; nil if it does not run.
    @inline(__always) public func nextStep(ofThread thread: Int, in state: StateView) -> Int? {
        let pc = pcs[thread].read(state.words)
        return pc == 0 ? nil : firsts[thread] + pc
    }

    /// Writes every state that the thread's next step leads to: none while it is blocked or asleep. Waits end by what
    /// they wait for, never by their time limit.
    public func successors(of state: StateView, byThread thread: Int, into successors: inout Successors) {
        let pc = pcs[thread].read(state.words)
        if pc != 0 { step(thread, pc, state.words, &successors, timeouts: false) }
    }

    /// A thread may stay at this step for ever: it is at rest.
    public func isRest(_ step: Int) -> Bool { instructions[step].isIdle }

    /// The step touches nothing but the position of its thread: one of several branches is taken.
    public func isChoice(_ step: Int) -> Bool { instructions[step].operation == .choose }

    /// The thread's last step.
    public func isEnd(_ step: Int) -> Bool { instructions[step].operation == .end }

    /// A DLM lock is asked for: in a cluster that takes a message to another node, so that its time is not known.
    public func isConversion(_ step: Int) -> Bool { instructions[step].operation == .convert }

    /// What a blocked thread waits for, in the kernel's words; nil if the step never blocks.
    public func guardText(ofStep step: Int) -> String? {
        switch instructions[step].operation {
        case .wait, .waitEvent, .asleep: waitText(at: step)
        case .lock: code.places[step].text
        default: nil
        }
    }

    /// The variables, mutexes and locks that the guard of a step looks at.
    public func guardNames(ofStep step: Int) -> [String] {
        let instruction = code.instructions[step]
        switch instruction.operation {
        case .lock:
            return program.mutexes.filter { layout.mutexes[threads[actor(ofStep: step)].node][$0] == instruction.field }
        case .wait, .waitEvent: return (code.waits[step] ?? []).flatMap(\.names)
        case .asleep: return (code.waits[step - 1] ?? []).flatMap(\.names)
        default: return []
        }
    }

    /// The value of a variable in a state; nil if there is no such variable.
    public func value(of variable: String, node: Int, in state: [UInt64]) -> Int? {
        (layout.node[node][variable] ?? layout.shared[variable]).map { value(of: $0, in: state) }
    }

    /// The thread that holds a mutex of a node.
    public func owner(ofMutex mutex: String, node: Int, in state: [UInt64]) -> Int? {
        layout.mutexes[node][mutex].flatMap { owner(of: $0, node: node, in: state) }
    }

    /// The thread that holds the mutex which a blocked thread waits for, as "node1 md0_raid1"; nil if it waits for
    /// something else.
    public func holder(blocking thread: Int, in state: [UInt64]) -> String? {
        guard let number = instruction(ofThread: thread, in: state), code.instructions[number].operation == .lock,
            let owner = owner(of: code.instructions[number].field, node: threads[thread].node, in: state)
        else { return nil }
        return name(ofThread: owner)
    }

    /// A step of the program's text, the same on all nodes: "lock_comm: SEND_LOCK = 1". Nil for what is no step of it.
    public func textName(ofStep step: Int) -> String? { stepText(step) }

    /// The steps that a thread may come to from a step, whatever the state.
    public func followers(ofStep step: Int) -> [Int] {
        let instruction = code.instructions[step]
        let first = threads[actors[step]].first
        var targets: [Int32]
        switch instruction.operation {
        // If it is started again.
        case .end: return [first + 1]
        case .branch: targets = [instruction.next, instruction.other]
        case .choose:
            let range = Int(instruction.subject)..<Int(instruction.subject) + Int(instruction.count)
            targets = range.map { code.targets[$0] }
        case .wait, .waitEvent:
            let range = Int(instruction.subject)..<Int(instruction.subject) + Int(instruction.count)
            targets = range.map { code.alternatives[$0].target }
        case .asleep: return followers(ofStep: step - 1)
        default: targets = [instruction.next]
        }
        return targets.map { first + Int($0) }
    }
}
