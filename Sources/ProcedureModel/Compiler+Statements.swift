// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol

/// Statements to instructions.
extension Compiler {
    mutating func compile(_ statements: [Statement], _ frame: Frame) throws(ProgramError) {
        for statement in statements { try compile(statement, frame) }
    }

    mutating func compile(_ statement: Statement, _ frame: Frame) throws(ProgramError) {
        let text = statement.line(in: frame.arguments.filter { $0.key != "$self" })
        switch statement {
        case .set(let name, let value):
            let target = try field(name, frame)
            emitAssign(
                [try effect(target.field, values: target.values, value, frame)],
                isLocal: target.isLocal && isLocal(value, frame), text: text, frame: frame)
        case .ifElse(let condition, let then, let other):
            try compileIf(condition, then, other, text: text, frame)
        case .loop(let body):
            try compileLoop(body, frame)
        case .leave:
            guard !frame.leaves.isEmpty else { throw .leaveOutsideLoop(procedure: frame.procedure.name) }
            frame.leaves[frame.leaves.count - 1].append(code.instructions.count)
            emitJump(frame)
        case .call(let name, let arguments, let result):
            try compileCall(name, arguments, result, frame)
        case .giveBack(let value):
            try compileReturn(value, text: text, frame)
        case .waitEvent(let queue, let alternatives):
            try compileWait(alternatives, queue: queue, idle: false, text: text, frame)
        case .wait(let alternatives, let idle):
            try compileWait(alternatives, queue: nil, idle: idle, text: text, frame)
        case .wakeUp(let queue):
            var wake = Instruction(operation: .wake)
            wake.subject = Int32(try self.queue(queue, frame))
            emit(wake, text: text, frame: frame)
        case .lock(let mutex):
            if frame.atomic > 0, frame.atomicBegun { throw .blockingInAtomic(procedure: frame.procedure.name) }
            var instruction = Instruction(operation: .lock)
            instruction.field = try self.mutex(mutex, frame)
            emit(instruction, text: text, frame: frame)
        case .tryLock(let mutex, let result):
            var instruction = Instruction(operation: .tryLock)
            instruction.field = try self.mutex(mutex, frame)
            instruction.result = try field(result, frame).field
            emit(instruction, text: text, frame: frame)
        case .unlock(let mutex):
            var instruction = Instruction(operation: .unlock)
            instruction.field = try self.mutex(mutex, frame)
            emit(instruction, text: text, frame: frame)
        case .convert(let lock, let mode, let noQueue, let result):
            try compileConvert(lock, mode, noQueue, result, text: text, frame)
        case .convertTo(let lock, let mode, let noQueue, let result):
            guard let value = constant(mode, frame) else {
                throw .notAConstant("\(mode)", procedure: frame.procedure.name)
            }
            try compileConvert(
                lock, LockMode(rawValue: Int8(truncatingIfNeeded: value)), noQueue, result, text: text, frame)
        case .cancel(let lock):
            var instruction = Instruction(operation: .cancel)
            instruction.subject = Int32(try self.lock(lock, frame))
            emit(instruction, text: text, frame: frame)
        case .choose(let branches):
            try compileChoice(branches, text: text, frame)
        case .atomic(let body):
            if frame.atomic == 0 { frame.atomicBegun = false }
            frame.atomic += 1
            try compile(body, frame)
            frame.atomic -= 1
            if frame.atomic == 0 { frame.atomicBegun = false }
        case .require(let condition, let rule):
            try compileRule(condition, rule.text, text: text, frame)
        case .start(let name):
            try compileStart(name, text: text, frame)
        case .crash: emitAssign(crashEffects, isLocal: false, text: text, frame: frame)
        }
    }

    private mutating func compileIf(
        _ condition: Expression, _ then: [Statement], _ other: [Statement], text: String, _ frame: Frame
    ) throws(ProgramError) {
        if let value = constant(condition, frame) {
            try compile(value != 0 ? then : other, frame)
            return
        }
        var branch = Instruction(operation: .branch)
        branch.isSilent = isLocal(condition, frame)
        branch.subject = Int32(try self.condition(condition, frame))
        let branchAt = code.instructions.count
        emit(branch, text: text, frame: frame)
        try compile(then, frame)
        if other.isEmpty {
            code.instructions[branchAt].other = position
        } else {
            let jumpAt = code.instructions.count
            emitJump(frame)
            code.instructions[branchAt].other = position
            try compile(other, frame)
            patch(jumpAt, next: position)
        }
    }

    private mutating func compileLoop(_ body: [Statement], _ frame: Frame) throws(ProgramError) {
        let begin = position
        frame.leaves.append([])
        try compile(body, frame)
        emitJump(frame)
        patch(code.instructions.count - 1, next: begin)
        for jump in frame.leaves.removeLast() { patch(jump, next: position) }
    }

    private mutating func compileCall(
        _ name: String, _ arguments: [Argument], _ result: String?, _ frame: Frame
    ) throws(ProgramError) {
        guard let procedure = program.procedure(named: name) else {
            throw .unknownName(name, kind: "procedure", procedure: frame.procedure.name)
        }
        var target = Field()
        if let result { target = try field(result, frame).field }
        var bound: [String: Argument.Value] = ["$self": .number(node)]
        for argument in arguments {
            switch argument.value {
            case .symbol(let name) where name.hasPrefix("$"):
                guard let value = frame.arguments[name] else {
                    throw .unknownName(name, kind: "parameter", procedure: frame.procedure.name)
                }
                bound["$" + argument.name] = value
            case .symbol, .number: bound["$" + argument.name] = argument.value
            }
        }
        _ = try inline(procedure, arguments: bound, callers: frame, localBase: frame.localEnd, result: target)
    }

    private mutating func compileReturn(_ value: Expression, text: String, _ frame: Frame) throws(ProgramError) {
        if frame.result.bits > 0 {
            let isLocal = isLocal(value, frame)
            emitAssign(
                [try effect(frame.result, values: 1 << Int(frame.result.bits), value, frame)], isLocal: isLocal,
                text: text,
                frame: frame)
        }
        frame.returns.append(code.instructions.count)
        emitJump(frame)
    }

    private mutating func compileChoice(
        _ branches: [[Statement]], text: String, _ frame: Frame
    ) throws(ProgramError) {
        var choice = Instruction(operation: .choose)
        choice.isSilent = false
        let choiceAt = code.instructions.count
        emit(choice, text: text, frame: frame)
        var targets: [Int32] = []
        var jumps: [Int] = []
        for branch in branches {
            targets.append(position)
            try compile(branch, frame)
            jumps.append(code.instructions.count)
            emitJump(frame)
        }
        for jump in jumps { patch(jump, next: position) }
        code.instructions[choiceAt].subject = Int32(code.targets.count)
        code.instructions[choiceAt].count = Int32(targets.count)
        code.targets += targets
    }

    private mutating func compileRule(
        _ condition: Expression, _ rule: String, text: String, _ frame: Frame
    ) throws(ProgramError) {
        var instruction = Instruction(operation: .require)
        instruction.isSilent = true
        instruction.subject = Int32(try self.condition(condition, frame))
        if let known = code.ruleNames.firstIndex(of: rule) {
            instruction.detail = Int32(known)
        } else {
            instruction.detail = Int32(code.ruleNames.count)
            code.ruleNames.append(rule)
        }
        emit(instruction, text: text, frame: frame)
    }

    private mutating func compileStart(_ name: String, text: String, _ frame: Frame) throws(ProgramError) {
        guard let target = code.threads.firstIndex(where: { $0.node == node && $0.name == name }) else {
            throw .unknownName(name, kind: "thread", procedure: frame.procedure.name)
        }
        var instruction = Instruction(operation: .start)
        instruction.subject = Int32(target)
        emit(instruction, text: text, frame: frame)
    }

    /// Everything of this node but the thread that says so.
    private var crashEffects: [Effect] {
        let others = code.threads.indices.filter { code.threads[$0].node == node && $0 != thread }
        let fields =
            others.flatMap { [layout.pc[$0], layout.locals[$0]] } + Array(layout.mutexes[node].values)
            + Array(layout.node[node].values)
        return fields.filter { $0.bits > 0 }.map { Effect(kind: .constant, target: $0) }
    }

    mutating func emitJump(_ frame: Frame) {
        let begun = frame.atomicBegun
        emit(Instruction(operation: .jump), text: "", frame: frame)
        code.instructions[code.instructions.count - 1].isSilent = true
        frame.atomicBegun = begun
    }

    mutating func compileConvert(
        _ name: String, _ mode: LockMode, _ noQueue: Bool, _ result: String?, text: String, _ frame: Frame
    ) throws(ProgramError) {
        var instruction = Instruction(operation: .convert)
        let number = try lock(name, frame)
        guard let place = code.locks[number].modes.firstIndex(of: mode.rawValue) else {
            throw .unsupported("mode \(mode) of \(name)", procedure: frame.procedure.name)
        }
        instruction.subject = Int32(number)
        instruction.detail = Int32(place)
        instruction.noQueue = noQueue
        if let result { instruction.result = try field(result, frame).field }
        emit(instruction, text: text, frame: frame)
    }

    mutating func compileWait(
        _ alternatives: [Statement.Alternative], queue: String?, idle: Bool, text: String, _ frame: Frame
    ) throws(ProgramError) {
        guard !alternatives.isEmpty else { throw .endlessWait(procedure: frame.procedure.name) }
        if frame.atomic > 0, frame.atomicBegun { throw .blockingInAtomic(procedure: frame.procedure.name) }
        if alternatives.allSatisfy({ constant($0.condition, frame) == 0 }) {
            throw .endlessWait(procedure: frame.procedure.name)
        }
        var instruction = Instruction(operation: queue == nil ? .wait : .waitEvent)
        instruction.isIdle = idle
        let waitAt = code.instructions.count
        emit(instruction, text: text, frame: frame)
        code.instructions[waitAt].isSilent = false
        if let queue {
            var asleep = Instruction(operation: .asleep)
            asleep.subject = Int32(try self.queue(queue, frame))
            emit(asleep, text: text, frame: frame)
            code.instructions[waitAt + 1].isSilent = false
        }
        code.waits[waitAt] = alternatives.filter { !$0.isTimeout }.map { $0.condition.substituting(frame.arguments) }
        var compiled: [CompiledAlternative] = []
        var jumps: [Int] = []
        let (atomic, begun) = (frame.atomic, frame.atomicBegun)
        for alternative in alternatives {
            let condition = Int32(try self.condition(alternative.condition, frame))
            compiled.append(
                CompiledAlternative(condition: condition, target: position, isTimeout: alternative.isTimeout))
            frame.atomic = max(atomic, 1)
            frame.atomicBegun = true
            try compile(alternative.effects, frame)
            jumps.append(code.instructions.count)
            emitJump(frame)
        }
        frame.atomic = atomic
        frame.atomicBegun = atomic > 0 ? true : begun
        for jump in jumps { patch(jump, next: position) }
        code.instructions[waitAt].subject = Int32(code.alternatives.count)
        code.instructions[waitAt].count = Int32(compiled.count)
        code.alternatives += compiled
    }
}
