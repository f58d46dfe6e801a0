// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol

/// Turns a program into a flat table of instructions over packed bits. Calls are inlined, so a thread's position in its
/// code says its whole call stack, and parameters cost nothing.
struct Compiler {
    let program: Program
    var layout: Layout
    var code = Code()
    /// Bits of locals that each thread needs, found while compiling.
    var localBits: [Int] = []
    var conditionNumbers: [Expression: [Int: Int]] = [:]
    var thread = 0
    var node = 0
    var depth = 0
    let lockNumbers: [String: Int]
    let queueNumbers: [String: Int]

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

    init(program: Program, layout: Layout) {
        self.program = program
        self.layout = layout
        lockNumbers = Dictionary(uniqueKeysWithValues: program.locks.enumerated().map { ($0.element.name, $0.offset) })
        queueNumbers = Dictionary(uniqueKeysWithValues: program.queues.enumerated().map { ($0.element, $0.offset) })
    }

    var threadList: [(node: Int, thread: Program.Thread)] {
        (0..<program.nodes).flatMap { node in
            program.threads.filter { $0.existsOn?.contains(node) ?? true }.map { (node, $0) }
        }
    }

    func makeLayout(pcBits: [Int]?, localBits: [Int]?, rules: Int = 1) -> Layout {
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
    func modesUsed(of lock: Program.Lock) -> [Int8] {
        var modes: Set<Int8> = [lock.initial.rawValue, 0]
        modes.formUnion(program.held.filter { $0.lock == lock.name }.map(\.mode.rawValue))
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
                    if let procedure = program.procedure(named: name) {
                        visit(procedure.body, bind(arguments, bindings))
                    }
                default: for block in statement.blocks { visit(block.body, bindings) }
                }
            }
        }
        // Recursion is refused when the threads are compiled; here only the bodies that a thread begins with are
        // followed.
        for thread in program.threads where !isRecursive(thread.procedure, []) {
            if let procedure = program.procedure(named: thread.procedure) { visit(procedure.body, [:]) }
        }
        return modes.sorted()
    }

    func isRecursive(_ name: String, _ callers: Set<String>) -> Bool {
        guard !callers.contains(name) else { return true }
        guard let procedure = program.procedure(named: name) else { return false }
        return procedure.body.contains { calls(in: $0).contains { isRecursive($0, callers.union([name])) } }
    }

    func calls(in statement: Statement) -> [String] {
        if case .call(let name, _, _) = statement { return [name] }
        return statement.blocks.flatMap { $0.body.flatMap(calls) }
    }

    func resolve(_ name: String, _ bindings: [String: Argument.Value]) -> String {
        if name.hasPrefix("$"), case .symbol(let value)? = bindings[name] { return value }
        return name
    }

    func bind(_ arguments: [Argument], _ bindings: [String: Argument.Value]) -> [String: Argument.Value] {
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

    mutating func compileThreads() throws(ProgramError) {
        for (number, lock) in program.locks.enumerated() {
            let modes = modesUsed(of: lock)
            let compatible = modes.map { mode in
                modes.enumerated().reduce(UInt32(0)) { bits, other in
                    LockMode(rawValue: mode).isCompatible(with: LockMode(rawValue: other.element))
                        ? bits | 1 << UInt32(other.offset) : bits
                }
            }
            code.locks.append(
                CompiledLock(
                    name: lock.name, modes: modes, compatible: compatible, granted: layout.granted[number],
                    requested: layout.requested[number], rank: layout.rank[number],
                    blockedSets: (0..<program.nodes).map { node in
                        lock.blockedSets.flatMap { layout.node[node][$0] } ?? Field()
                    }))
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
            emit(Instruction(operation: .end), text: "end", frame: frame)
            // Where a thread is started; in an empty procedure that is its end.
            code.instructions[first + 1].isSilent = false
            code.threads[number].count = code.instructions.count - first
        }
    }

    /// A procedure as inlined at one place.
    final class Frame {
        let procedure: Procedure
        let arguments: [String: Argument.Value]
        let caller: Frame?
        var locals: [String: (field: Field, values: Int)] = [:]
        var localEnd = 0
        /// Instructions of this call so far.
        var emitted = 0
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

        /// The procedure and those that called it, innermost first.
        var calls: [CallFrame] {
            let list = procedure.parameters.map { Argument(name: $0, value: arguments["$" + $0] ?? .symbol("?")) }
            return [CallFrame(procedure.name, list)] + (caller?.calls ?? [])
        }
    }

    var position: Int32 { Int32(code.instructions.count - code.threads[thread].first) }

    mutating func emit(_ instruction: Instruction, text: String, frame: Frame?) {
        var instruction = instruction
        instruction.next = position + 1
        if let frame, frame.atomic > 0 {
            if frame.atomicBegun { instruction.isSilent = true } else { instruction.isSilent = false }
            frame.atomicBegun = true
        }
        code.instructions.append(instruction)
        code.places.append(Place(calls: frame?.calls ?? [], ordinal: frame?.emitted ?? 0, text: text))
        frame?.emitted += 1
    }

    mutating func patch(_ instruction: Int, next: Int32) { code.instructions[instruction].next = next }

    mutating func inline(
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
            let cleared = Effect(
                kind: .constant, target: layout.locals[thread].part(from: localBase, bits: end - localBase))
            emitAssign([cleared], isLocal: true, text: "", frame: frame)
        }
        if let callers, callers.atomic > 0 { callers.atomicBegun = frame.atomicBegun }
        return frame
    }

    mutating func emitAssign(_ effects: [Effect], isLocal: Bool, text: String, frame: Frame) {
        var instruction = Instruction(operation: .assign)
        instruction.isSilent = isLocal
        instruction.subject = Int32(code.effects.count)
        instruction.count = Int32(effects.count)
        code.effects += effects
        emit(instruction, text: text, frame: frame)
    }
}
