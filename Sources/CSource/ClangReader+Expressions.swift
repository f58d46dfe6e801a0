// SPDX-License-Identifier: GPL-2.0

extension ClangReader {
    /// What only changes the type of what is in it.
    private static let casts: Set<String> = [
        "ImplicitCastExpr", "CStyleCastExpr", "ParenExpr", "ConstantExpr", "ExprWithCleanups", "OpaqueValueExpr",
        "GenericSelectionExpr", "ChooseExpr",
    ]

    mutating func expression(_ node: ClangNode?) -> CExpression {
        guard let node, let kind = node.kind else { return .unknown("nothing") }
        if Self.casts.contains(kind) { return expression(node.children.last) }
        switch kind {
        case "IntegerLiteral", "CharacterLiteral": return number(node)
        case "ImplicitValueInitExpr", "GNUNullExpr": return .integer(0)
        case "StringLiteral":
            guard case .text(let text)? = node.value else { return .string("") }
            return .string(String(text.dropFirst().dropLast()))
        case "PredefinedExpr": return .string("")
        case "DeclRefExpr": return reference(node)
        case "MemberExpr": return member(node)
        case "UnaryOperator": return unary(node)
        case "BinaryOperator", "CompoundAssignOperator":
            let (left, right) = (expression(node.child(0)), expression(node.child(1)))
            let sign = node.opcode ?? "?"
            return sign == "=" || kind == "CompoundAssignOperator"
                ? .assign(sign, left, right) : .binary(sign, left, right)
        case "ConditionalOperator":
            return .conditional(expression(node.child(0)), expression(node.child(1)), expression(node.child(2)))
        case "CallExpr":
            return .call(expression(node.children.first), node.children.dropFirst().map { expression($0) })
        case "ArraySubscriptExpr": return .index(expression(node.child(0)), expression(node.child(1)))
        case "UnaryExprOrTypeTraitExpr", "OffsetOfExpr": return .sizeof
        case "InitListExpr", "CompoundLiteralExpr":
            let parts = node.children.map { expression($0) }
            return .initializer(isZero: parts.allSatisfy(\.isZero), parts)
        case "StmtExpr": return .block(node.children.first.map { block($0) } ?? [])
        default: return .unknown(kind)
        }
    }

    private func number(_ node: ClangNode) -> CExpression {
        switch node.value {
        case .number(let value): .integer(value)
        // Above the largest Int: the bits are the same.
        case .text(let text): .integer(Int(text) ?? UInt64(text).map { Int(truncatingIfNeeded: $0) } ?? 0)
        case nil: .unknown("number")
        }
    }

    private func reference(_ node: ClangNode) -> CExpression {
        guard let declaration = node.referencedDecl, let name = declaration.name else { return .unknown("reference") }
        switch declaration.kind {
        case "EnumConstantDecl": return .enumerator(name, value: value(ofEnumerator: name))
        case "FunctionDecl": return .function(name)
        default: return .variable(self.name(of: declaration), type: node.type?.qualType ?? "")
        }
    }

    private mutating func member(_ node: ClangNode) -> CExpression {
        let base = expression(node.child(0))
        let type = node.type?.qualType ?? ""
        guard let name = node.name, !name.isEmpty else { return base }
        // A field of an unnamed struct is one of the struct that has it.
        if Self.isUnnamed(node.child(0)?.type), case .member(let outer, let field, let record, _) = base {
            return .member(outer, field: "\(field).\(name)", record: record, type: type)
        }
        return .member(base, field: name, record: Self.record(node.child(0)?.type) ?? "?", type: type)
    }

    private mutating func unary(_ node: ClangNode) -> CExpression {
        let inner = expression(node.child(0))
        switch node.opcode {
        case "++": return .assign("+=", inner, .integer(1))
        case "--": return .assign("-=", inner, .integer(1))
        case "&":
            if case .dereference(let pointer) = inner { return pointer }
            return .addressOf(inner)
        case "*":
            if case .addressOf(let place) = inner { return place }
            return .dereference(inner)
        case "-":
            if case .integer(let value) = inner { return .integer(0 &- value) }
            return .unary("-", inner)
        case "~":
            if case .integer(let value) = inner { return .integer(~value) }
            return .unary("~", inner)
        case "!": return .unary("!", inner)
        case "+", "__extension__": return inner
        default: return .unknown(node.opcode ?? "operator")
        }
    }
}
