// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol

extension Procedure: CustomStringConvertible {
    /// The procedure as C would have it.
    public var description: String {
        var text = ""
        if !source.isEmpty { text += "/* \(source) */\n" }
        text += "\(name)(\(parameters.joined(separator: ", ")))\n{\n"
        for local in locals { text += "\tint \(local.name) = 0;\n" }
        if !locals.isEmpty { text += "\n" }
        text += Statement.block(body, indent: 1)
        return text + "}\n"
    }
}

extension Statement {
    static func block(_ statements: [Statement], indent: Int) -> String {
        statements.map { $0.text(indent: indent) }.joined()
    }

    /// The statement in lines of C, each ended by a newline.
    func text(indent: Int) -> String {
        let tabs = String(repeating: "\t", count: indent)
        switch self {
        case .ifElse(_, let then, let other):
            var text = "\(tabs)\(line(in: [:])) {\n" + Self.block(then, indent: indent + 1)
            if !other.isEmpty { text += "\(tabs)} else {\n" + Self.block(other, indent: indent + 1) }
            return text + "\(tabs)}\n"
        case .loop(let body): return "\(tabs)for (;;) {\n" + Self.block(body, indent: indent + 1) + "\(tabs)}\n"
        case .atomic(let body): return "\(tabs)/* one step */ {\n" + Self.block(body, indent: indent + 1) + "\(tabs)}\n"
        case .choose(let branches):
            let parts = branches.map { Self.block($0, indent: indent + 1) }
            return "\(tabs)either {\n" + parts.joined(separator: "\(tabs)} or {\n") + "\(tabs)}\n"
        case .wait(let alternatives, _), .waitEvent(_, let alternatives):
            var text = "\(tabs)\(line(in: [:]));\n"
            for alternative in alternatives where !alternative.effects.isEmpty {
                text += "\(tabs)/* at \(alternative.isTimeout ? "timeout" : "\(alternative.condition)"): */ {\n"
                text += Self.block(alternative.effects, indent: indent + 1) + "\(tabs)}\n"
            }
            return text
        default: return "\(tabs)\(line(in: [:]));\n"
        }
    }

    /// The statement in one line, parameters replaced by what they stand for.
    func line(in arguments: [String: Argument.Value]) -> String {
        func name(_ text: String) -> String {
            guard text.hasPrefix("$") else { return text }
            switch arguments[text] {
            case .symbol(let value)?: return value
            case .number(let value)?: return String(value)
            case nil: return String(text.dropFirst())
            }
        }
        func modeText(_ expression: Expression) -> String {
            if case .variable(let parameter) = expression, case .number(let value)? = arguments[parameter] {
                return LockMode(rawValue: Int8(truncatingIfNeeded: value)).description
            }
            return "\(expression)"
        }
        func conditions(_ alternatives: [Alternative]) -> String {
            alternatives.map { $0.isTimeout ? "timeout" : $0.condition.description(in: arguments) }.joined(
                separator: " || ")
        }
        func assignment(_ result: String?) -> String { result.map { "\($0) = " } ?? "" }
        switch self {
        case .set(let target, let value): return "\(name(target)) = \(value.description(in: arguments))"
        case .ifElse(let condition, _, _): return "if (\(condition.description(in: arguments)))"
        case .loop: return "for (;;)"
        case .leave: return "break"
        case .call(let procedure, let list, let result):
            let values = list.map { argument -> String in
                switch argument.value {
                case .number: argument.description
                case .symbol(let symbol): name(symbol)
                }
            }
            return "\(assignment(result))\(procedure)(\(values.joined(separator: ", ")))"
        case .giveBack(let value): return "return \(value.description(in: arguments))"
        case .waitEvent(let queue, let alternatives): return "wait_event(\(name(queue)), \(conditions(alternatives)))"
        case .wait(let alternatives, _): return "wait(\(conditions(alternatives)))"
        case .wakeUp(let queue): return "wake_up(\(name(queue)))"
        case .lock(let mutex): return "mutex_lock(\(name(mutex)))"
        case .tryLock(let mutex, let result): return "\(result) = mutex_trylock(\(name(mutex)))"
        case .unlock(let mutex): return "mutex_unlock(\(name(mutex)))"
        case .convert(let lock, let mode, let noQueue, let result):
            return "\(assignment(result))dlm_lock(\(name(lock)), \(mode)\(noQueue ? ", NOQUEUE" : ""))"
        case .convertTo(let lock, let mode, let noQueue, let result):
            return "\(assignment(result))dlm_lock(\(name(lock)), \(modeText(mode))\(noQueue ? ", NOQUEUE" : ""))"
        case .cancel(let lock): return "dlm_unlock(\(name(lock)), CANCEL)"
        case .choose: return "either"
        case .atomic: return "one step"
        case .require(let condition, let rule): return "/* \(rule.text): \(condition.description(in: arguments)) */"
        case .start(let thread): return "wake_up_process(\(thread))"
        case .crash: return "this node is gone"
        }
    }
}

extension Expression {
    func description(in arguments: [String: Argument.Value]) -> String {
        arguments.isEmpty ? description : substituting(arguments).description
    }

    /// With parameters replaced by what they stand for.
    func substituting(_ arguments: [String: Argument.Value]) -> Expression {
        func name(_ text: String) -> String {
            if case .symbol(let value)? = arguments[text] { return value }
            return text
        }
        switch self {
        case .variable(let text):
            if case .number(let value)? = arguments[text] { return .constant(value) }
            return .variable(name(text))
        case .granted(let lock, let mode): return .granted(name(lock), mode)
        case .converting(let lock): return .converting(name(lock))
        case .locked(let mutex): return .locked(name(mutex))
        case .owned(let mutex): return .owned(name(mutex))
        case .constant, .running, .inside, .sleeping: return self
        case .on(let node, let inner): return .on(node, inner.substituting(arguments))
        case .equal(let left, let right): return .equal(left.substituting(arguments), right.substituting(arguments))
        case .less(let left, let right): return .less(left.substituting(arguments), right.substituting(arguments))
        case .not(let inner): return .not(inner.substituting(arguments))
        case .and(let left, let right): return .and(left.substituting(arguments), right.substituting(arguments))
        case .or(let left, let right): return .or(left.substituting(arguments), right.substituting(arguments))
        case .sum(let inner, let value): return .sum(inner.substituting(arguments), value)
        }
    }
}
