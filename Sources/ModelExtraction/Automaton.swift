// SPDX-License-Identifier: GPL-2.0
import ProcedureModel

/// What a function does, with the functions that it calls in their places and its locals worked out: states, and steps
/// that others can notice.
struct Automaton: Sendable {
    struct Label: Hashable, Comparable, Sendable {
        var text: String
        /// How exactly, where that is below what the protocol knows: spin_lock or spin_lock_irq.
        var detail = ""
        /// Not looked at: only its text is known.
        var isOpaque = false

        static func < (left: Label, right: Label) -> Bool { (left.text, left.detail) < (right.text, right.detail) }
    }

    struct Edge: Hashable, Sendable {
        var label: Label
        var target: Int
        /// Where the step stands.
        var function: String
        var line: Int
    }

    /// The first state is the entry.
    var edges: [[Edge]] = []
    /// Whether exploration ended before all states were seen.
    var isCutOff = false
}

/// Explores the graph of a procedure and those that it calls.
struct AutomatonBuilder {
    /// A local's value: a number, or what is not looked at.
    enum Local: Hashable {
        case number(Int)
        case symbol(String)
    }

    struct Place: Hashable {
        var procedure: String
        var node: Int
    }

    struct State: Hashable {
        var stack: [Place]
        /// By depth, the locals that have a value.
        var locals: [[String: Local]]
        /// For the end: nothing follows.
        var isOver = false
    }

    private static let limit = 60_000

    let residuals: [String: Residual]
    private var numbers: [State: Int] = [:]
    private var work: [State] = []
    private var automaton = Automaton()

    static func build(_ entry: String, _ residuals: [String: Residual]) -> Automaton {
        var builder = AutomatonBuilder(residuals: residuals)
        return builder.run(entry)
    }

    private init(residuals: [String: Residual]) { self.residuals = residuals }

    private mutating func run(_ entry: String) -> Automaton {
        let first = State(stack: [Place(procedure: entry, node: residuals[entry]?.entry ?? 0)], locals: [[:]])
        _ = number(of: first)
        while let state = work.popLast() {
            guard automaton.edges.count < Self.limit else {
                automaton.isCutOff = true
                break
            }
            let number = numbers[state] ?? 0
            let edges = step(state)
            automaton.edges[number] = edges
        }
        return automaton
    }

    private mutating func number(of start: State) -> Int {
        let state = settled(start)
        if let known = numbers[state] { return known }
        numbers[state] = automaton.edges.count
        automaton.edges.append([])
        if !state.isOver { work.append(state) }
        return automaton.edges.count - 1
    }

    // MARK: What nobody notices

    /// Goes on until something can be noticed.
    private func settled(_ start: State) -> State {
        var state = start
        // A circle in which nothing happens is a state of its own.
        var steps = 0
        while steps < 10_000, let place = state.stack.last, let node = node(at: place) {
            steps += 1
            let locals = residuals[place.procedure]?.locals ?? []
            switch node.step {
            case .skip, .warn: advance(&state, node.next.first)
            case .note(let name, let symbol):
                state.locals[state.locals.count - 1][name] = .symbol(symbol)
                advance(&state, node.next.first)
            case .set(let name, let expression) where locals.contains(name):
                guard let value = known(expression, state) else { return state }
                state.locals[state.locals.count - 1][name] = value
                advance(&state, node.next.first)
            case .test(let expression):
                guard case .number(let value)? = known(expression, state) else { return state }
                advance(&state, node.next[value != 0 ? 0 : 1])
            case .call(let procedure, _):
                guard let called = residuals[procedure] else { return state }
                state.stack.append(Place(procedure: procedure, node: called.entry))
                state.locals.append([:])
            case .give(let expression) where state.stack.count > 1:
                guard let value = known(expression, state) else { return state }
                giveBack(value, &state)
            case .giveSymbol(let text) where state.stack.count > 1: giveBack(.symbol(text), &state)
            default: return state
            }
        }
        return state
    }

    private func node(at place: Place) -> Residual.Node? {
        guard let residual = residuals[place.procedure], place.node < residual.nodes.count else { return nil }
        return residual.nodes[place.node]
    }

    private func advance(_ state: inout State, _ next: Int?) {
        state.stack[state.stack.count - 1].node = next ?? 0
    }

    /// Leaves a procedure: its caller goes on behind the call.
    private func giveBack(_ value: Local, _ state: inout State) {
        state.stack.removeLast()
        state.locals.removeLast()
        guard let caller = state.stack.last, let node = node(at: caller), case .call(_, let result) = node.step else {
            return
        }
        if let result { state.locals[state.locals.count - 1][result] = value }
        advance(&state, node.next.first)
    }

    /// The value of an expression over locals; nil if it looks at the model's variables.
    private func known(_ expression: Expression, _ state: State) -> Local? {
        switch substituted(expression, state) {
        case .constant(let value): return .number(value)
        case .variable(let name) where name.hasPrefix("?"): return .symbol(String(name.dropFirst()))
        default: return nil
        }
    }

    /// The expression with the locals' values in it. What is not looked at is a variable whose name begins with "?".
    private func substituted(_ expression: Expression, _ state: State) -> Expression {
        func inner(_ expression: Expression) -> Expression {
            switch expression {
            case .variable(let name):
                guard let place = state.stack.last, residuals[place.procedure]?.locals.contains(name) == true else {
                    return expression
                }
                switch state.locals[state.locals.count - 1][name] {
                case .number(let value): return .constant(value)
                case .symbol(let text): return .variable("?" + text)
                case nil: return .variable("?unset")
                }
            case .not(let one):
                return inner(one).folded {
                    .not($0)
                } _: {
                    $0 == 0 ? 1 : 0
                }
            case .equal(let one, let other):
                return Expression.folded(inner(one), inner(other), { .equal($0, $1) }) { $0 == $1 ? 1 : 0 }
            case .less(let one, let other):
                return Expression.folded(inner(one), inner(other), { .less($0, $1) }) { $0 < $1 ? 1 : 0 }
            case .and(let one, let other):
                let (left, right) = (inner(one), inner(other))
                if left == .constant(0) || right == .constant(0) { return .constant(0) }
                return left.isTrue ? right : right.isTrue ? left : .and(left, right)
            case .or(let one, let other):
                let (left, right) = (inner(one), inner(other))
                if left.isTrue || right.isTrue { return .constant(1) }
                return left == .constant(0) ? right : right == .constant(0) ? left : .or(left, right)
            case .sum(let one, let value):
                return inner(one).folded {
                    .sum($0, value)
                } _: {
                    $0 + value
                }
            default: return expression
            }
        }
        return inner(expression)
    }

    // MARK: Steps

    private mutating func step(_ state: State) -> [Automaton.Edge] {
        guard let place = state.stack.last, let node = node(at: place) else { return [] }
        var edges: [Automaton.Edge] = []
        func edge(_ label: Automaton.Label, _ next: Int?, _ change: (inout State) -> Void = { _ in }) {
            var after = state
            change(&after)
            advance(&after, next)
            let target = number(of: after)
            edges.append(.init(label: label, target: target, function: node.function, line: node.line))
        }
        func end(_ label: Automaton.Label) {
            let target = number(of: State(stack: [], locals: [], isOver: true))
            edges.append(.init(label: label, target: target, function: node.function, line: node.line))
        }
        let next = node.next.first
        switch node.step {
        case .set(let name, let expression):
            let value = substituted(expression, state)
            guard residuals[place.procedure]?.locals.contains(name) == true else {
                edge(.init(text: "\(name) = \(value.plain)", isOpaque: value.isOpaque), next)
                break
            }
            for (text, local) in values(of: value) {
                edge(.init(text: text, isOpaque: value.isOpaque), next) {
                    $0.locals[$0.locals.count - 1][name] = local
                }
            }
        case .test(let expression):
            let (value, isTurned) = substituted(expression, state).turned
            let (yes, no) = isTurned ? (node.next[1], node.next[0]) : (node.next[0], node.next[1])
            edge(.init(text: "if \(value.plain)", isOpaque: value.isOpaque), yes)
            edge(.init(text: "if not \(value.plain)", isOpaque: value.isOpaque), no)
        case .ask(let text):
            edge(.init(text: "if \(text)", isOpaque: true), node.next[0])
            edge(.init(text: "if not \(text)", isOpaque: true), node.next[1])
        case .wait(let queue, let alternatives, let how):
            waits(queue, alternatives, how, state).forEach { label, change in edge(label, next, change) }
        case .give(let expression):
            let value = substituted(expression, state)
            guard state.stack.count > 1 else {
                let isVoid = residuals[place.procedure]?.isVoid == true
                // What is returned may be something that is not looked at.
                let known = isVoid ? Automaton.Label(text: "returns") : .init(text: "returns \(value.plain)")
                end(value.isOpaque && !isVoid ? .init(text: "returns", detail: value.plain) : known)
                break
            }
            for (text, local) in values(of: value) {
                var after = state
                giveBack(local, &after)
                let target = number(of: after)
                let label = Automaton.Label(text: text, isOpaque: value.isOpaque)
                edges.append(.init(label: label, target: target, function: node.function, line: node.line))
            }
        case .giveSymbol(let text): end(.init(text: "returns", detail: text))
        default:
            for (label, result) in plain(node.step) {
                edge(label, next) { state in
                    if let result { state.locals[state.locals.count - 1][result.name] = .number(result.value) }
                }
            }
        }
        return edges
    }

    /// What a shared variable may be found to be.
    private func values(of expression: Expression) -> [(String, Local)] {
        let (value, isTurned) = expression.turned
        if value.isCondition {
            // As if it were tested here: only the result goes on.
            return [
                ("if \(value.plain)", .number(isTurned ? 0 : 1)), ("if not \(value.plain)", .number(isTurned ? 1 : 0)),
            ]
        }
        var domain: [Int]?
        // What DLM's answers are in dlm_lock's status block.
        if case .variable(let name) = value, name.hasSuffix(".sb_status") { domain = [0, -11, -35] }
        guard let domain else { return [("reads \(value.plain)", .symbol(value.plain))] }
        return domain.map { ("\(value.plain) is \($0)", .number($0)) }
    }

    private func plain(_ step: Residual.Step) -> [(Automaton.Label, (name: String, value: Int)?)] {
        func either(_ text: String, _ name: String, _ values: [Int]) -> [(Automaton.Label, (name: String, value: Int)?)]
        {
            values.map { (.init(text: "\(text) -> \($0)"), (name, $0)) }
        }
        switch step {
        case .external(let text): return [(.init(text: text), nil)]
        case .wake(let queue, let how): return [(.init(text: "wake_up(\(queue))", detail: how), nil)]
        case .lock(let mutex): return [(.init(text: "mutex_lock(\(mutex))"), nil)]
        case .unlock(let mutex): return [(.init(text: "mutex_unlock(\(mutex))"), nil)]
        case .tryLock(let mutex, let result): return either("mutex_trylock(\(mutex))", result, [0, 1])
        case .spinLock(let lock, let how): return [(.init(text: "spin_lock(\(lock))", detail: how), nil)]
        case .spinUnlock(let lock, let how): return [(.init(text: "spin_unlock(\(lock))", detail: how), nil)]
        case .convert(let lock, let mode, _, let result):
            return either("dlm_lock(\(lock), \(Self.mode(mode)))", result, [0, -16])
        case .cancel(let lock, let result): return either("dlm_unlock(\(lock), CANCEL)", result, [0, -16])
        case .forceUnlock(let lock, let result): return either("dlm_unlock(\(lock), FORCEUNLOCK)", result, [0, -16])
        case .order(let how): return [(.init(text: how, isOpaque: true), nil)]
        case .opaque(let text): return [(.init(text: text, isOpaque: true), nil)]
        default: return [(.init(text: "\(step)", isOpaque: true), nil)]
        }
    }

    static func mode(_ number: Int) -> String {
        let names = ["NL", "CR", "CW", "PR", "PW", "EX"]
        return names.indices.contains(number) ? names[number] : String(number)
    }

    private func waits(
        _ queue: String?, _ alternatives: [Residual.Alternative], _ how: String, _ state: State
    ) -> [(Automaton.Label, (inout State) -> Void)] {
        let possible = alternatives.compactMap { alternative -> (Residual.Alternative, String)? in
            guard let condition = alternative.condition else { return (alternative, "the time limit") }
            let value = substituted(condition, state)
            return value == .constant(0) ? nil : (alternative, value.plain)
        }
        let whole = possible.map(\.1).joined(separator: " || ")
        let isTest = how.hasPrefix("test_and")
        return possible.map { alternative, text in
            var words: [String] = []
            var changes: [(String, Local)] = []
            let locals = state.stack.last.flatMap { residuals[$0.procedure]?.locals } ?? []
            for effect in alternative.effects {
                switch effect {
                case .set(let name, .constant(let number)) where locals.contains(name):
                    changes.append((name, .number(number)))
                case .set(let name, let value): words.append("\(name) = \(substituted(value, state).plain)")
                case .tryLock(let mutex, let result):
                    words.append("mutex_trylock(\(mutex))")
                    changes.append((result, .number(1)))
                default: words.append("\(effect)")
                }
            }
            let begin = isTest ? text : "\(how)(\(queue.map { $0 + ": " } ?? "")\(whole)) by \(text)"
            let label = Automaton.Label(text: ([begin] + words).joined(separator: "; "))
            return (
                label,
                { state in
                    for (name, value) in changes { state.locals[state.locals.count - 1][name] = value }
                }
            )
        }
    }
}

extension Expression {
    var isTrue: Bool { if case .constant(let value) = self { value != 0 } else { false } }

    /// Whether it depends on what is not looked at and on nothing else.
    var isOpaque: Bool {
        let names = variables
        return !names.isEmpty && names.allSatisfy { $0.hasPrefix("?") } && !isShared(besides: names)
    }

    /// In words, without the mark of what is not looked at.
    var plain: String { description.replacing("?", with: "") }

    /// Without a negation around it, and whether there was one.
    var turned: (Expression, Bool) {
        if case .not(let inner) = self {
            let (expression, isTurned) = inner.turned
            return (expression, !isTurned)
        }
        return (self, false)
    }

    func folded(_ make: (Expression) -> Expression, _ fold: (Int) -> Int) -> Expression {
        if case .constant(let value) = self { return .constant(fold(value)) }
        return make(self)
    }

    static func folded(
        _ one: Expression, _ other: Expression, _ make: (Expression, Expression) -> Expression,
        _ fold: (Int, Int) -> Int
    ) -> Expression {
        if case .constant(let left) = one, case .constant(let right) = other { return .constant(fold(left, right)) }
        return make(one, other)
    }
}
