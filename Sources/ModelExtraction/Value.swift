// SPDX-License-Identifier: GPL-2.0
import ProcedureModel

/// What is known of a value when a function is followed for certain arguments.
indirect enum Value: Hashable, Sendable {
    case number(Int)
    /// A truth value or number that depends on the model's variables or on locals of the procedure.
    case expression(Expression)
    /// The only one of a struct that a node has: an array, its cluster information.
    case object(String)
    /// A lock of the cluster by its DLM name, as a `struct dlm_lock_resource *`.
    case lock(String)
    case device(String)
    /// The number of this node's slot, plus something.
    case ownSlot(plus: Int)
    case thread(String)
    case function(String)
    case text(String)
    /// A local struct, by the beginning of the names of its fields.
    case record(String)
    /// The address of a local that is no struct.
    case local(String)
    /// The address of something that is no local.
    case place(String)
    /// What `lksb.sb_lvbptr` of a lock points to.
    case lvb(String)
    /// Not looked at: where it comes from, in words that do not depend on the names of locals.
    case symbol(Term)

    /// Where a value comes from that is not looked at.
    struct Term: Hashable, Sendable, ExpressibleByStringInterpolation {
        var text: String
        /// It was read before a step that can wait, or before its place was written.
        var isOld = false
        /// It is new memory.
        var isMemory = false

        init(_ text: String) { self.text = text }
        init(stringLiteral text: String) { self.init(text) }

        static let memory = {
            var term = Term("memory")
            term.isMemory = true
            return term
        }()
    }

    static let zero = Value.number(0)

    /// For labels and for the keys of procedures.
    var shown: String {
        switch self {
        case .number(let value): String(value)
        case .expression(let expression): "\(expression)"
        case .object(let name), .lock(let name), .device(let name), .thread(let name), .function(let name): name
        case .ownSlot(let plus): plus == 0 ? "own slot" : plus > 0 ? "own slot + \(plus)" : "own slot - \(-plus)"
        case .text(let text): "\"\(text)\""
        case .record: "struct"
        case .local: "&local"
        case .place(let name): "&" + name
        case .lvb(let lock): "\(lock).lvb"
        case .symbol(let term): term.isOld ? "before: " + term.text : term.text
        }
    }

    /// Whether it is a pointer that is not NULL.
    var isPointer: Bool {
        switch self {
        case .device, .function, .text, .record, .local, .place, .lvb: true
        case .number, .expression, .ownSlot, .symbol, .thread, .object, .lock: false
        }
    }
}

extension Value {
    /// The value as a condition; nil if it is not looked at.
    var truth: Value? {
        switch self {
        case .number(let value): .number(value == 0 ? 0 : 1)
        case .expression(let expression): .expression(expression.isCondition ? expression : expression != 0)
        // A thread, a lock, a cluster may not be there.
        case .ownSlot, .symbol, .thread, .object, .lock: nil
        default: .number(1)
        }
    }

    var negated: Value {
        switch truth {
        case .number(let value): .number(1 - value)
        case .expression(.not(let inner)): .expression(inner)
        case .expression(let expression): .expression(!expression)
        default: .symbol("!(\(shown))")
        }
    }

    /// Text that is long says no more than its beginning, and an endless one must end.
    static func symbol(of text: String) -> Value {
        .symbol(Term(text.count > 200 ? text.prefix(200) + "..." : text))
    }

    /// `left sign right`
    static func binary(_ sign: String, _ left: Value, _ right: Value) -> Value {
        if case .number(let one) = left, case .number(let other) = right, let value = fold(sign, one, other) {
            return .number(value)
        }
        switch sign {
        case "&&", "||":
            guard let one = left.truth, let other = right.truth else { return unknown(sign, left, right) }
            switch (one, other) {
            case (.number(let known), let rest), (let rest, .number(let known)):
                return sign == "&&" ? (known == 0 ? .zero : rest) : (known == 0 ? rest : .number(1))
            case (.expression(let one), .expression(let other)):
                return .expression(sign == "&&" ? one && other : one || other)
            default: return unknown(sign, left, right)
            }
        case "==", "!=", "<", ">", "<=", ">=": return compared(sign, left, right)
        case "+", "-":
            if case .ownSlot(let plus) = left, case .number(let value) = right {
                return .ownSlot(plus: sign == "+" ? plus + value : plus - value)
            }
        default: break
        }
        return unknown(sign, left, right)
    }

    private static func unknown(_ sign: String, _ left: Value, _ right: Value) -> Value {
        symbol(of: "(\(left.shown) \(sign) \(right.shown))")
    }

    private static func compared(_ sign: String, _ left: Value, _ right: Value) -> Value {
        switch sign {
        case "!=": return negatedKnown(compared("==", left, right), or: unknown(sign, left, right))
        case ">": return known(compared("<", right, left)) ?? unknown(sign, left, right)
        case "<=": return negatedKnown(compared("<", right, left), or: unknown(sign, left, right))
        case ">=": return negatedKnown(compared("<", left, right), or: unknown(sign, left, right))
        default: break
        }
        switch (left, right) {
        case (.expression(let one), .number(let value)):
            return .expression(sign == "==" ? .equal(one, .constant(value)) : .less(one, .constant(value)))
        case (.number(let value), .expression(let other)):
            return .expression(sign == "==" ? .equal(other, .constant(value)) : .less(.constant(value), other))
        case (.expression(let one), .expression(let other)):
            return .expression(sign == "==" ? .equal(one, other) : .less(one, other))
        case (.ownSlot(let plus), .number(let value)), (.number(let value), .ownSlot(let plus)):
            if sign == "==" { return .expression(.equal(.v("$self"), .constant(value - plus))) }
            // Slots are counted from 0.
            if case .number = right, value <= plus, sign == "<" { return .zero }
            if case .number = left, value < plus, sign == "<" { return .number(1) }
            return unknown(sign, left, right)
        case (.ownSlot(let plus), .expression(let other)), (.expression(let other), .ownSlot(let plus)):
            return sign == "==" ? .expression(.equal(other, .sum(.v("$self"), plus))) : unknown(sign, left, right)
        case (.ownSlot(let one), .ownSlot(let other)):
            return .number(sign == "==" ? (one == other ? 1 : 0) : one < other ? 1 : 0)
        default:
            guard sign == "==", left.isPointer || right.isPointer else { return unknown(sign, left, right) }
            if left == right { return .number(1) }
            switch (left, right) {
            case (.symbol, _), (_, .symbol), (.expression, _), (_, .expression): return unknown(sign, left, right)
            default: return .zero
            }
        }
    }

    private static func known(_ value: Value) -> Value? {
        if case .symbol = value { return nil }
        return value
    }

    private static func negatedKnown(_ value: Value, or other: Value) -> Value { known(value)?.negated ?? other }

    private static func fold(_ sign: String, _ left: Int, _ right: Int) -> Int? {
        switch sign {
        case "+": left &+ right
        case "-": left &- right
        case "*": left &* right
        case "|": left | right
        case "&": left & right
        case "^": left ^ right
        case "<<": left << right
        case ">>": left >> right
        case "/": right == 0 ? nil : left / right
        case "%": right == 0 ? nil : left % right
        case "==": left == right ? 1 : 0
        case "!=": left != right ? 1 : 0
        case "<": left < right ? 1 : 0
        case ">": left > right ? 1 : 0
        case "<=": left <= right ? 1 : 0
        case ">=": left >= right ? 1 : 0
        case "&&": left != 0 && right != 0 ? 1 : 0
        case "||": left != 0 || right != 0 ? 1 : 0
        default: nil
        }
    }
}

extension Expression {
    /// Whether its values are only 0 and 1, as far as can be seen from it.
    var isCondition: Bool {
        switch self {
        case .equal, .less, .not, .and, .or, .granted, .converting, .locked, .owned, .running, .inside, .sleeping: true
        case .constant(let value): value == 0 || value == 1
        case .on(_, let inner): inner.isCondition
        case .variable, .sum: false
        }
    }

    /// The names of variables in it.
    var variables: Set<String> {
        switch self {
        case .variable(let name): [name]
        case .constant, .granted, .converting, .locked, .owned, .running, .inside, .sleeping: []
        case .on(_, let inner), .not(let inner), .sum(let inner, _): inner.variables
        case .equal(let left, let right), .less(let left, let right), .and(let left, let right),
            .or(let left, let right):
            left.variables.union(right.variables)
        }
    }

    /// Whether it looks at anything but locals of these names.
    func isShared(besides locals: Set<String>) -> Bool {
        switch self {
        case .variable(let name): !locals.contains(name) && !name.hasPrefix("$")
        case .constant: false
        case .granted, .converting, .locked, .owned, .running, .inside, .sleeping: true
        case .on: true
        case .not(let inner), .sum(let inner, _): inner.isShared(besides: locals)
        case .equal(let left, let right), .less(let left, let right), .and(let left, let right),
            .or(let left, let right):
            left.isShared(besides: locals) || right.isShared(besides: locals)
        }
    }
}
