// SPDX-License-Identifier: GPL-2.0

/// What a reduced search goes by, found once for a program.
struct ReductionTables {
    /// By instruction: whether its step can be noticed by its own node only.
    let localities: [Locality]
    /// By node: the bits on which its local steps depend.
    let nodeMasks: [[UInt64]]
    /// By instruction: the clauses of rules that its step can make true.
    let noticedClauses: [[Int]]

    /// Makes silent the steps that may be merged. `rules` are those asked of every state; `seeing` is the identity.
    init(_ code: inout Code, _ layout: Layout, nodes: Int, rules: [Int], seeing: (Accesses) -> Accesses) {
        for step in Reduction.mergeable(seeing(Accesses(code, layout, nodes: nodes)), rules: rules) {
            code.instructions[step].isSilent = true
        }
        let accesses = seeing(Accesses(code, layout, nodes: nodes))
        let steps = code.threads.indices.map { thread in
            (0..<code.threads[thread].count).map { accesses.step(thread: thread, position: $0) }
        }
        localities = Transactions.localSteps(accesses, steps, nodes: nodes, rules: rules)
        nodeMasks = Transactions.masks(accesses, steps, localities, nodes: nodes)
        noticedClauses = Transactions.noticedClauses(accesses, steps, rules: rules)
    }
}

/// Partial-order reduction by what is known before a search: a step that touches nothing that another thread ever
/// touches, cannot block, and changes nothing that a rule looks at, may be taken together with the step before it.
/// Every order of the other threads' steps around it leads to the same, so no deadlock and no broken rule is lost.
enum Reduction {
    /// The steps that may be merged with the one before.
    static func mergeable(_ accesses: Accesses, rules: [Int]) -> [Int] {
        let (code, layout) = (accesses.code, accesses.layout)
        let threads = code.threads.map { thread in
            (thread.first..<thread.first + thread.count).reduce(into: accesses.none) {
                $0.add(accesses.instructions[$1])
            }
        }
        let seen = rules.flatMap(accesses.clauses)
        var result: [Int] = []
        for (number, thread) in code.threads.enumerated() {
            // The first step stays: it is where a thread is started.
            for position in 2..<max(2, thread.count) {
                let step = thread.first + position
                let instruction = code.instructions[step]
                guard !instruction.isSilent else { continue }
                if instruction.operation == .end {
                    if !accesses.isWatched(number, rules: seen) { result.append(step) }
                    continue
                }
                guard instruction.operation == .assign || instruction.operation == .branch else { continue }
                // A step that goes back could be part of a circle that nobody would ever see.
                let targets = accesses.successors(of: step, at: position)
                guard targets.allSatisfy({ $0 > position }) else { continue }
                let access = accesses.instructions[step]
                let isSeen = seen.contains { clause in
                    (0..<layout.words).contains { access.writes[$0] & clause.fields.reads[$0] != 0 }
                        || clause.positions.contains { test in
                            test.thread == number && targets.contains { test.passes[$0] != test.passes[position] }
                        }
                }
                guard !isSeen else { continue }
                if threads.indices.allSatisfy({
                    $0 == number || access.commutes(with: threads[$0]) && !threads[$0].positions.contains(number)
                }) {
                    result.append(step)
                }
            }
        }
        return result
    }
}
