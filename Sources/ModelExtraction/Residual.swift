// SPDX-License-Identifier: GPL-2.0
import ProcedureModel

/// What is left of a C function when all that is known has been worked out: a graph of steps that others can notice,
/// with jumps, and what is not looked at as steps of which only the text is known.
public struct Residual: Sendable {
    /// A step, and what follows.
    public struct Node: Sendable {
        public var step: Step
        /// The next nodes: two for tests (true, false), none for a return.
        public var next: [Int]
        /// Where the C is: the function's name and a line.
        public var function: String
        public var line: Int
    }

    public struct Alternative: Hashable, Sendable {
        /// nil for the end of a time limit.
        public var condition: Expression?
        /// Done in the same step.
        public var effects: [Step]
    }

    public indirect enum Step: Hashable, Sendable {
        case skip
        case set(String, Expression)
        /// A local gets a value that is not looked at.
        case note(String, symbol: String)
        case test(Expression)
        /// A procedure of the same file.
        case call(String, result: String?)
        /// A function of another file, by its name and what is known of its arguments.
        case external(String)
        case wait(queue: String?, [Alternative], how: String)
        case wake(queue: String, how: String)
        case lock(String)
        case unlock(String)
        case tryLock(String, result: String)
        case spinLock(String, how: String)
        case spinUnlock(String, how: String)
        /// dlm_lock: conversion of a lock, with DLM_LKF_NOQUEUE if the variable is 1.
        case convert(String, mode: Int, noQueue: String?, result: String)
        /// dlm_unlock with DLM_LKF_CANCEL.
        case cancel(String, result: String)
        /// dlm_unlock with DLM_LKF_FORCEUNLOCK.
        case forceUnlock(String, result: String)
        /// WARN_ON: must not be.
        case warn(Expression, String)
        /// A bit operation whose order is weaker or stronger than the usual: for comparisons of sources only.
        case order(String)
        case opaque(String)
        /// A condition that is not looked at.
        case ask(String)
        case give(Expression)
        case giveSymbol(String)
    }

    public var name: String
    public var function: String
    public internal(set) var nodes: [Node] = []
    public internal(set) var entry = 0
    /// The functions that were looked at for it, without those that it calls.
    public internal(set) var functions: Set<String> = []
    /// Names of the locals.
    public internal(set) var locals: Set<String> = []
    public var isVoid: Bool
    /// What it returns where that is one and the same thing.
    var result: Value?

    init(name: String, function: String, isVoid: Bool) {
        (self.name, self.function, self.isVoid) = (name, function, isVoid)
    }

    /// Takes out the nodes that do nothing and those that cannot be reached.
    mutating func compress() {
        let old = nodes
        func end(_ start: Int) -> Int {
            var node = start
            for _ in old {
                guard case .skip = old[node].step, let next = old[node].next.first else { break }
                node = next
            }
            return node
        }
        var numbers: [Int: Int] = [:]
        var order: [Int] = []
        var stack = [end(entry)]
        while let node = stack.popLast() {
            guard numbers[node] == nil else { continue }
            numbers[node] = order.count
            order.append(node)
            for next in old[node].next.reversed() { stack.append(end(next)) }
        }
        nodes = order.map { number in
            var node = old[number]
            node.next = node.next.map { numbers[end($0)] ?? 0 }
            return node
        }
        entry = 0
    }
}
