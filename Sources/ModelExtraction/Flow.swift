// SPDX-License-Identifier: GPL-2.0
import CSource

/// A C function as a row of instructions without calls inside of expressions: what is done when, in the order that C
/// has for it.
struct Flow {
    struct Instruction {
        enum Kind {
            case assign(CExpression, CExpression)
            /// A local struct of which all fields are 0.
            case zero(String, type: String)
            case call(result: String?, CExpression, [CExpression])
            /// Goes on if the condition is true, else at the instruction.
            case branch(CExpression, otherwise: Int)
            case jump(Int)
            case give(CExpression?)
            /// What is not known here, in words.
            case unsupported(String)
        }

        var kind: Kind
        /// Number of the statement that it belongs to.
        var statement: Int
    }

    let function: CFunction
    var instructions: [Instruction] = []
    /// All statements of the function in the order of the text.
    var statements: [CStatement] = []
    /// For each instruction the locals whose values may still be read at it or later.
    var live: [Set<String>] = []
    /// Parameters and locals; all other variables are the file's.
    var locals: Set<String> = []
    /// Locals whose places are kept in lists, and so may be read by whoever gets the list.
    var kept: Set<String> = []

    init(_ function: CFunction) {
        self.function = function
        var lowering = Lowering()
        lowering.block(function.body)
        lowering.emit(.give(nil))
        lowering.finish()
        instructions = lowering.instructions
        statements = lowering.statements
        live = Liveness.of(instructions)
        locals = Set(function.parameters.map(\.name))
        for case .declaration(let name, _, let initial) in statements.map(\.kind) {
            locals.insert(name)
            if case .initializer(_, let parts)? = initial { for part in parts { kept.formUnion(Liveness.names(part)) } }
        }
    }

    /// Whether the name is one that lowering made.
    static func isTemporary(_ name: String) -> Bool { name.hasPrefix("%") }

    /// The calls whose argument is a condition that is looked at again and again.
    static let waits: [String: Int] = ["mdlab_wait_event": 2, "mdlab_wait_event_timeout": 2]
}

/// C statements to instructions.
private struct Lowering {
    var instructions: [Flow.Instruction] = []
    var statements: [CStatement] = []
    private var statement = -1
    private var temporaries = 0
    private var labels: [String: Int] = [:]
    private var gotos: [(instruction: Int, label: String)] = []
    private var breaks: [[Int]] = []
    private var continues: [[Int]] = []

    mutating func emit(_ kind: Flow.Instruction.Kind) {
        instructions.append(.init(kind: kind, statement: max(0, statement)))
    }

    mutating func finish() {
        for jump in gotos { patch(jump.instruction, to: labels[jump.label] ?? instructions.count - 1) }
    }

    private var here: Int { instructions.count }

    private mutating func jump() -> Int {
        emit(.jump(-1))
        return here - 1
    }

    private mutating func patch(_ instruction: Int, to target: Int) {
        switch instructions[instruction].kind {
        case .branch(let condition, _): instructions[instruction].kind = .branch(condition, otherwise: target)
        default: instructions[instruction].kind = .jump(target)
        }
    }

    mutating func block(_ body: [CStatement]) {
        for item in body { lower(item) }
    }

    private mutating func lower(_ item: CStatement) {
        switch item.kind {
        case .block(let body): return block(body)
        case .label(let name):
            labels[name] = here
            return
        case .choiceLabel: return
        default: break
        }
        statements.append(item)
        statement = statements.count - 1
        switch item.kind {
        case .expression(let expression): effect(expression)
        case .declaration(let name, let type, let initial): declare(name, type, initial)
        case .branch(let condition, let then, let other): lowerIf(condition, then, other)
        case .whileLoop(let condition, let body): loop([], condition, nil, body, testsFirst: true)
        case .doLoop(let body, let condition): loop([], condition, nil, body, testsFirst: false)
        case .forLoop(let first, let condition, let step, let body):
            loop(first, condition, step, body, testsFirst: true)
        case .returns(let value): emit(.give(value.map { self.value($0) }))
        case .breaks:
            if breaks.isEmpty {
                emit(.unsupported("break outside of a loop"))
            } else {
                breaks[breaks.count - 1].append(jump())
            }
        case .continues:
            if continues.isEmpty {
                emit(.unsupported("continue outside of a loop"))
            } else {
                continues[continues.count - 1].append(jump())
            }
        case .jump(let label): gotos.append((jump(), label))
        case .choice(let subject, let body): choice(subject, body)
        case .assembly: emit(.unsupported("inline assembly"))
        case .unknown(let kind): emit(.unsupported(kind))
        case .block, .label, .choiceLabel: break
        }
    }

    private mutating func declare(_ name: String, _ type: String, _ initial: CExpression?) {
        guard let initial else { return }
        if case .initializer(let isZero, _) = initial {
            emit(isZero ? .zero(name, type: type) : .assign(.variable(name, type: type), initial))
        } else {
            emit(.assign(.variable(name, type: type), value(initial)))
        }
    }

    private mutating func lowerIf(_ condition: CExpression, _ then: [CStatement], _ other: [CStatement]) {
        let own = statement
        let fails = branch(condition)
        block(then)
        if other.isEmpty { return fails.forEach { patch($0, to: here) } }
        let end = jump()
        fails.forEach { patch($0, to: here) }
        statement = own
        block(other)
        patch(end, to: here)
    }

    private mutating func loop(
        _ first: [CStatement], _ condition: CExpression?, _ step: CExpression?, _ body: [CStatement], testsFirst: Bool
    ) {
        let own = statement
        for item in first {
            if case .expression(let expression) = item.kind { effect(expression) } else { lower(item) }
            statement = own
        }
        let top = here
        var fails: [Int] = []
        if testsFirst, let condition { fails = branch(condition) }
        breaks.append([])
        continues.append([])
        block(body)
        statement = own
        for place in continues.removeLast() { patch(place, to: here) }
        if let step { effect(step) }
        if !testsFirst, let condition { fails = branch(condition) }
        emit(.jump(top))
        for place in fails + breaks.removeLast() { patch(place, to: here) }
    }

    /// A switch as tests in a row, then the bodies, which may fall into one another.
    private mutating func choice(_ subject: CExpression, _ body: [CStatement]) {
        let own = statement
        let value = held(value(subject))
        var entries: [(label: CExpression?, jump: Int)] = []
        for case .choiceLabel(let label?) in body.map(\.kind) {
            emit(.branch(.binary("==", value, label), otherwise: -1))
            let test = here - 1
            entries.append((label, jump()))
            patch(test, to: here)
        }
        let last = jump()
        breaks.append([])
        var hasDefault = false
        for item in body {
            if case .choiceLabel(let label) = item.kind {
                for entry in entries where label != nil && entry.label == label { patch(entry.jump, to: here) }
                if label == nil {
                    patch(last, to: here)
                    hasDefault = true
                }
            }
            lower(item)
        }
        statement = own
        if !hasDefault { patch(last, to: here) }
        for place in breaks.removeLast() { patch(place, to: here) }
    }

    // MARK: Expressions

    /// Jumps that are taken if the condition is false.
    private mutating func branch(_ condition: CExpression) -> [Int] {
        switch condition {
        case .unary("!", .unary("!", let inner)): return branch(inner)
        case .binary("&&", let left, let right): return branch(left) + branch(right)
        case .binary("||", let left, let right):
            let fails = branch(left)
            let holds = jump()
            fails.forEach { patch($0, to: here) }
            let ends = branch(right)
            patch(holds, to: here)
            return ends
        case .unary("!", let inner):
            let holds = branch(inner)
            let fails = jump()
            holds.forEach { patch($0, to: here) }
            return [fails]
        case .integer(let value) where value != 0: return []
        default:
            emit(.branch(value(condition), otherwise: -1))
            return [here - 1]
        }
    }

    private mutating func temporary() -> String {
        temporaries += 1
        return "%\(temporaries)"
    }

    /// The value in something that can be read twice.
    private mutating func held(_ value: CExpression) -> CExpression {
        if case .variable = value { return value }
        let name = CExpression.variable(temporary(), type: "int")
        emit(.assign(name, value))
        return name
    }

    private mutating func effect(_ expression: CExpression) {
        switch expression {
        case .call(let callee, let arguments): call(callee, arguments, result: nil)
        case .assign: _ = value(expression)
        case .binary(",", let left, let right):
            effect(left)
            effect(right)
        case .conditional(let test, let then, let other):
            let fails = branch(test)
            effect(then)
            let end = jump()
            fails.forEach { patch($0, to: here) }
            effect(other)
            patch(end, to: here)
        case .block(let body): block(body)
        default: if expression.hasEffect { _ = value(expression) }
        }
    }

    private mutating func call(_ callee: CExpression, _ arguments: [CExpression], result: String?) {
        var lazy: Int?
        if case .function(let name) = callee { lazy = Flow.waits[name] }
        let values = arguments.enumerated().map { $0.offset == lazy ? $0.element : value($0.element) }
        emit(.call(result: result, callee.hasEffect ? value(callee) : callee, values))
    }

    /// The expression without calls and assignments in it; these come before.
    private mutating func value(_ expression: CExpression) -> CExpression {
        guard expression.hasEffect else { return expression }
        switch expression {
        case .call(let callee, let arguments):
            let name = temporary()
            call(callee, arguments, result: name)
            return .variable(name, type: "int")
        case .assign(let sign, let target, let right):
            let place = target.hasEffect ? value(target) : target
            let new = value(right)
            emit(.assign(place, sign == "=" ? new : .binary(String(sign.dropLast()), place, new)))
            return place
        case .binary("&&", _, _), .binary("||", _, _), .conditional: return decided(expression)
        case .binary(",", let left, let right):
            effect(left)
            return value(right)
        case .binary(let sign, let left, let right): return .binary(sign, value(left), value(right))
        case .unary(let sign, let inner): return .unary(sign, value(inner))
        case .member(let base, let field, let record, let type):
            return .member(value(base), field: field, record: record, type: type)
        case .addressOf(let inner): return .addressOf(value(inner))
        case .dereference(let inner): return .dereference(value(inner))
        case .index(let base, let index): return .index(value(base), value(index))
        case .block(let body):
            block(body.dropLast())
            guard case .expression(let last)? = body.last?.kind else { return .unknown("statement expression") }
            return value(last)
        default: return expression
        }
    }

    /// A value that depends on a condition.
    private mutating func decided(_ expression: CExpression) -> CExpression {
        let result = CExpression.variable(temporary(), type: "int")
        var (test, then, other) = (expression, CExpression.integer(1), CExpression.integer(0))
        if case .conditional(let condition, let left, let right) = expression {
            (test, then, other) = (condition, left, right)
        }
        let fails = branch(test)
        emit(.assign(result, value(then)))
        let end = jump()
        fails.forEach { patch($0, to: here) }
        emit(.assign(result, value(other)))
        patch(end, to: here)
        return result
    }
}
