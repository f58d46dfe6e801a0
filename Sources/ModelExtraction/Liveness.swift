// SPDX-License-Identifier: GPL-2.0
import CSource

/// Which locals are still read: what is not need not be told apart.
enum Liveness {
    static func of(_ instructions: [Flow.Instruction]) -> [Set<String>] {
        var live = Array(repeating: Set<String>(), count: instructions.count + 1)
        var changed = true
        while changed {
            changed = false
            for index in instructions.indices.reversed() {
                var after: Set<String> = []
                for next in successors(instructions[index].kind, index) where next < live.count {
                    after.formUnion(live[next])
                }
                let now = after.subtracting(writes(instructions[index].kind)).union(reads(instructions[index].kind))
                if now != live[index] {
                    live[index] = now
                    changed = true
                }
            }
        }
        return live
    }

    static func successors(_ kind: Flow.Instruction.Kind, _ index: Int) -> [Int] {
        switch kind {
        case .assign, .zero, .call, .unsupported: [index + 1]
        case .branch(_, let otherwise): [index + 1, otherwise]
        case .jump(let target): [target]
        case .give: []
        }
    }

    private static func writes(_ kind: Flow.Instruction.Kind) -> Set<String> {
        switch kind {
        case .assign(.variable(let name, _), _), .zero(let name, _), .call(.some(let name), _, _): [name]
        default: []
        }
    }

    private static func reads(_ kind: Flow.Instruction.Kind) -> Set<String> {
        switch kind {
        case .assign(.variable, let value): names(value)
        case .assign(let place, let value): names(place).union(names(value))
        case .call(_, let callee, let arguments): arguments.reduce(names(callee)) { $0.union(names($1)) }
        case .branch(let condition, _): names(condition)
        case .give(let value): value.map(names) ?? []
        case .zero, .jump, .unsupported: []
        }
    }

    static func names(_ expression: CExpression) -> Set<String> {
        if case .variable(let name, _) = expression { return [name] }
        return expression.parts.reduce(into: []) { $0.formUnion(names($1)) }
    }
}
