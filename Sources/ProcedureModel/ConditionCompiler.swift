// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol

/// Turns an expression into an "or" of "and"s of tests of bits.
struct ConditionCompiler {
    let layout: Layout
    var node: Int
    let thread: Int
    let threads: [CompiledThread]
    let places: [Place]
    let locks: [CompiledLock]
    let program: Program
    let arguments: [String: Argument.Value]
    let locals: [String: Field]
    let procedure: String

    func compile(_ expression: Expression, into code: inout Code) throws(ProgramError) -> Int {
        let clauses = try clauses(expression, wanted: true, &code)
        let first = code.clauses.count
        for tests in clauses {
            let merged = merge(tests)
            code.clauses.append(Clause(first: Int32(code.tests.count), count: Int32(merged.count)))
            code.tests += merged
        }
        code.conditions.append(Condition(first: Int32(first), count: Int32(clauses.count)))
        return code.conditions.count - 1
    }

    /// Equalities of fields of the same word become one comparison.
    private func merge(_ tests: [Test]) -> [Test] {
        var result: [Test] = []
        for test in tests {
            if test.kind == .masked, let same = result.firstIndex(where: { $0.kind == .masked && $0.word == test.word })
            {
                let overlap = result[same].mask & test.mask
                if result[same].value & overlap != test.value & overlap { return [Test(kind: .never)] }
                result[same].mask |= test.mask
                result[same].value |= test.value
            } else {
                result.append(test)
            }
        }
        return result
    }

    private func clauses(_ expression: Expression, wanted: Bool, _ code: inout Code) throws(ProgramError) -> [[Test]] {
        switch expression {
        case .not(let inner): return try clauses(inner, wanted: !wanted, &code)
        case .and(let left, let right), .or(let left, let right):
            let leftClauses = try clauses(left, wanted: wanted, &code)
            let rightClauses = try clauses(right, wanted: wanted, &code)
            var isAnd = false
            if case .and = expression { isAnd = true }
            guard isAnd == wanted else { return leftClauses + rightClauses }
            let product = leftClauses.flatMap { left in rightClauses.map { left + $0 } }
            if product.count > 512 { throw .unsupported("a condition this large", procedure: procedure) }
            return product
        case .on(let number, let inner):
            var other = self
            other.node = number
            return try other.clauses(inner, wanted: wanted, &code)
        case .constant(let value): return (value != 0) == wanted ? [[]] : []
        case .variable:
            switch try operand(expression) {
            case .number(let value): return (value != 0) == wanted ? [[]] : []
            case .field(let field): return [[test(field, equals: 0, wanted: !wanted)]]
            }
        case .equal(let left, let right):
            switch (try operand(left), try operand(right)) {
            case (.number(let left), .number(let right)): return (left == right) == wanted ? [[]] : []
            case (.field(let field), .number(let value)), (.number(let value), .field(let field)):
                if value < 0 || value > Int(field.mask) { return wanted ? [] : [[]] }
                return [[test(field, equals: value, wanted: wanted)]]
            case (.field(let left), .field(let right)):
                return [[Test(kind: wanted ? .fieldsEqual : .fieldsDiffer, field: left, other: right)]]
            }
        case .less(let left, let right):
            guard case .field(let field) = try operand(left), case .number(let value) = try operand(right) else {
                throw .unsupported("\(expression)", procedure: procedure)
            }
            return [[Test(kind: wanted ? .less : .notLess, value: UInt64(max(0, value)), field: field)]]
        case .granted(let name, let mode):
            let lock = try lock(name)
            guard let place = locks[lock].modes.firstIndex(of: mode.rawValue) else { return wanted ? [] : [[]] }
            return [[test(locks[lock].granted[node], equals: place, wanted: wanted)]]
        case .converting(let name): return [[test(locks[try lock(name)].requested[node], equals: 0, wanted: !wanted)]]
        case .locked(let name): return [[test(try mutex(name), equals: 0, wanted: !wanted)]]
        case .owned(let name):
            return [[test(try mutex(name), equals: Machine.owner(of: thread, threads), wanted: wanted)]]
        case .running(let name): return [[test(layout.pc[try threadNumber(name)], equals: 0, wanted: !wanted)]]
        case .inside(let name, let inner):
            let number = try threadNumber(name)
            let thread = threads[number]
            code.sets.append((0..<thread.count).map { places[thread.first + $0].procedures.contains(inner) })
            let kind: Test.Kind = wanted ? .inSet : .notInSet
            return [[Test(kind: kind, value: UInt64(code.sets.count - 1), field: layout.pc[number])]]
        case .sleeping(let name, let queue):
            let number = try threadNumber(name)
            let thread = threads[number]
            guard let queueNumber = program.queues.firstIndex(of: queue) else {
                throw .unknownName(queue, kind: "wait queue", procedure: procedure)
            }
            code.sets.append(
                (0..<thread.count).map {
                    let instruction = code.instructions[thread.first + $0]
                    return instruction.operation == .asleep
                        && instruction.subject == Int32(queueNumber * program.nodes + node)
                })
            return [
                [Test(kind: wanted ? .inSet : .notInSet, value: UInt64(code.sets.count - 1), field: layout.pc[number])]
            ]
        case .sum: throw .unsupported("\(expression)", procedure: procedure)
        }
    }

    private enum Operand {
        case number(Int)
        case field(Field)
    }

    private func operand(_ expression: Expression) throws(ProgramError) -> Operand {
        switch expression {
        case .constant(let value): return .number(value)
        case .on(let number, let inner):
            var other = self
            other.node = number
            return try other.operand(inner)
        case .variable(let name):
            var name = name
            if name.hasPrefix("$") {
                switch arguments[name] {
                case .number(let value)?: return .number(value)
                case .symbol(let symbol)?: name = symbol
                case nil: throw .unknownName(name, kind: "parameter", procedure: procedure)
                }
            }
            if let field = locals[name] ?? layout.node[node][name] ?? layout.shared[name] { return .field(field) }
            throw .unknownName(name, kind: "variable", procedure: procedure)
        case .sum(let inner, let addend):
            guard case .number(let value) = try operand(inner) else {
                throw .unsupported("\(expression)", procedure: procedure)
            }
            return .number(value + addend)
        default: throw .unsupported("\(expression)", procedure: procedure)
        }
    }

    private func test(_ field: Field, equals value: Int, wanted: Bool) -> Test {
        Test(
            kind: wanted ? .masked : .notMasked, word: field.word, mask: field.mask << UInt64(field.shift),
            value: UInt64(value) << UInt64(field.shift), field: field)
    }

    private func symbol(_ name: String) throws(ProgramError) -> String {
        guard name.hasPrefix("$") else { return name }
        guard case .symbol(let value)? = arguments[name] else {
            throw .unknownName(name, kind: "parameter", procedure: procedure)
        }
        return value
    }

    private func lock(_ name: String) throws(ProgramError) -> Int {
        let name = try symbol(name)
        guard let number = locks.firstIndex(where: { $0.name == name }) else {
            throw .unknownName(name, kind: "lock", procedure: procedure)
        }
        return number
    }

    private func mutex(_ name: String) throws(ProgramError) -> Field {
        guard let field = layout.mutexes[node][try symbol(name)] else {
            throw .unknownName(name, kind: "mutex", procedure: procedure)
        }
        return field
    }

    private func threadNumber(_ name: String) throws(ProgramError) -> Int {
        guard let number = threads.firstIndex(where: { $0.node == node && $0.name == name }) else {
            throw .unknownName(name, kind: "thread", procedure: procedure)
        }
        return number
    }
}
