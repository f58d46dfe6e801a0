// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol

/// What a step reads: a truth value or a small number. Names are looked up among the procedure's locals, then the
/// node's variables, then the shared ones; a name that begins with "$" is a parameter of the procedure, known when it
/// is compiled.
public indirect enum Expression: Hashable, Sendable {
    case constant(Int)
    case variable(String)
    /// This node's lock on a DLM resource is granted in the mode.
    case granted(String, LockMode)
    /// A conversion of this node's lock waits to be granted.
    case converting(String)
    /// The mutex is held by some thread.
    case locked(String)
    /// The mutex is held by the thread that asks.
    case owned(String)
    /// The thread exists and has not ended.
    case running(String)
    /// The thread's call stack contains the procedure.
    case inside(thread: String, procedure: String)
    /// The thread sleeps in wait_event on the queue.
    case sleeping(String, String)
    /// As seen on a node, counted from 0. Only for what looks at all nodes, such as invariants.
    case on(Int, Expression)
    case equal(Expression, Expression)
    case less(Expression, Expression)
    case not(Expression)
    case and(Expression, Expression)
    case or(Expression, Expression)
    /// The sum, modulo the number of values of the variable that it is stored in.
    case sum(Expression, Int)
}

extension Expression {
    public static func == (left: Expression, right: Int) -> Expression { .equal(left, .constant(right)) }
    public static func != (left: Expression, right: Int) -> Expression { .not(.equal(left, .constant(right))) }
    public static func && (left: Expression, right: Expression) -> Expression { .and(left, right) }
    public static func || (left: Expression, right: Expression) -> Expression { .or(left, right) }
    public static prefix func ! (expression: Expression) -> Expression { .not(expression) }
    public static func + (left: Expression, right: Int) -> Expression { .sum(left, right) }
    public func equals(_ other: Expression) -> Expression { .equal(self, other) }

    public static let always = Expression.constant(1)
    public static func all(_ list: [Expression]) -> Expression {
        list.dropFirst().reduce(list.first ?? .constant(1)) { $0 && $1 }
    }
    public static func any(_ list: [Expression]) -> Expression {
        list.dropFirst().reduce(list.first ?? .constant(0)) { $0 || $1 }
    }
    /// The variables, locks and mutexes that it looks at, in their order.
    var names: [String] {
        switch self {
        case .variable(let name), .granted(let name, _), .converting(let name), .locked(let name), .owned(let name):
            [name]
        case .constant, .running, .inside, .sleeping: []
        case .on(_, let inner), .not(let inner), .sum(let inner, _): inner.names
        case .equal(let left, let right), .less(let left, let right), .and(let left, let right),
            .or(let left, let right):
            left.names + right.names
        }
    }

    public func implies(_ other: Expression) -> Expression { !self || other }

    /// A variable or a parameter by its name.
    public static func v(_ name: String) -> Expression { .variable(name) }
}

extension Expression: CustomStringConvertible {
    /// As C would have it.
    public var description: String { text(inside: 0) }

    /// Parenthesized where an operator around it binds more tightly: 1 for ||, 2 for &&, 3 for comparisons, 4 for !.
    private func text(inside level: Int) -> String {
        func wrap(_ own: Int, _ text: String) -> String { own < level ? "(\(text))" : text }
        switch self {
        case .constant(let value): return String(value)
        case .variable(let name): return name.hasPrefix("$") ? String(name.dropFirst()) : name
        case .granted(let lock, let mode): return wrap(3, "\(clean(lock)).mode == \(mode)")
        case .converting(let lock): return "converting(\(clean(lock)))"
        case .locked(let mutex): return "mutex_is_locked(\(mutex))"
        case .owned(let mutex): return "mutex_is_mine(\(mutex))"
        case .running(let thread): return "running(\(thread))"
        case .inside(let thread, let procedure): return "in(\(thread), \(procedure))"
        case .sleeping(let thread, let queue): return "sleeping(\(thread), \(queue))"
        case .on(let node, let expression): return "node\(node + 1):" + expression.text(inside: 4)
        case .equal(let left, let right): return wrap(3, "\(left.text(inside: 4)) == \(right.text(inside: 4))")
        case .less(let left, let right): return wrap(3, "\(left.text(inside: 4)) < \(right.text(inside: 4))")
        case .not(.equal(let left, let right)): return wrap(3, "\(left.text(inside: 4)) != \(right.text(inside: 4))")
        case .not(.granted(let lock, let mode)): return wrap(3, "\(clean(lock)).mode != \(mode)")
        case .not(let expression): return "!" + expression.text(inside: 4)
        case .and(let left, let right): return wrap(2, "\(left.text(inside: 2)) && \(right.text(inside: 2))")
        case .or(let left, let right): return wrap(1, "\(left.text(inside: 1)) || \(right.text(inside: 1))")
        case .sum(let left, let value): return wrap(3, "\(left.text(inside: 4)) + \(value)")
        }
    }

    private func clean(_ name: String) -> String { name.hasPrefix("$") ? String(name.dropFirst()) : name }
}
