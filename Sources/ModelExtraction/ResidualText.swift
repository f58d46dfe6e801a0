// SPDX-License-Identifier: GPL-2.0
import ProcedureModel

/// A procedure as C would have it.
public struct ResidualText {
    /// A line of text, and the line of C that it comes from; 0 for braces and labels.
    public struct Line: Hashable, Sendable {
        public var text: String
        public var function: String
        public var line: Int
    }

    private let residual: Residual
    private let joins: [Int?]
    private var labels: Set<Int> = []
    private var done: Set<Int> = []
    private var lines: [Line] = []
    private var depth = 1

    public static func lines(of residual: Residual) -> [Line] {
        // The first pass finds which places are jumped to.
        var first = ResidualText(residual)
        first.write(residual.entry, until: nil)
        var second = ResidualText(residual)
        second.labels = first.labels
        second.write(residual.entry, until: nil)
        let head = Line(text: residual.name, function: residual.function, line: 0)
        return [head, .init(text: "{", function: "", line: 0)] + second.lines
            + [.init(text: "}", function: "", line: 0)]
    }

    private init(_ residual: Residual) {
        self.residual = residual
        joins = Self.joins(residual)
    }

    private mutating func add(_ text: String, _ node: Residual.Node?) {
        lines.append(
            Line(
                text: String(repeating: "\t", count: depth) + text, function: node?.function ?? "",
                line: node?.line ?? 0))
    }

    private mutating func write(_ start: Int, until stop: Int?) {
        var next: Int? = start
        while let number = next, number != stop {
            guard done.insert(number).inserted else {
                labels.insert(number)
                return add("goto L\(number);", nil)
            }
            if labels.contains(number) {
                depth -= 1
                add("L\(number):", nil)
                depth += 1
            }
            let node = residual.nodes[number]
            switch node.step {
            case .test(let condition):
                let (inner, isTurned): (Expression, Bool) = condition.turned
                next = branch("\(condition)", "\(isTurned ? inner : .not(condition))", node, number)
            case .ask(let text): next = branch("<\(text)>", "!<\(text)>", node, number)
            default:
                for text in Self.text(node.step, isVoid: residual.isVoid) { add(text, node) }
                next = node.next.first
            }
        }
    }

    private mutating func branch(_ yes: String, _ no: String, _ node: Residual.Node, _ number: Int) -> Int? {
        let join = joins[number]
        let (then, other) = (node.next[0], node.next[1])
        let isTurned = then == join
        add("if (\(isTurned ? no : yes)) {", node)
        depth += 1
        write(isTurned ? other : then, until: join)
        depth -= 1
        if !isTurned, other != join {
            add("} else {", nil)
            depth += 1
            write(other, until: join)
            depth -= 1
        }
        add("}", nil)
        return join
    }

    /// For each node the first one that all ways from it come to.
    private static func joins(_ residual: Residual) -> [Int?] {
        let all = Set(residual.nodes.indices)
        var after = Array(repeating: all, count: residual.nodes.count)
        var changed = true
        while changed {
            changed = false
            for number in residual.nodes.indices.reversed() {
                var common: Set<Int>?
                for next in residual.nodes[number].next { common = common?.intersection(after[next]) ?? after[next] }
                let now = (common ?? []).union([number])
                if now != after[number] {
                    after[number] = now
                    changed = true
                }
            }
        }
        // Of those that all ways come to, the one from which the most others are still come to is the first.
        return residual.nodes.indices.map { number in
            after[number].subtracting([number]).max { (after[$0].count, $1) < (after[$1].count, $0) }
        }
    }

    private static func text(_ step: Residual.Step, isVoid: Bool) -> [String] {
        switch step {
        case .skip, .order, .test, .ask: return []
        case .set(let name, let value): return ["\(name) = \(value);"]
        case .note(let name, let symbol): return ["\(name) = <\(symbol)>;"]
        case .call(let name, let result):
            let call = name.hasSuffix(")") ? name : name + "()"
            return [(result.map { $0 == "#" ? "" : "\($0) = " } ?? "") + call + ";"]
        case .external(let text): return [text.hasSuffix(")") ? text + ";" : text + "();"]
        case .wake(let queue, _): return ["wake_up(\(queue));"]
        case .lock(let mutex): return ["mutex_lock(\(mutex));"]
        case .unlock(let mutex): return ["mutex_unlock(\(mutex));"]
        case .tryLock(let mutex, let result): return ["\(result) = mutex_trylock(\(mutex));"]
        case .spinLock(let lock, let how): return ["\(how)(\(lock));"]
        case .spinUnlock(let lock, let how): return ["\(how)(\(lock));"]
        case .convert(let lock, let mode, _, let result):
            return ["\(result) = dlm_lock(\(lock), \(AutomatonBuilder.mode(mode)));"]
        case .cancel(let lock, let result): return ["\(result) = dlm_unlock(\(lock), CANCEL);"]
        case .forceUnlock(let lock, let result): return ["\(result) = dlm_unlock(\(lock), FORCEUNLOCK);"]
        case .warn(let condition, let text): return ["/* \(text): \(condition) */"]
        case .opaque(let text): return ["<\(text)>;"]
        case .give(let value): return isVoid ? ["return;"] : ["return \(value);"]
        case .giveSymbol(let text): return isVoid ? ["return;"] : ["return <\(text)>;"]
        case .wait(let queue, let alternatives, let how): return wait(queue, alternatives, how)
        }
    }

    private static func wait(_ queue: String?, _ alternatives: [Residual.Alternative], _ how: String) -> [String] {
        let conditions = alternatives.map { $0.condition.map { "\($0)" } ?? "timeout" }.joined(separator: " || ")
        var lines = ["\(how)(\(queue.map { $0 + ", " } ?? "")\(conditions));"]
        for alternative in alternatives where !alternative.effects.isEmpty {
            let effects = alternative.effects.flatMap { text($0, isVoid: true) }.joined(separator: " ")
            lines.append("\t/* at \(alternative.condition.map { "\($0)" } ?? "timeout"): \(effects) */")
        }
        return lines
    }
}
