// SPDX-License-Identifier: GPL-2.0
import CSource

/// Small changes of a C file, as a mistake in a patch would be: they show what a comparison of sources notices.
public enum SourceMutants {
    public struct Mutant: Sendable {
        public var function: String
        public var line: Int
        /// Of the other statement, where two change their places.
        public var otherLine: Int?
        /// What is done to the statement.
        public var change: String
        public var unit: CUnit

        /// Stays while the lines move: the function, the change and the statement's own text.
        public var name: String {
            let text = line > 0 && line <= unit.text.count ? unit.text[line - 1] : ""
            return "\(function): \(change): \(text.split(whereSeparator: \.isWhitespace).joined(separator: " "))"
        }
    }

    /// All mutants of a file: each statement dropped, each two neighbours swapped, each condition turned round, each
    /// lock mode and truth value in a call changed.
    public static func all(of unit: CUnit) -> [Mutant] {
        var mutants: [Mutant] = []
        for (index, function) in unit.functions.enumerated() {
            for edit in edits(of: function.body) {
                var changed = unit
                changed.functions[index].body = edit.body
                mutants.append(
                    Mutant(
                        function: function.name, line: edit.line, otherLine: edit.otherLine, change: edit.change,
                        unit: changed))
            }
        }
        return mutants
    }

    private struct Edit {
        var change: String
        var line: Int
        var otherLine: Int?
        var body: [CStatement]
    }

    private struct InnerEdit {
        var change: String
        var line: Int
        var otherLine: Int?
        var statement: CStatement
    }

    private static func edits(of body: [CStatement]) -> [Edit] {
        var found: [Edit] = []
        for (index, statement) in body.enumerated() {
            func add(_ change: String, _ new: [CStatement]) {
                var changed = body
                changed.replaceSubrange(index...index, with: new)
                found.append(Edit(change: change, line: statement.lines.lowerBound, body: changed))
            }
            if isAction(statement) { add("dropped", []) }
            if index + 1 < body.count, isAction(statement), isAction(body[index + 1]),
                statement.kind != body[index + 1].kind
            {
                var changed = body
                changed.swapAt(index, index + 1)
                found.append(
                    Edit(
                        change: "after the next", line: statement.lines.lowerBound,
                        otherLine: body[index + 1].lines.lowerBound, body: changed))
            }
            if let turned = turned(statement) { add("turned", [turned]) }
            for (change, new) in arguments(statement) { add(change, [new]) }
            for edit in inner(statement) {
                var changed = body
                changed[index] = edit.statement
                found.append(Edit(change: edit.change, line: edit.line, otherLine: edit.otherLine, body: changed))
            }
        }
        return found
    }

    private static func isAction(_ statement: CStatement) -> Bool {
        switch statement.kind {
        case .expression, .returns, .jump, .breaks, .continues: true
        case .branch, .whileLoop, .forLoop, .doLoop, .choice, .block: true
        default: false
        }
    }

    private static func turned(_ statement: CStatement) -> CStatement? {
        guard case .branch(let condition, let then, let other) = statement.kind else { return nil }
        return CStatement(.branch(.unary("!", condition), then, other), lines: statement.lines)
    }

    /// A call with another lock mode or truth value.
    private static func arguments(_ statement: CStatement) -> [(String, CStatement)] {
        var found: [(String, CStatement)] = []
        func changed(_ expression: CExpression, _ make: (CExpression) -> CStatement.Kind) {
            guard let (call, wrap) = call(in: expression), case .call(let callee, let list) = call,
                case .function(let name) = callee, !name.hasPrefix("mdlab_"), !name.hasPrefix("__builtin")
            else { return }
            for (index, argument) in list.enumerated() {
                guard case .integer(let number) = argument, (0...5).contains(number) else { continue }
                var other = list
                other[index] = .integer(number == 0 ? 1 : number - 1)
                found.append(
                    ("argument \(index + 1)", CStatement(make(wrap(.call(callee, other))), lines: statement.lines)))
            }
        }
        switch statement.kind {
        case .expression(let expression): changed(expression) { .expression($0) }
        case .returns(let value?): changed(value) { .returns($0) }
        case .branch(let condition, let then, let other): changed(condition) { .branch($0, then, other) }
        default: break
        }
        return found
    }

    /// The call that an expression is, or assigns.
    private static func call(in expression: CExpression) -> (CExpression, (CExpression) -> CExpression)? {
        switch expression {
        case .call: return (expression, { $0 })
        case .assign(let sign, let target, let value):
            guard let (call, wrap) = call(in: value) else { return nil }
            return (call, { .assign(sign, target, wrap($0)) })
        case .unary(let sign, let inner):
            guard let (call, wrap) = call(in: inner) else { return nil }
            return (call, { .unary(sign, wrap($0)) })
        default: return nil
        }
    }

    /// Edits of the statements in a statement.
    private static func inner(_ statement: CStatement) -> [InnerEdit] {
        func wrapped(
            _ body: [CStatement], _ make: ([CStatement]) -> CStatement.Kind
        ) -> [InnerEdit] {
            edits(of: body).map { edit in
                InnerEdit(
                    change: edit.change, line: edit.line, otherLine: edit.otherLine,
                    statement: CStatement(make(edit.body), lines: statement.lines))
            }
        }
        switch statement.kind {
        case .block(let body): return wrapped(body) { .block($0) }
        case .branch(let condition, let then, let other):
            return wrapped(then) { .branch(condition, $0, other) } + wrapped(other) { .branch(condition, then, $0) }
        case .whileLoop(let condition, let body): return wrapped(body) { .whileLoop(condition, $0) }
        case .doLoop(let body, let condition): return wrapped(body) { .doLoop($0, condition) }
        case .forLoop(let first, let condition, let step, let body):
            return wrapped(body) { .forLoop(first, condition, step, $0) }
        case .choice(let subject, let body): return wrapped(body) { .choice(subject, $0) }
        default: return []
        }
    }
}
