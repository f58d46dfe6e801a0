// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import ModelChecker

extension Machine {
    /// Where an instruction comes from.
    public func place(ofStep step: Int) -> Place { code.places[step] }

    /// "node1 md0_raid1"
    public func name(ofThread thread: Int) -> String { "node\(threads[thread].node + 1) \(threads[thread].name)" }

    /// "dlm_lock(token, EX) <- dlm_lock_sync <- lock_token": what a step does and where.
    public func text(ofStep step: Int) -> String { code.places[step].text }

    /// A thread's instruction in a state; nil if the thread does not run.
    package func instruction(ofThread thread: Int, in state: [UInt64]) -> Int? {
        let pc = state.withUnsafeBufferPointer { $0.baseAddress.map { layout.pc[thread].read($0) } ?? 0 }
        return pc == 0 ? nil : threads[thread].first + pc
    }

    /// The calls of a thread, innermost first; nil if the thread does not run.
    public func calls(ofThread thread: Int, in state: [UInt64]) -> [CallFrame]? {
        instruction(ofThread: thread, in: state).map { code.places[$0].calls }
    }

    /// The call stack of a thread as the kernel prints it, "dlm_lock_sync(token, EX) <- lock_token() <- ...".
    public func stack(ofThread thread: Int, in state: [UInt64]) -> [String]? {
        instruction(ofThread: thread, in: state).map { code.places[$0].stack }
    }

    /// Steps of the program's text, the same step on several nodes or in several inlined copies counted once.
    public var stepTexts: Int { Set(code.places.indices.compactMap(stepText)).count }

    /// Steps that were never taken.
    public func unusedSteps(_ coverage: [StepCoverage]) -> [String] {
        var taken = Set<String>()
        var all: [String] = []
        for step in code.places.indices {
            guard let text = stepText(step) else { continue }
            if !all.contains(text) { all.append(text) }
            if coverage[step].fired > 0 { taken.insert(text) }
        }
        return all.filter { !taken.contains($0) }
    }

    func stepText(_ step: Int) -> String? {
        let place = code.places[step]
        let instruction = code.instructions[step]
        guard let procedure = place.procedures.first, !place.text.isEmpty, !instruction.isSilent,
            instruction.operation != .asleep, instruction.operation != .end
        else { return nil }
        return "\(procedure): \(place.text)"
    }

    /// A run as a table with a column for each thread that takes part.
    public func table(of run: Counterexample) -> String {
        var order: [Int] = []
        for step in run.steps where !order.contains(actor(ofStep: step)) { order.append(actor(ofStep: step)) }
        order.sort()
        let width = 34
        func cell(_ text: String) -> String {
            let short = text.count > width ? String(text.prefix(width - 1)) + "…" : text
            return short + String(repeating: " ", count: width - short.count)
        }
        var lines = ["   # | " + order.map { cell(name(ofThread: $0)) }.joined(separator: " | ")]
        lines.append(String(repeating: "-", count: lines[0].count))
        for (number, step) in run.steps.enumerated() {
            let thread = actor(ofStep: step)
            let text = text(of: run, at: number)
            let columns = order.map { $0 == thread ? cell(text) : cell("") }
            let padding = String(repeating: " ", count: max(0, 4 - String(number + 1).count))
            lines.append(padding + "\(number + 1) | " + columns.joined(separator: " | "))
        }
        return lines.map { line in
            var line = line
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }

    /// What a run's step does: "sleeps: wait_event(...)", "__sendmsg: message.type = 0".
    func text(of run: Counterexample, at number: Int) -> String {
        let step = run.steps[number]
        let place = code.places[step]
        let sleeps = code.instructions[step].operation == .waitEvent && stays(actor(ofStep: step), run, number)
        let text = (sleeps ? "sleeps: " : "") + place.text
        guard let procedure = place.procedures.first, !text.contains("(") else { return text }
        return "\(procedure): \(text)"
    }

    /// Whether a wait_event put its thread to sleep.
    private func stays(_ thread: Int, _ run: Counterexample, _ number: Int) -> Bool {
        guard let after = instruction(ofThread: thread, in: run.states[number + 1]) else { return false }
        return code.instructions[after].operation == .asleep
    }

    /// The threads of a state that are not at rest, as the kernel prints stacks:
    /// "node1 md0_raid1: wait(!converting(token)) <- dlm_lock_sync(token, EX) <- lock_token() <- ...".
    public func stacks(in state: [UInt64]) -> [String] {
        threads.indices.compactMap { thread in
            guard let number = instruction(ofThread: thread, in: state), !code.instructions[number].isIdle else {
                return nil
            }
            return "\(name(ofThread: thread)): "
                + ([waitText(at: number)] + code.places[number].stack).joined(separator: " <- ")
        }
    }

    /// What a thread does or waits for at an instruction; where it sleeps it is the wait before it.
    func waitText(at number: Int) -> String {
        let wait = code.instructions[number].operation == .asleep ? number - 1 : number
        return code.places[wait].text
    }

    /// "token: node1 NL -> EX, node2 EX": the granted mode of each node's lock, and what it waits for.
    public func locks(in state: [UInt64]) -> [String] { code.locks.indices.map { lockText($0, in: state) } }

    /// The line of a lock; nil if there is none of that name.
    public func lockText(named name: String, in state: [UInt64]) -> String? {
        code.locks.firstIndex { $0.name == name }.map { lockText($0, in: state) }
    }

    private func lockText(_ lock: Int, in state: [UInt64]) -> String {
        let compiled = code.locks[lock]
        let modes = (0..<program.nodes).map { node -> String in
            let granted = LockMode(rawValue: compiled.modes[value(of: layout.granted[lock][node], in: state)])
            let wanted = value(of: layout.requested[lock][node], in: state)
            let request = wanted == 0 ? "" : " -> \(LockMode(rawValue: compiled.modes[wanted - 1]))"
            return "node\(node + 1) \(granted)\(request)"
        }
        return "\(compiled.name): " + modes.joined(separator: ", ")
    }

    /// A node's locks: the granted mode of each, and the mode that it waits for.
    public func lockModes(of node: Int, in state: [UInt64]) -> [(name: String, granted: LockMode, requested: LockMode?)]
    {
        code.locks.indices.map { lock in
            let compiled = code.locks[lock]
            let wanted = value(of: layout.requested[lock][node], in: state)
            return (
                name: compiled.name,
                granted: LockMode(rawValue: compiled.modes[value(of: layout.granted[lock][node], in: state)]),
                requested: wanted == 0 ? nil : LockMode(rawValue: compiled.modes[wanted - 1])
            )
        }
    }

    func value(of field: Field, in state: [UInt64]) -> Int {
        Int(state[Int(field.word)] >> UInt64(field.shift) & field.mask)
    }

    /// The end of a run: stacks, locks, and who waits for whom.
    public func situation(atEndOf run: Counterexample) -> String {
        guard let state = run.states.last else { return "" }
        let waits = self.waits(atEndOf: run)
        var lines = stacks(in: state) + locks(in: state)
        let cycle = WaitEdge.cycle(in: waits)
        if !cycle.isEmpty {
            lines.append("who waits for whom, in a circle:")
            lines += cycle.map { "  " + sentence($0) }
        } else if !waits.isEmpty {
            lines.append("who waits for whom:")
            lines += waits.map { "  " + sentence($0) }
        }
        lines += lostWakeUps(in: state).map {
            "\(name(ofThread: $0)) sleeps though what it waits for is true: nobody woke it"
        }
        return lines.joined(separator: "\n")
    }
}
