// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol

/// Names and expressions to fields and conditions.
extension Compiler {
    func symbol(_ name: String, _ frame: Frame) throws(ProgramError) -> String {
        guard name.hasPrefix("$") else { return name }
        guard case .symbol(let value)? = frame.arguments[name] else {
            throw .unknownName(name, kind: "parameter", procedure: frame.procedure.name)
        }
        return value
    }

    func lock(_ name: String, _ frame: Frame) throws(ProgramError) -> Int {
        let name = try symbol(name, frame)
        guard let number = lockNumbers[name] else {
            throw .unknownName(name, kind: "lock", procedure: frame.procedure.name)
        }
        return number
    }

    func queue(_ name: String, _ frame: Frame) throws(ProgramError) -> Int {
        let name = try symbol(name, frame)
        guard let number = queueNumbers[name] else {
            throw .unknownName(name, kind: "wait queue", procedure: frame.procedure.name)
        }
        return number * program.nodes + node
    }

    func mutex(_ name: String, _ frame: Frame) throws(ProgramError) -> Field {
        let name = try symbol(name, frame)
        guard let field = layout.mutexes[node][name] else {
            throw .unknownName(name, kind: "mutex", procedure: frame.procedure.name)
        }
        return field
    }

    func field(_ name: String, _ frame: Frame) throws(ProgramError) -> (field: Field, values: Int, isLocal: Bool) {
        let name = try symbol(name, frame)
        if let local = frame.locals[name] { return (local.field, local.values, true) }
        if let field = layout.node[node][name] {
            return (field, program.perNode.first { $0.name == name }?.values ?? 2, false)
        }
        if let field = layout.shared[name] {
            return (field, program.shared.first { $0.name == name }?.values ?? 2, false)
        }
        throw .unknownName(name, kind: "variable", procedure: frame.procedure.name)
    }

    func constant(_ expression: Expression, _ frame: Frame) -> Int? {
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

    func isLocal(_ expression: Expression, _ frame: Frame) -> Bool {
        switch expression {
        case .constant: return true
        case .variable(let name):
            // A parameter is a number, or stands for a variable.
            guard case .symbol(let variable)? = frame.arguments[name] else {
                return name.hasPrefix("$") || frame.locals[name] != nil
            }
            return frame.locals[variable] != nil
        case .equal(let left, let right), .less(let left, let right), .and(let left, let right),
            .or(let left, let right):
            return isLocal(left, frame) && isLocal(right, frame)
        case .not(let inner), .sum(let inner, _): return isLocal(inner, frame)
        default: return false
        }
    }

    mutating func effect(
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
                kind: .copy, target: target, source: try field(name, frame).field, value: Int32(addend),
                modulus: Int32(values))
        default: return Effect(kind: .condition, target: target, value: Int32(try condition(value, frame)))
        }
    }

    mutating func condition(_ expression: Expression, _ frame: Frame) throws(ProgramError) -> Int {
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
