// SPDX-License-Identifier: GPL-2.0

extension ClangReader {
    /// The statements of a node: those in it for a block, else itself.
    mutating func block(_ node: ClangNode?) -> [CStatement] {
        guard let node else { return [] }
        return node.kind == "CompoundStmt" ? node.children.flatMap { statements($0) } : statements(node)
    }

    private mutating func statements(_ node: ClangNode) -> [CStatement] {
        let own = lines(of: node)
        switch node.kind {
        case nil, "NullStmt": return []
        case "CompoundStmt": return [CStatement(.block(block(node)), lines: own)]
        case "DeclStmt": return node.children.compactMap { declaration($0) }
        case "LabelStmt":
            let label = CStatement(.label(node.name ?? ""), lines: own.lowerBound...own.lowerBound)
            return [label] + (node.children.first.map { statements($0) } ?? [])
        case "CaseStmt", "DefaultStmt":
            let value = node.kind == "CaseStmt" ? expression(node.child(0)) : nil
            let label = CStatement(.choiceLabel(value), lines: own.lowerBound...own.lowerBound)
            return [label] + (node.children.last.map { statements($0) } ?? [])
        case "AttributedStmt": return node.children.last.map { statements($0) } ?? []
        default: return [CStatement(kind(node), lines: ownLines(node))]
        }
    }

    private mutating func declaration(_ node: ClangNode) -> CStatement? {
        guard node.kind == "VarDecl" else { return nil }
        let name = declare(node)
        let initial = node.`init` == nil ? nil : node.children.first { $0.kind?.hasSuffix("Attr") == false }
        return CStatement(
            .declaration(name: name, type: node.type?.qualType ?? "", initial: initial.map { expression($0) }),
            lines: lines(of: node))
    }

    private mutating func kind(_ node: ClangNode) -> CStatement.Kind {
        switch node.kind {
        case "IfStmt": .branch(expression(node.child(0)), block(node.child(1)), block(node.child(2)))
        case "WhileStmt": .whileLoop(expression(node.child(0)), block(node.child(1)))
        case "DoStmt": .doLoop(block(node.child(0)), expression(node.child(1)))
        case "ForStmt":
            .forLoop(
                node.child(0)?.kind == nil ? [] : block(node.child(0)),
                node.child(2)?.kind == nil ? nil : expression(node.child(2)),
                node.child(3)?.kind == nil ? nil : expression(node.child(3)), block(node.child(4)))
        case "ReturnStmt": .returns(node.children.first.map { expression($0) })
        case "BreakStmt": .breaks
        case "ContinueStmt": .continues
        case "GotoStmt": .jump(label: node.targetLabelDeclId.flatMap { labels[$0] } ?? "")
        case "SwitchStmt": .choice(expression(node.child(0)), block(node.child(1)))
        case "GCCAsmStmt", "MSAsmStmt": .assembly
        case let name? where name.hasSuffix("Stmt") && name != "StmtExpr": .unknown(name)
        default: .expression(expression(node))
        }
    }

    /// The lines of a statement without those of the statements in it.
    private func ownLines(_ node: ClangNode) -> ClosedRange<Int> {
        let whole = lines(of: node)
        switch node.kind {
        case "IfStmt", "WhileStmt", "SwitchStmt":
            return whole.lowerBound...max(whole.lowerBound, lines(of: node.child(0)).upperBound)
        case "DoStmt": return whole.upperBound...whole.upperBound
        case "ForStmt":
            let head = [0, 2, 3].map { lines(of: node.child($0)).upperBound }.max() ?? 0
            return whole.lowerBound...max(whole.lowerBound, head)
        default: return whole
        }
    }
}
