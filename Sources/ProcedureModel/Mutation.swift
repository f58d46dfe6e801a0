// SPDX-License-Identifier: GPL-2.0

/// A program with one small fault put in: what rules and deadlock detection must notice, if they are worth anything.
public struct Mutant: Sendable {
    public var procedure: String
    /// What was done, for a person: "drop: HOLDING_MUTEX_FOR_RECVD = 1".
    public var change: String
    /// What was done, for lists that refer to it.
    public var identity: MutantIdentity
    /// Where: the number of the statement in the procedure, as `Program.reachedSites` has it.
    public var site: Int
    public var program: Program

    /// Procedure and change, for a person.
    public var name: String { "\(procedure): \(change)" }
}

/// Which fault a mutant has, however statements are printed: the procedure, and the `structure` of what was dropped,
/// swapped or taken as true, without the statements inside it. The same statement twice in a procedure is one identity.
public struct MutantIdentity: Hashable, Sendable, CustomStringConvertible {
    public var procedure: String
    /// `(drop (set HOLDING_MUTEX_FOR_RECVD 1))`, `(swap (...) (...))`, `(always (...))`.
    public var change: String

    public init(procedure: String, change: String) {
        self.procedure = procedure
        self.change = change
    }

    public var description: String { "\(procedure) \(change)" }
}

extension Program {
    /// Every mutant: a step dropped, a condition taken as true, two neighbouring steps swapped.
    public func mutants() -> [Mutant] {
        procedures.indices.flatMap { index -> [Mutant] in
            var sites = 0
            return Self.mutations(of: procedures[index].body, &sites).map { mutation in
                var program = self
                program.procedures[index].body = mutation.body
                let name = procedures[index].name
                return Mutant(
                    procedure: name, change: mutation.change,
                    identity: MutantIdentity(procedure: name, change: mutation.structure.description),
                    site: mutation.site, program: program)
            }
        }
    }

    private struct Mutation {
        var body: [Statement]
        var change: String
        var structure: Structure
        var site: Int
    }

    private static func mutations(
        of body: [Statement], _ sites: inout Int, inAtomic: Bool = false
    ) -> [Mutation] {
        var result: [Mutation] = []
        for (index, statement) in body.enumerated() {
            let line = statement.line(in: [:])
            let site = sites
            if isSite(statement) { sites += 1 }
            if isStep(statement) {
                var dropped = body
                dropped.remove(at: index)
                result.append(
                    Mutation(
                        body: dropped, change: "drop: \(line)", structure: .form("drop", statement.head), site: site))
                if index + 1 < body.count, isStep(body[index + 1]), body[index + 1] != statement, !inAtomic {
                    var swapped = body
                    swapped.swapAt(index, index + 1)
                    let other = body[index + 1]
                    result.append(
                        Mutation(
                            body: swapped, change: "swap: \(line) with \(other.line(in: [:]))",
                            structure: .form("swap", statement.head, other.head), site: site))
                }
            }
            if case .ifElse(let condition, let then, _) = statement {
                var always = body
                always.replaceSubrange(index...index, with: then)
                result.append(
                    Mutation(
                        body: always, change: "always: \(line)", structure: .form("always", condition.structure),
                        site: site))
            }
            for part in statement.blocks.indices {
                let inner = statement.blocks[part]
                result += mutations(of: inner.body, &sites, inAtomic: inAtomic || isOneStep(statement)).map {
                    mutation in
                    var changed = body
                    changed[index] = inner.rebuild(mutation.body)
                    return Mutation(
                        body: changed, change: mutation.change, structure: mutation.structure, site: mutation.site)
                }
            }
        }
        return result
    }

    /// The body with a mark at each site that `isWanted`, in the order of `mutations`: behind a step, and in front of
    /// what is done when a condition is false, since taking it as true is noticed only then.
    static func marked(
        _ body: [Statement], _ sites: inout Int, inAtomic: Bool = false, isWanted: (Int) -> Bool,
        mark: (Int) -> Statement
    ) -> [Statement] {
        body.flatMap { statement -> [Statement] in
            let site = sites
            if isSite(statement) { sites += 1 }
            var result = statement
            for part in statement.blocks.indices {
                let inner = result.blocks[part]
                let isInside = inAtomic || isOneStep(statement)
                result = inner.rebuild(
                    marked(inner.body, &sites, inAtomic: isInside, isWanted: isWanted, mark: mark))
            }
            guard isSite(statement), isWanted(site) else { return [result] }
            if case .ifElse(let condition, let then, let other) = result {
                return [.ifElse(condition, then, [mark(site)] + other)]
            }
            // A wait may go on elsewhere than behind it.
            if !inAtomic, isWait(statement) { return [mark(site), result] }
            return [result, mark(site)]
        }
    }

    private static func isWait(_ statement: Statement) -> Bool {
        switch statement {
        case .wait, .waitEvent: true
        default: false
        }
    }

    private static func isSite(_ statement: Statement) -> Bool {
        if case .ifElse = statement { return true }
        return isStep(statement)
    }

    /// What may be dropped or swapped: not control flow, and not the rules themselves.
    private static func isStep(_ statement: Statement) -> Bool {
        switch statement {
        case .set, .call, .waitEvent, .wait, .wakeUp, .lock, .tryLock, .unlock, .convert, .convertTo, .cancel, .start,
            .crash:
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
}
