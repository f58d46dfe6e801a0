// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol

/// What a statement or an expression is made of, as an S-expression: `(set SEND_LOCK 0)`.
///
/// It comes from the tree alone and is what a stored list may refer to: the C that `Printing` makes of a statement may
/// be worded anew at any time, and two different statements may look alike in it. Two statements have the same
/// structure just when they are equal; of a rule only its id counts, not its sentence.
public indirect enum Structure: Hashable, Sendable {
    case number(Int)
    case name(String)
    case list([Structure])

    static func form(_ head: String, _ parts: Structure...) -> Structure { .list([.name(head)] + parts) }
    static func form(_ head: String, _ parts: [Structure]) -> Structure { .list([.name(head)] + parts) }
}

extension Structure: CustomStringConvertible {
    /// Names with anything but letters, digits and `_ $ . - > /` are written |between bars|, as SMT-LIB has it.
    public var description: String {
        switch self {
        case .number(let value): String(value)
        case .name(let text): Self.isPlain(text) ? text : "|\(Self.escaped(text))|"
        case .list(let parts): "(\(parts.map(\.description).joined(separator: " ")))"
        }
    }

    private static let operators: Set = ["=", "<", "+"]

    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first else { return false }
        if operators.contains(text) { return true }
        func isLetter(_ scalar: Unicode.Scalar) -> Bool {
            scalar.isASCII && scalar.properties.isAlphabetic || scalar == "_" || scalar == "$"
        }
        return isLetter(first)
            && text.unicodeScalars.allSatisfy {
                isLetter($0) || ("0"..."9").contains($0) || $0 == "." || $0 == "-" || $0 == ">" || $0 == "/"
            }
    }

    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            if character == "|" || character == "\\" { result += "\\" }
            result.append(character)
        }
    }
}

extension Expression {
    /// What it is made of.
    public var structure: Structure {
        switch self {
        case .constant(let value): .number(value)
        case .variable(let name): .name(name)
        case .granted(let lock, let mode): .form("granted", .name(lock), mode.structure)
        case .converting(let lock): .form("converting", .name(lock))
        case .locked(let mutex): .form("locked", .name(mutex))
        case .owned(let mutex): .form("owned", .name(mutex))
        case .running(let thread): .form("running", .name(thread))
        case .inside(let thread, let procedure): .form("inside", .name(thread), .name(procedure))
        case .sleeping(let thread, let queue): .form("sleeping", .name(thread), .name(queue))
        case .on(let node, let inner): .form("on", .number(node), inner.structure)
        case .equal(let left, let right): .form("=", left.structure, right.structure)
        case .less(let left, let right): .form("<", left.structure, right.structure)
        case .not(let inner): .form("not", inner.structure)
        case .and(let left, let right): .form("and", left.structure, right.structure)
        case .or(let left, let right): .form("or", left.structure, right.structure)
        case .sum(let inner, let value): .form("+", inner.structure, .number(value))
        }
    }
}

extension Statement {
    /// What it is made of, the statements inside it included.
    public var structure: Structure { structure(withBlocks: true) }

    /// What it is made of without the statements inside it: of an `ifElse` the condition, of a wait what it waits for.
    var head: Structure { structure(withBlocks: false) }

    private func structure(withBlocks isWhole: Bool) -> Structure {
        let inner = isWhole ? blocks.map { Structure.list($0.body.map(\.structure)) } : []
        switch self {
        case .set(let target, let value): return .form("set", .name(target), value.structure)
        case .ifElse(let condition, _, _): return .form("if", [condition.structure] + inner)
        case .loop: return .form("loop", inner)
        case .leave: return .form("leave")
        case .call(let procedure, let arguments, let result):
            return Self.answer(result, .form("call", [.name(procedure)] + arguments.map(\.structure)))
        case .giveBack(let value): return .form("give-back", value.structure)
        case .waitEvent(let queue, let alternatives):
            return .form("wait-event", [.name(queue)] + alternatives.map(\.structure) + inner)
        case .wait(let alternatives, let idle):
            return .form(idle ? "rest" : "wait", alternatives.map(\.structure) + inner)
        case .wakeUp(let queue): return .form("wake-up", .name(queue))
        case .lock(let mutex): return .form("lock", .name(mutex))
        case .tryLock(let mutex, let result): return Self.answer(result, .form("try-lock", .name(mutex)))
        case .unlock(let mutex): return .form("unlock", .name(mutex))
        case .convert(let lock, let mode, let noQueue, let result):
            return Self.answer(
                result, .form(noQueue ? "convert-no-queue" : "convert", .name(lock), mode.structure))
        case .convertTo(let lock, let mode, let noQueue, let result):
            return Self.answer(
                result, .form(noQueue ? "convert-to-no-queue" : "convert-to", .name(lock), mode.structure))
        case .cancel(let lock): return .form("cancel", .name(lock))
        case .choose: return .form("choose", inner)
        case .atomic: return .form("atomic", inner)
        case .require(let condition, let rule):
            return .form("require", .name(rule.id.description), condition.structure)
        case .start(let thread): return .form("start", .name(thread))
        case .crash: return .form("crash")
        }
    }

    private static func answer(_ result: String?, _ inner: Structure) -> Structure {
        result.map { .form("let", .name($0), inner) } ?? inner
    }
}

extension Statement.Alternative {
    /// What it waits for; what is done then are blocks of the wait.
    fileprivate var structure: Structure { isTimeout ? .form("timeout", condition.structure) : condition.structure }
}

extension Argument {
    fileprivate var structure: Structure {
        switch value {
        case .number(let number): .form(name, .number(number))
        case .symbol(let symbol): .form(name, .name(symbol))
        }
    }
}

extension LockMode {
    /// By DLM's name, which no printer chooses.
    fileprivate var structure: Structure {
        LockMode(name: description) == self ? .name(description) : .number(Int(rawValue))
    }
}
