// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol

/// Turns a program into a flat table of instructions over packed bits. Calls are inlined, so a thread's position in its code
/// says its whole call stack, and parameters cost nothing.
struct Compiler {
    let program: Program
    var layout: Layout
    var code = Code()
    /// Bits of locals that each thread needs, found while compiling.
    var localBits: [Int] = []
    private var conditionNumbers: [Expression: [Int: Int]] = [:]
    private var thread = 0
    private var node = 0
    private var depth = 0
    private let lockNumbers: [String: Int]
    private let queueNumbers: [String: Int]

    /// Compiles twice: the first pass finds how many bits the positions and locals need.
    static func compile(_ program: Program) throws(ProgramError) -> (Code, Layout) {
        var first = Compiler(program: program, layout: Layout())
        first.layout = first.makeLayout(pcBits: nil, localBits: nil)
        try first.compileThreads()
        let sizes = first.code.threads.map { Field.bits(forValues: $0.count + 1) }
        var second = Compiler(program: program, layout: Layout())
        second.layout = second.makeLayout(
            pcBits: sizes, localBits: first.localBits, rules: first.code.ruleNames.count)
        try second.compileThreads()
        // A step that begins with a rule is known by what it does.
        for number in second.code.instructions.indices.dropLast()
        where second.code.instructions[number].operation == .require && !second.code.instructions[number].isSilent {
            second.code.places[number].text = second.code.places[number + 1].text
        }
        return (second.code, second.layout)
    }

    private init(program: Program, layout: Layout) {
        self.program = program
        self.layout = layout
        lockNumbers = Dictionary(uniqueKeysWithValues: program.locks.enumerated().map { ($0.element.name, $0.offset) })
        queueNumbers = Dictionary(uniqueKeysWithValues: program.queues.enumerated().map { ($0.element, $0.offset) })
    }

    private var threadList: [(node: Int, thread: Program.Thread)] {
        (0..<program.nodes).flatMap { node in
            program.threads.filter { $0.existsOn?.contains(node) ?? true }.map { (node, $0) }
        }
    }

    private func makeLayout(pcBits: [Int]?, localBits: [Int]?, rules: Int = 1) -> Layout {
        var layout = Layout()
        var space = FieldAllocator()
        let threads = threadList
        let modes = program.locks.map { modesUsed(of: $0) }
        let ownerBits = Field.bits(forValues: program.threads.count + 1)
        for variable in program.shared {
            layout.shared[variable.name] = space.allocate(bits: Field.bits(forValues: variable.values))
        }
        layout.granted = Array(repeating: [], count: program.locks.count)
        layout.requested = layout.granted
        layout.rank = layout.granted
        for node in 0..<program.nodes {
            for (index, item) in threads.enumerated() where item.node == node {
                layout.pc.append(space.allocate(bits: pcBits?[index] ?? 16))
                layout.locals.append(space.allocate(bits: localBits?[index] ?? 40))
            }
            var fields: [String: Field] = [:]
            for variable in program.perNode {
                fields[variable.name] = space.allocate(bits: Field.bits(forValues: variable.values))
            }
            layout.node.append(fields)
            layout.mutexes.append(
                Dictionary(uniqueKeysWithValues: program.mutexes.map { ($0, space.allocate(bits: ownerBits)) }))
            for lock in program.locks.indices {
                layout.granted[lock].append(space.allocate(bits: Field.bits(forValues: modes[lock].count)))
                layout.requested[lock].append(space.allocate(bits: Field.bits(forValues: modes[lock].count + 1)))
                layout.rank[lock].append(space.allocate(bits: Field.bits(forValues: program.nodes)))
            }
        }
        layout.broken = space.allocate(bits: Field.bits(forValues: rules + 1))
        layout.words = space.used.count
        layout.bits = space.used.reduce(0, +)
        return layout
    }

    /// The modes that the program can bring a lock into, lowest first.
    private func modesUsed(of lock: Program.Lock) -> [Int8] {
        var modes: Set<Int8> = [lock.initial.rawValue, 0]
        func visit(_ statements: [Statement], _ bindings: [String: Argument.Value]) {
            for statement in statements {
                switch statement {
                case .convert(let name, let mode, _, _):
                    if resolve(name, bindings) == lock.name { modes.insert(mode.rawValue) }
                case .convertTo(let name, .variable(let mode), _, _):
                    if resolve(name, bindings) == lock.name, case .number(let value)? = bindings[mode] {
                        modes.insert(Int8(truncatingIfNeeded: value))
                    }
                case .call(let name, let arguments, _):
                    if let procedure = program.procedure(named: name) { visit(procedure.body, bind(arguments, bindings)) }
                case .ifElse(_, let then, let other):
                    visit(then, bindings)
                    visit(other, bindings)
                case .loop(let body), .atomic(let body): visit(body, bindings)
                case .choose(let branches): for branch in branches { visit(branch, bindings) }
                case .wait(let alternatives, _), .waitEvent(_, let alternatives):
                    for alternative in alternatives { visit(alternative.effects, bindings) }
                default: continue
                }
            }
        }
        // Recursion is refused when the threads are compiled; here only the bodies that a thread begins with are followed.
        for thread in program.threads where !isRecursive(thread.procedure, []) {
            if let procedure = program.procedure(named: thread.procedure) { visit(procedure.body, [:]) }
        }
        return modes.sorted()
    }

    private func isRecursive(_ name: String, _ callers: Set<String>) -> Bool {
        guard !callers.contains(name) else { return true }
        guard let procedure = program.procedure(named: name) else { return false }
        return procedure.body.contains { calls(in: $0).contains { isRecursive($0, callers.union([name])) } }
    }

    private func calls(in statement: Statement) -> [String] {
        switch statement {
        case .call(let name, _, _): return [name]
        case .ifElse(_, let then, let other): return (then + other).flatMap(calls)
        case .loop(let body), .atomic(let body): return body.flatMap(calls)
        case .choose(let branches): return branches.flatMap { $0.flatMap(calls) }
        default: return []
        }
    }

    private func resolve(_ name: String, _ bindings: [String: Argument.Value]) -> String {
        if name.hasPrefix("$"), case .symbol(let value)? = bindings[name] { return value }
        return name
    }

    private func bind(_ arguments: [Argument], _ bindings: [String: Argument.Value]) -> [String: Argument.Value] {
        var result: [String: Argument.Value] = [:]
        for argument in arguments {
            switch argument.value {
            case .symbol(let name) where name.hasPrefix("$"): result["$" + argument.name] = bindings[name]
            case .number, .symbol: result["$" + argument.name] = argument.value
            }
        }
        return result
    }

    // MARK: Threads

    private mutating func compileThreads() throws(ProgramError) {
        for (number, lock) in program.locks.enumerated() {
            let modes = modesUsed(of: lock)
            let compatible = modes.map { mode in
                modes.enumerated().reduce(UInt32(0)) { bits, other in
                    LockMode(rawValue: mode).isCompatible(with: LockMode(rawValue: other.element)) ? bits | 1 << UInt32(other.offset) : bits
                }
            }
            code.locks.append(
                CompiledLock(
                    name: lock.name, modes: modes, compatible: compatible, granted: layout.granted[number],
                    requested: layout.requested[number], rank: layout.rank[number],
                    blockedSets: (0..<program.nodes).map { node in lock.blockedSets.flatMap { layout.node[node][$0] } ?? Field() }))
            if let name = lock.blockedSets, layout.node.first?[name] == nil {
                throw .unknownName(name, kind: "variable", procedure: "lock \(lock.name)")
            }
        }
        let list = threadList
        localBits = Array(repeating: 0, count: list.count)
        code.threads = list.map {
            CompiledThread(
                name: $0.thread.name, node: $0.node, first: 0, count: 0, runs: $0.thread.runsOn.contains($0.node),
                procedure: $0.thread.procedure)
        }
        for (number, item) in list.enumerated() {
            thread = number
            node = item.node
            guard let procedure = program.procedure(named: item.thread.procedure) else {
                throw .unknownName(item.thread.procedure, kind: "procedure", procedure: "thread \(item.thread.name)")
            }
            let first = code.instructions.count
            code.threads[number].first = first
            // Position 0 means that the thread does not run.
            emit(Instruction(operation: .end), text: "", frame: nil)
            let frame = try inline(
                procedure, arguments: ["$self": .number(node)], callers: nil, localBase: 0, result: Field())
            code.instructions[first + 1].isSilent = false
            emit(Instruction(operation: .end), text: "end", frame: frame)
            code.threads[number].count = code.instructions.count - first
        }
    }

    /// A procedure as inlined at one place.
    private final class Frame {
        let procedure: Procedure
        let arguments: [String: Argument.Value]
        let caller: Frame?
        var locals: [String: (field: Field, values: Int)] = [:]
        var localEnd = 0
        var result = Field()
        /// Jumps that wait for the end of the procedure.
        var returns: [Int] = []
        /// For each loop being compiled, the jumps that leave it.
        var leaves: [[Int]] = []
        /// > 0 inside an atomic; 1 until its first instruction is there.
        var atomic = 0
        var atomicBegun = false

        init(_ procedure: Procedure, _ arguments: [String: Argument.Value], caller: Frame?) {
            self.procedure = procedure
            self.arguments = arguments
            self.caller = caller
        }

        var stack: [String] {
            let list = procedure.parameters.map { Self.text(arguments["$" + $0], parameter: $0) }
            let name = procedure.name.hasSuffix(")") ? procedure.name : "\(procedure.name)(\(list.joined(separator: ", ")))"
            return [name] + (caller?.stack ?? [])
        }
        var procedures: [String] { [procedure.name] + (caller?.procedures ?? []) }

        private static func text(_ value: Argument.Value?, parameter: String) -> String {
            switch value {
            case .number(let number)?: Argument.text(number, parameter: parameter)
            case .symbol(let name)?: name
            case nil: "?"
            }
        }
    }

    private var position: Int32 { Int32(code.instructions.count - code.threads[thread].first) }

    private mutating func emit(_ instruction: Instruction, text: String, frame: Frame?) {
        var instruction = instruction
        instruction.next = position + 1
        if let frame, frame.atomic > 0 {
            if frame.atomicBegun { instruction.isSilent = true } else { instruction.isSilent = false }
            frame.atomicBegun = true
        }
        code.instructions.append(instruction)
        code.places.append(Place(stack: frame?.stack ?? [], procedures: frame?.procedures ?? [], text: text))
    }

    private mutating func patch(_ instruction: Int, next: Int32) { code.instructions[instruction].next = next }

    private mutating func inline(
        _ procedure: Procedure, arguments: [String: Argument.Value], callers: Frame?, localBase: Int, result: Field
    ) throws(ProgramError) -> Frame {
        var caller = callers
        while let frame = caller {
            if frame.procedure.name == procedure.name { throw .recursion(procedure: procedure.name) }
            caller = frame.caller
        }
        for parameter in procedure.parameters where arguments["$" + parameter] == nil {
            throw .missingArgument(parameter, procedure: procedure.name)
        }
        let frame = Frame(procedure, arguments, caller: callers)
        frame.result = result
        frame.atomic = callers?.atomic ?? 0
        frame.atomicBegun = callers?.atomicBegun ?? false
        var end = localBase
        for local in procedure.locals {
            let bits = Field.bits(forValues: local.values)
            frame.locals[local.name] = (layout.locals[thread].part(from: end, bits: bits), local.values)
            end += bits
        }
        frame.localEnd = end
        localBits[thread] = max(localBits[thread], end)
        if end > 40 { throw .tooManyValues(procedure.name) }
        try compile(procedure.body, frame)
        for jump in frame.returns { patch(jump, next: position) }
        if end > localBase, callers != nil {
            let cleared = Effect(kind: .constant, target: layout.locals[thread].part(from: localBase, bits: end - localBase))
            emitAssign([cleared], isLocal: true, text: "", frame: frame)
        }
        if let callers, callers.atomic > 0 { callers.atomicBegun = frame.atomicBegun }
        return frame
    }

    private mutating func emitAssign(_ effects: [Effect], isLocal: Bool, text: String, frame: Frame) {
        var instruction = Instruction(operation: .assign)
        instruction.isSilent = isLocal
        instruction.subject = Int32(code.effects.count)
        instruction.count = Int32(effects.count)
        code.effects += effects
        emit(instruction, text: text, frame: frame)
    }

    // MARK: Statements

    private mutating func compile(_ statements: [Statement], _ frame: Frame) throws(ProgramError) {
        for statement in statements { try compile(statement, frame) }
    }

    private mutating func compile(_ statement: Statement, _ frame: Frame) throws(ProgramError) {
        let text = statement.line(in: frame.arguments.filter { $0.key != "$self" })
        switch statement {
        case .set(let name, let value):
            let target = try field(name, frame)
            emitAssign(
                [try effect(target.field, values: target.values, value, frame)],
                isLocal: target.isLocal && isLocal(value, frame), text: text, frame: frame)
        case .ifElse(let condition, let then, let other):
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
        case .loop(let body):
            let begin = position
            frame.leaves.append([])
            try compile(body, frame)
            emitJump(frame)
            patch(code.instructions.count - 1, next: begin)
            for jump in frame.leaves.removeLast() { patch(jump, next: position) }
        case .leave:
            guard !frame.leaves.isEmpty else { throw .leaveOutsideLoop(procedure: frame.procedure.name) }
            frame.leaves[frame.leaves.count - 1].append(code.instructions.count)
            emitJump(frame)
        case .call(let name, let arguments, let result):
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
        case .giveBack(let value):
            if frame.result.bits > 0 {
                let isLocal = isLocal(value, frame)
                emitAssign(
                    [try effect(frame.result, values: 1 << Int(frame.result.bits), value, frame)], isLocal: isLocal, text: text,
                    frame: frame)
            }
            frame.returns.append(code.instructions.count)
            emitJump(frame)
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
            guard let value = constant(mode, frame) else { throw .notAConstant("\(mode)", procedure: frame.procedure.name) }
            try compileConvert(lock, LockMode(rawValue: Int8(truncatingIfNeeded: value)), noQueue, result, text: text, frame)
        case .cancel(let lock):
            var instruction = Instruction(operation: .cancel)
            instruction.subject = Int32(try self.lock(lock, frame))
            emit(instruction, text: text, frame: frame)
        case .choose(let branches):
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
        case .atomic(let body):
            if frame.atomic == 0 { frame.atomicBegun = false }
            frame.atomic += 1
            try compile(body, frame)
            frame.atomic -= 1
            if frame.atomic == 0 { frame.atomicBegun = false }
        case .require(let condition, let rule):
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
        case .start(let name):
            guard let target = code.threads.firstIndex(where: { $0.node == node && $0.name == name }) else {
                throw .unknownName(name, kind: "thread", procedure: frame.procedure.name)
            }
            var instruction = Instruction(operation: .start)
            instruction.subject = Int32(target)
            emit(instruction, text: text, frame: frame)
        }
    }

    private mutating func emitJump(_ frame: Frame) {
        let begun = frame.atomicBegun
        emit(Instruction(operation: .jump), text: "", frame: frame)
        code.instructions[code.instructions.count - 1].isSilent = true
        frame.atomicBegun = begun
    }

    private mutating func compileConvert(
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

    private mutating func compileWait(
        _ alternatives: [Statement.Alternative], queue: String?, idle: Bool, text: String, _ frame: Frame
    ) throws(ProgramError) {
        guard !alternatives.isEmpty else { throw .endlessWait(procedure: frame.procedure.name) }
        if frame.atomic > 0, frame.atomicBegun { throw .blockingInAtomic(procedure: frame.procedure.name) }
        if alternatives.allSatisfy({ constant($0.condition, frame) == 0 }) { throw .endlessWait(procedure: frame.procedure.name) }
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
            compiled.append(CompiledAlternative(condition: condition, target: position, isTimeout: alternative.isTimeout))
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

    // MARK: Names

    private func symbol(_ name: String, _ frame: Frame) throws(ProgramError) -> String {
        guard name.hasPrefix("$") else { return name }
        guard case .symbol(let value)? = frame.arguments[name] else {
            throw .unknownName(name, kind: "parameter", procedure: frame.procedure.name)
        }
        return value
    }

    private func lock(_ name: String, _ frame: Frame) throws(ProgramError) -> Int {
        let name = try symbol(name, frame)
        guard let number = lockNumbers[name] else { throw .unknownName(name, kind: "lock", procedure: frame.procedure.name) }
        return number
    }

    private func queue(_ name: String, _ frame: Frame) throws(ProgramError) -> Int {
        let name = try symbol(name, frame)
        guard let number = queueNumbers[name] else {
            throw .unknownName(name, kind: "wait queue", procedure: frame.procedure.name)
        }
        return number * program.nodes + node
    }

    private func mutex(_ name: String, _ frame: Frame) throws(ProgramError) -> Field {
        let name = try symbol(name, frame)
        guard let field = layout.mutexes[node][name] else {
            throw .unknownName(name, kind: "mutex", procedure: frame.procedure.name)
        }
        return field
    }

    private func field(_ name: String, _ frame: Frame) throws(ProgramError) -> (field: Field, values: Int, isLocal: Bool) {
        let name = try symbol(name, frame)
        if let local = frame.locals[name] { return (local.field, local.values, true) }
        if let field = layout.node[node][name] {
            return (field, program.perNode.first { $0.name == name }?.values ?? 2, false)
        }
        if let field = layout.shared[name] { return (field, program.shared.first { $0.name == name }?.values ?? 2, false) }
        throw .unknownName(name, kind: "variable", procedure: frame.procedure.name)
    }

    // MARK: Expressions

    private func constant(_ expression: Expression, _ frame: Frame) -> Int? {
        switch expression {
        case .constant(let value): return value
        case .variable(let name):
            if name.hasPrefix("$"), case .number(let value)? = frame.arguments[name] { return value }
            return nil
        case .not(let inner): return constant(inner, frame).map { $0 == 0 ? 1 : 0 }
        case .sum(let inner, let value): return constant(inner, frame).map { $0 + value }
        case .equal(let left, let right):
            guard let left = constant(left, frame), let right = constant(right, frame) else { return nil }
            return left == right ? 1 : 0
        case .and(let left, let right):
            let (left, right) = (constant(left, frame), constant(right, frame))
            if left == 0 || right == 0 { return 0 }
            return left != nil && right != nil ? 1 : nil
        case .or(let left, let right):
            let (left, right) = (constant(left, frame), constant(right, frame))
            if let left, left != 0 { return 1 }
            if let right, right != 0 { return 1 }
            return left != nil && right != nil ? 0 : nil
        default: return nil
        }
    }

    private func isLocal(_ expression: Expression, _ frame: Frame) -> Bool {
        switch expression {
        case .constant: return true
        case .variable(let name): return name.hasPrefix("$") || frame.locals[name] != nil
        case .equal(let left, let right), .less(let left, let right), .and(let left, let right), .or(let left, let right):
            return isLocal(left, frame) && isLocal(right, frame)
        case .not(let inner), .sum(let inner, _): return isLocal(inner, frame)
        default: return false
        }
    }

    private mutating func effect(
        _ target: Field, values: Int, _ value: Expression, _ frame: Frame
    ) throws(ProgramError) -> Effect {
        if let constant = constant(value, frame) {
            guard constant >= 0, constant < values else { throw .tooManyValues("\(frame.procedure.name): \(value)") }
            return Effect(kind: .constant, target: target, value: Int32(constant))
        }
        switch value {
        case .variable(let name):
            return Effect(kind: .copy, target: target, source: try field(name, frame).field, modulus: Int32(values))
        case .sum(.variable(let name), let addend):
            return Effect(
                kind: .copy, target: target, source: try field(name, frame).field, value: Int32(addend), modulus: Int32(values))
        default: return Effect(kind: .condition, target: target, value: Int32(try condition(value, frame)))
        }
    }

    private mutating func condition(_ expression: Expression, _ frame: Frame) throws(ProgramError) -> Int {
        let resolver = ConditionCompiler(
            layout: layout, node: node, thread: thread, threads: code.threads, places: code.places, locks: code.locks,
            program: program, arguments: frame.arguments, locals: frame.locals.mapValues(\.field),
            procedure: frame.procedure.name)
        return try resolver.compile(expression, into: &code)
    }

    /// The number of a condition of no procedure in particular, such as an invariant's.
    static func condition(
        _ expression: Expression, program: Program, layout: Layout, code: inout Code, name: String
    ) throws(ProgramError) -> Int {
        let resolver = ConditionCompiler(
            layout: layout, node: 0, thread: -1, threads: code.threads, places: code.places, locks: code.locks,
            program: program, arguments: [:], locals: [:], procedure: name)
        return try resolver.compile(expression, into: &code)
    }
}
