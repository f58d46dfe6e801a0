// SPDX-License-Identifier: GPL-2.0

/// A program with one small fault put in: what rules and deadlock detection must notice, if they are worth anything.
public struct Mutant: Sendable {
    public var procedure: String
    /// What was done: "drop: HOLDING_MUTEX_FOR_RECVD = 1".
    public var change: String
    public var program: Program

    /// The name by which a reason for being harmless is looked up.
    public var name: String { "\(procedure): \(change)" }
}

extension Program {
    /// Every mutant: a step dropped, a condition taken as true, two neighbouring steps swapped.
    public func mutants() -> [Mutant] {
        procedures.indices.flatMap { index -> [Mutant] in
            Self.mutations(of: procedures[index].body).map { mutation in
                var program = self
                program.procedures[index].body = mutation.body
                return Mutant(procedure: procedures[index].name, change: mutation.change, program: program)
            }
        }
    }

    private struct Mutation {
        var body: [Statement]
        var change: String
    }

    private static func mutations(of body: [Statement], inAtomic: Bool = false) -> [Mutation] {
        var result: [Mutation] = []
        for (index, statement) in body.enumerated() {
            let line = statement.line(in: [:])
            if isStep(statement) {
                var dropped = body
                dropped.remove(at: index)
                result.append(Mutation(body: dropped, change: "drop: \(line)"))
                if index + 1 < body.count, isStep(body[index + 1]), body[index + 1] != statement, !inAtomic {
                    var swapped = body
                    swapped.swapAt(index, index + 1)
                    result.append(
                        Mutation(body: swapped, change: "swap: \(line) with \(body[index + 1].line(in: [:]))"))
                }
            }
            if case .ifElse(_, let then, _) = statement {
                var always = body
                always.replaceSubrange(index...index, with: then)
                result.append(Mutation(body: always, change: "always: \(line)"))
            }
            for inner in insides(of: statement) {
                result += mutations(of: inner.body, inAtomic: inAtomic || isOneStep(statement)).map { mutation in
                    var changed = body
                    changed[index] = inner.rebuild(mutation.body)
                    return Mutation(body: changed, change: mutation.change)
                }
            }
        }
        return result
    }

    /// What may be dropped or swapped: not control flow, and not the rules themselves.
    private static func isStep(_ statement: Statement) -> Bool {
        switch statement {
        case .set, .call, .waitEvent, .wait, .wakeUp, .lock, .tryLock, .unlock, .convert, .convertTo, .cancel, .start:
            true
        case .atomic, .ifElse, .loop, .leave, .giveBack, .choose, .require: false
        }
    }

    /// The order of what is done in one step cannot be seen from outside.
    private static func isOneStep(_ statement: Statement) -> Bool {
        switch statement {
        case .atomic, .wait, .waitEvent: true
        default: false
        }
    }

    private static func insides(of statement: Statement) -> [(body: [Statement], rebuild: ([Statement]) -> Statement)] {
        switch statement {
        case .ifElse(let condition, let then, let other):
            return [(then, { .ifElse(condition, $0, other) }), (other, { .ifElse(condition, then, $0) })]
        case .loop(let body): return [(body, { .loop($0) })]
        case .atomic(let body): return [(body, { .atomic($0) })]
        case .choose(let branches):
            return branches.indices.map { index in
                (
                    branches[index],
                    { body in
                        var changed = branches
                        changed[index] = body
                        return .choose(changed)
                    }
                )
            }
        case .wait(let alternatives, let idle):
            return insides(of: alternatives) { .wait($0, idle: idle) }
        case .waitEvent(let queue, let alternatives):
            return insides(of: alternatives) { .waitEvent(queue: queue, $0) }
        default: return []
        }
    }

    private static func insides(
        of alternatives: [Statement.Alternative], _ rebuild: @escaping ([Statement.Alternative]) -> Statement
    ) -> [(body: [Statement], rebuild: ([Statement]) -> Statement)] {
        alternatives.indices.map { index in
            (
                alternatives[index].effects,
                { body in
                    var changed = alternatives
                    changed[index].effects = body
                    return rebuild(changed)
                }
            )
        }
    }
}
