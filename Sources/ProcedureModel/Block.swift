// SPDX-License-Identifier: GPL-2.0

extension Statement {
    /// A list of statements inside another statement, and the statement again with another list there.
    struct Block {
        var body: [Statement]
        var rebuild: ([Statement]) -> Statement
    }

    /// All lists of statements that this one has: branches, bodies, and what is done when a wait ends. Whoever walks
    /// through a procedure does it by these, so that a new kind of statement is forgotten in one place at most.
    var blocks: [Block] {
        switch self {
        case .ifElse(let condition, let then, let other):
            return [
                Block(body: then) { .ifElse(condition, $0, other) },
                Block(body: other) { .ifElse(condition, then, $0) },
            ]
        case .loop(let body): return [Block(body: body) { .loop($0) }]
        case .atomic(let body): return [Block(body: body) { .atomic($0) }]
        case .choose(let branches):
            return branches.indices.map { index in
                Block(body: branches[index]) { body in
                    var changed = branches
                    changed[index] = body
                    return .choose(changed)
                }
            }
        case .wait(let alternatives, let idle): return Self.blocks(of: alternatives) { .wait($0, idle: idle) }
        case .waitEvent(let queue, let alternatives):
            return Self.blocks(of: alternatives) { .waitEvent(queue: queue, $0) }
        case .set, .leave, .call, .giveBack, .wakeUp, .lock, .tryLock, .unlock, .convert, .convertTo, .cancel, .require,
            .start, .crash:
            return []
        }
    }

    private static func blocks(
        of alternatives: [Alternative], _ rebuild: @escaping ([Alternative]) -> Statement
    ) -> [Block] {
        alternatives.indices.map { index in
            Block(body: alternatives[index].effects) { body in
                var changed = alternatives
                changed[index].effects = body
                return rebuild(changed)
            }
        }
    }
}
