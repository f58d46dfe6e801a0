// SPDX-License-Identifier: GPL-2.0
import CSource
import ProcedureModel

/// Follows one function for what is known of its arguments: all that can be worked out is, the rest is left as steps.
///
/// A place of the function is looked at once for each different knowledge of the locals that are still read there, so
/// loops over known numbers end by themselves, and ways that know the same become one.
final class Walk {
    /// A function that is being followed, and where it is.
    struct Frame: Hashable {
        var function: String
        var point: Int
        /// The caller's local that gets what it returns.
        var result: String?
        /// The beginning of its locals' names.
        var prefix: String
    }

    struct State: Hashable {
        var frames: [Frame]
        var known: [String: Value]

        var top: Frame {
            get { frames[frames.count - 1] }
            set { frames[frames.count - 1] = newValue }
        }
    }

    /// More different states of knowledge at one place than any bounded loop of md's makes.
    private static let limit = 400

    let extraction: Extraction
    let flow: Flow
    var residual: Residual
    private var numbers: [State: Int] = [:]
    private var work: [State] = []
    private var visits: [Frame: Int] = [:]
    private var results: Set<Value> = []
    /// The node that the next step becomes.
    private var current = 0
    /// What is being followed now.
    var state: State
    var meaning: Meaning { extraction.meaning }

    init(_ extraction: Extraction, _ flow: Flow, name: String) {
        self.extraction = extraction
        self.flow = flow
        residual = Residual(name: name, function: flow.function.name, isVoid: flow.function.returns == "void")
        state = State(
            frames: [Frame(function: flow.function.name, point: 0, result: nil, prefix: "")], known: [:])
    }

    func run(_ arguments: [Value]) throws(ExtractionError) -> Residual {
        for (parameter, value) in zip(flow.function.parameters, arguments) { state.known[parameter.name] = value }
        residual.entry = node(for: state)
        while let next = work.popLast() {
            state = next
            current = numbers[next] ?? 0
            visits[next.top, default: 0] += 1
            residual.functions.insert(next.top.function)
            if visits[next.top, default: 0] > Self.limit { throw error(.unboundedLoop) }
            try follow()
        }
        if results.count == 1, let only = results.first {
            if case .expression = only {} else { residual.result = only }
        }
        residual.compress()
        return residual
    }

    func error(_ reason: ExtractionError.Reason) -> ExtractionError {
        ExtractionError(function: state.top.function, line: line, reason: reason)
    }

    // MARK: Nodes

    private var topFlow: Flow { extraction.flow(state.top.function) ?? flow }
    private var instruction: Flow.Instruction { topFlow.instructions[state.top.point] }
    private var line: Int {
        let flow = topFlow
        let statement = flow.instructions[state.top.point].statement
        return statement < flow.statements.count ? flow.statements[statement].lines.lowerBound : 0
    }

    func mark(_ fate: Fate) { extraction.accounting.note(state.top.function, instruction.statement, fate) }

    private func newNode() -> Int {
        residual.nodes.append(.init(step: .skip, next: [], function: state.top.function, line: line))
        return residual.nodes.count - 1
    }

    /// The node at which a state's steps begin.
    func node(for next: State) -> Int {
        let pruned = prune(next)
        if let known = numbers[pruned] { return known }
        let old = state
        state = pruned
        let made = newNode()
        state = old
        numbers[pruned] = made
        work.append(pruned)
        return made
    }

    /// Forgets what nobody will read.
    private func prune(_ next: State) -> State {
        var next = next
        guard let flow = extraction.flow(next.top.function) else { return next }
        let live = flow.live[min(next.top.point, flow.live.count - 1)]
        let prefix = next.top.prefix
        let others = Set(next.frames.dropLast().map(\.prefix))
        next.known = next.known.filter { key, _ in
            guard !key.hasPrefix("#") else { return true }
            let owner = key.split(separator: ":").count > 1 ? key.prefix { $0 != ":" } + ":" : ""
            guard owner == prefix else { return others.contains(String(owner)) }
            return live.contains(String(key.dropFirst(prefix.count).prefix { $0 != "." && $0 != "?" }))
        }
        return next
    }

    /// Adds a step to the way that is being followed.
    func emit(_ step: Residual.Step) {
        residual.nodes[current].step = step
        residual.nodes[current].function = state.top.function
        residual.nodes[current].line = line
        let next = newNode()
        residual.nodes[current].next = [next]
        current = next
    }

    /// Ends the way here: it goes on at a state.
    func proceed(to next: State) {
        residual.nodes[current].next = [node(for: next)]
    }

    func proceed() {
        state.top.point += 1
        proceed(to: state)
    }

    /// A step that ends the way in two.
    private func fork(_ step: Residual.Step, _ then: State, _ other: State) {
        residual.nodes[current].step = step
        residual.nodes[current].function = state.top.function
        residual.nodes[current].line = line
        residual.nodes[current].next = [node(for: then), node(for: other)]
    }

    /// A test whose true side goes its own way; the way that is being followed goes on where it is false.
    func fork(_ step: Residual.Step, then: State) {
        residual.nodes[current].step = step
        residual.nodes[current].function = state.top.function
        residual.nodes[current].line = line
        let other = newNode()
        residual.nodes[current].next = [node(for: then), other]
        current = other
    }

    // MARK: Instructions

    private func follow() throws(ExtractionError) {
        switch instruction.kind {
        case .jump(let target):
            // Many jumps are none of the source's.
            switch topFlow.statements[instruction.statement].kind {
            case .jump, .breaks, .continues: mark(.modelled)
            default: break
            }
            state.top.point = target
            proceed(to: state)
        case .assign(let target, let expression): assign(expression, to: target)
        case .zero(let name, let type):
            if Self.isRecord(type) {
                setZero(name)
                mark(.modelled)
            } else {
                store(.symbol("{}"), key(name))
                mark(.notLookedAt(type))
            }
            proceed()
        case .call(let result, let callee, let arguments): try call(callee, arguments, result: result)
        case .branch(let condition, let otherwise): branch(condition, otherwise: otherwise)
        case .give(let value): try give(value)
        case .unsupported(let what):
            mark(.notLookedAt(what))
            settle()
            emit(.opaque(what))
            proceed()
        }
    }

    private func assign(_ expression: CExpression, to target: CExpression) {
        if case .variable(let name, let type) = target, isLocal(name) {
            var new = value(expression)
            // Memory for the only one of a struct.
            if case .symbol(let term) = new, term.isMemory, let record = Self.record(type),
                meaning.objects.contains(record)
            {
                new = .object(record)
            }
            if case .symbol = new {
                mark(isRead(name) ? .notLookedAt(new.shown) : .harmless("nothing reads it"))
            } else {
                mark(.modelled)
            }
            if Self.isRecord(type), case .record(let from) = new { copyFields(from, to: key(name)) }
            store(new, key(name))
            keepPresence(of: expression, in: name)
        } else {
            settle()
            write(value(expression), to: target)
        }
        proceed()
    }

    /// A pointer to a thread that may be NULL: whether it was when it was read.
    private func keepPresence(of expression: CExpression, in name: String) {
        state.known[key(name) + "?"] = presence(of: expression)
    }

    private func isRead(_ name: String) -> Bool {
        let flow = topFlow
        let next = min(state.top.point + 1, flow.live.count - 1)
        return flow.live[next].contains(name)
    }

    private func branch(_ condition: CExpression, otherwise: Int) {
        let test = presence(of: condition) ?? value(condition)
        var (then, other) = (state, state)
        then.top.point += 1
        other.top.point = otherwise
        if let assumed = assumption(condition) {
            mark(.notLookedAt("a condition that is assumed"))
            return proceed(to: assumed ? then : other)
        }
        switch test.truth {
        case .number(let value):
            mark(.modelled)
            proceed(to: value != 0 ? then : other)
        case .expression(let expression):
            mark(.modelled)
            let readNow = state.known.filter { $0.value == test }.map(\.key)
            settle(besides: Set(readNow))
            (then.known, other.known) = (state.known, state.known)
            for name in readNow {
                if expression.isCondition, case .expression(let held) = test, held.isCondition {
                    then.known[name] = .number(1)
                }
                other.known[name] = .zero
            }
            // A local that is not true is 0, and one that equals a number is that number.
            if case .variable(let name) = expression.subject, state.known[name] == .expression(.variable(name)) {
                other.known[name] = .zero
            }
            if case .equal(.variable(let name), .constant(let number)) = expression,
                state.known[name] == .expression(.variable(name))
            {
                then.known[name] = .number(number)
            }
            fork(.test(expression), then, other)
        default:
            mark(.notLookedAt("the condition \(test.shown)"))
            settle()
            (then.known, other.known) = (state.known, state.known)
            for (name, value) in state.known where value == test { other.known[name] = .zero }
            fork(.ask(test.shown), then, other)
        }
    }

    private func assumption(_ condition: CExpression) -> Bool? {
        let text = "\(condition)"
        for told in meaning.conditions
        where told.text == text && (told.function == nil || told.function == state.top.function) {
            extraction.assumptions.insert(told.says)
            return told.holds
        }
        return nil
    }

    private func give(_ expression: CExpression?) throws(ExtractionError) {
        let result = expression.map { value($0) } ?? .zero
        if case .text(let lock)? = state.known["#spin"] { throw error(.spinLockHeld(lock)) }
        if expression != nil { mark(.modelled) }
        if case .symbol = result { mark(.notLookedAt(result.shown)) }
        guard state.frames.count > 1 else {
            results.insert(result)
            switch result {
            case .number(let value): end(.give(.constant(value)))
            case .expression(let value): end(.give(value))
            default: end(.giveSymbol(result.shown))
            }
            return
        }
        let done = state.frames.removeLast()
        if let name = done.result {
            if case .expression(let value) = result, value.isShared(besides: residual.locals) {
                emit(.set(name, value))
                residual.locals.insert(name)
                state.known[name] = .expression(.variable(name))
            } else {
                state.known[name] = result
            }
        }
        state.known = state.known.filter { !$0.key.hasPrefix(done.prefix) }
        proceed()
    }

    private func end(_ step: Residual.Step) {
        residual.nodes[current].step = step
        residual.nodes[current].function = state.top.function
        residual.nodes[current].line = line
        residual.nodes[current].next = []
    }
}

extension Expression {
    /// What a condition is about: x of x, x != 0.
    var subject: Expression {
        if case .not(.equal(let inner, .constant(0))) = self { return inner }
        return self
    }
}
