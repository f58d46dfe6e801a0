// SPDX-License-Identifier: GPL-2.0

/// An expression of C as it was written, without casts and parentheses.
public indirect enum CExpression: Hashable, Sendable {
    case integer(Int)
    case string(String)
    /// A constant of an enum, with its value where the enum is in the same file.
    case enumerator(String, value: Int?)
    case function(String)
    case variable(String, type: String)
    /// `base->field` and `base.field` alike. A field of an unnamed struct has the names of both: `bitmap_info.nodes`.
    case member(CExpression, field: String, record: String, type: String)
    /// `!`, `-`, `~`
    case unary(String, CExpression)
    case binary(String, CExpression, CExpression)
    /// `=`, or `+=` and the like; `i++` is `i += 1`.
    case assign(String, CExpression, CExpression)
    case conditional(CExpression, CExpression, CExpression)
    case call(CExpression, [CExpression])
    case index(CExpression, CExpression)
    case addressOf(CExpression)
    case dereference(CExpression)
    /// `{0}` and other lists; true if all that is in it is 0.
    case initializer(isZero: Bool, [CExpression] = [])
    /// `({ ... })`
    case block([CStatement])
    /// What depends on sizes and types only.
    case sizeof
    /// An expression of a kind that is not known here, by clang's name for it.
    case unknown(String)
}

/// A statement, and where it stands.
public struct CStatement: Hashable, Sendable {
    public indirect enum Kind: Hashable, Sendable {
        case expression(CExpression)
        case declaration(name: String, type: String, initial: CExpression?)
        case block([CStatement])
        case branch(CExpression, [CStatement], [CStatement])
        case whileLoop(CExpression, [CStatement])
        /// `do { } while (condition)`
        case doLoop([CStatement], CExpression)
        case forLoop([CStatement], CExpression?, CExpression?, [CStatement])
        case returns(CExpression?)
        case breaks
        case continues
        case jump(label: String)
        case label(String)
        case choice(CExpression, [CStatement])
        /// `case value:`; nil for `default:`.
        case choiceLabel(CExpression?)
        case assembly
        /// A statement of a kind that is not known here, by clang's name for it.
        case unknown(String)
    }

    public var kind: Kind
    /// The lines of its own text: those of the condition for `if`, not those of the branches.
    public var lines: ClosedRange<Int>

    public init(_ kind: Kind, lines: ClosedRange<Int>) {
        self.kind = kind
        self.lines = lines
    }
}

public struct CFunction: Hashable, Sendable {
    public struct Parameter: Hashable, Sendable {
        public var name: String
        public var type: String
        public init(name: String, type: String) {
            self.name = name
            self.type = type
        }
    }

    public var name: String
    public var parameters: [Parameter]
    public var returns: String
    public var body: [CStatement]
    public var lines: ClosedRange<Int>

    public init(
        name: String, parameters: [Parameter], returns: String, body: [CStatement], lines: ClosedRange<Int>
    ) {
        (self.name, self.parameters, self.returns, self.body, self.lines) = (name, parameters, returns, body, lines)
    }
}

/// What a C file defines.
public struct CUnit: Sendable {
    public var functions: [CFunction]
    /// `struct ops x = {.field = f}`: "ops.field" to "f".
    public var tables: [String: String]
    /// Other variables of the file, with the text of their declarations.
    public var variables: [String: String]
    /// The lines of the file, the first one first.
    public var text: [String]

    public init(
        functions: [CFunction], tables: [String: String] = [:], variables: [String: String] = [:], text: [String] = []
    ) {
        (self.functions, self.tables, self.variables, self.text) = (functions, tables, variables, text)
    }

    public func function(named name: String) -> CFunction? { functions.first { $0.name == name } }
}

extension CExpression {
    /// The expressions in it, one level down.
    public var parts: [CExpression] {
        switch self {
        case .integer, .string, .enumerator, .function, .variable, .sizeof, .unknown, .block: []
        case .initializer(_, let parts): parts
        case .member(let inner, _, _, _), .unary(_, let inner), .addressOf(let inner), .dereference(let inner): [inner]
        case .binary(_, let left, let right), .assign(_, let left, let right), .index(let left, let right):
            [left, right]
        case .conditional(let test, let then, let other): [test, then, other]
        case .call(let callee, let arguments): [callee] + arguments
        }
    }

    /// Whether it is 0, or a list of nothing else.
    var isZero: Bool {
        switch self {
        case .integer(0): true
        case .initializer(let isZero, _): isZero
        default: false
        }
    }

    /// Whether evaluating it does anything.
    public var hasEffect: Bool {
        switch self {
        case .call, .assign, .block: true
        default: parts.contains { $0.hasEffect }
        }
    }
}

extension CStatement {
    /// The expressions of its own, without those of the statements in it.
    public var expressions: [CExpression] {
        switch kind {
        case .expression(let value), .branch(let value, _, _), .whileLoop(let value, _), .doLoop(_, let value),
            .choice(let value, _):
            [value]
        case .declaration(_, _, let value), .returns(let value), .choiceLabel(let value): value.map { [$0] } ?? []
        case .forLoop(_, let condition, let step, _): [condition, step].compactMap { $0 }
        default: []
        }
    }

    /// The functions that are called by their names in it and in the statements in it.
    public var calls: Set<String> {
        func called(_ expression: CExpression) -> Set<String> {
            var names = expression.parts.reduce(into: Set<String>()) { $0.formUnion(called($1)) }
            if case .call(.function(let name), _) = expression { names.insert(name) }
            if case .block(let body) = expression { for item in body { names.formUnion(item.calls) } }
            return names
        }
        let own = expressions.reduce(into: Set<String>()) { $0.formUnion(called($1)) }
        return blocks.joined().reduce(into: own) { $0.formUnion($1.calls) }
    }

    /// The blocks of statements in it.
    public var blocks: [[CStatement]] {
        switch kind {
        case .block(let body), .whileLoop(_, let body), .doLoop(let body, _), .choice(_, let body): [body]
        case .branch(_, let then, let other): [then, other]
        case .forLoop(let first, _, _, let body): [first, body]
        default: []
        }
    }
}

extension CExpression: CustomStringConvertible {
    /// As C, with as few parentheses as is safe.
    public var description: String {
        switch self {
        case .integer(let value): String(value)
        case .string(let text): "\"\(text)\""
        case .enumerator(let name, _), .function(let name), .variable(let name, _): name
        case .member(let base, let field, _, _): "\(base)->\(field)"
        case .unary(let sign, let inner): sign + inner.inner
        case .binary(let sign, let left, let right): "\(left.inner) \(sign) \(right.inner)"
        case .assign(let sign, let left, let right): "\(left) \(sign) \(right)"
        case .conditional(let test, let then, let other): "\(test.inner) ? \(then.inner) : \(other.inner)"
        case .call(let callee, let arguments): "\(callee)(\(arguments.map(\.description).joined(separator: ", ")))"
        case .index(let base, let index): "\(base.inner)[\(index)]"
        case .addressOf(let inner): "&" + inner.inner
        case .dereference(let inner): "*" + inner.inner
        case .initializer: "{}"
        case .block: "({})"
        case .sizeof: "sizeof"
        case .unknown(let kind): "<\(kind)>"
        }
    }

    private var inner: String {
        switch self {
        case .binary, .assign, .conditional: "(\(description))"
        default: description
        }
    }
}
