// SPDX-License-Identifier: GPL-2.0
import ModelChecker

/// Steps that can be noticed by their own node only: they read and write nothing that a step of another node ever
/// touches, and change nothing that a rule compares with what another node has.
///
/// Such a step can be swapped with every step of another node, so every run can be put in order: each node's local
/// steps stand right before the next step by which that node meets the others. It is enough to explore these runs: a
/// node that has begun with local steps goes on alone until it has met the others or cannot go on.
enum Transactions {
    /// By node: the bits on which it depends what local steps it can take and where they lead.
    static func masks(
        _ accesses: Accesses, _ steps: [[Accesses.Step]], _ localities: [Locality], nodes: Int
    ) -> [[UInt64]] {
        let (code, layout) = (accesses.code, accesses.layout)
        return (0..<nodes).map { node in
            var access = accesses.none
            access.read(layout.broken)
            for lock in code.locks {
                access.read(lock.granted[node])
                access.read(lock.requested[node])
            }
            for (number, thread) in code.threads.enumerated() where thread.node == node {
                access.read(layout.pc[number])
                access.read(layout.locals[number])
                for position in 1..<thread.count {
                    let instruction = code.instructions[thread.first + position]
                    if [.wait, .waitEvent, .lock].contains(instruction.operation) {
                        access.add(accesses.instructions[thread.first + position])
                    }
                    switch localities[thread.first + position].kind {
                    case .never: continue
                    case .always: access.add(steps[number][position].access)
                    case .sometimes: access.add(steps[number][position].besides)
                    }
                }
            }
            for thread in access.positions { access.read(layout.pc[thread]) }
            return (0..<layout.words).map(access.touched)
        }
    }

    /// By instruction: the clauses of rules' conditions that its step can make true. A clause that is true behind
    /// another step was true before it.
    static func noticedClauses(_ accesses: Accesses, _ steps: [[Accesses.Step]], rules: [Int]) -> [[Int]] {
        let clauses = rules.flatMap { rule in
            zip(Int(accesses.code.conditions[rule].first)..., accesses.clauses(of: rule))
        }
        return accesses.code.threads.indices.flatMap { number in
            steps[number].enumerated().map { position, step in
                let isAny = accesses.displaces(byThread: number, step)
                return clauses.filter { _, clause in
                    isAny
                        || step.access.writes.indices.contains {
                            step.access.writes[$0] & clause.fields.reads[$0] != 0
                        } || clause.positions.contains { accesses.changes($0, byThread: number, step, from: position) }
                }.map(\.0)
            }
        }
    }

    /// By instruction.
    static func localSteps(
        _ accesses: Accesses, _ steps: [[Accesses.Step]], nodes: Int, rules: [Int]
    ) -> [Locality] {
        let (code, words) = (accesses.code, accesses.layout.words)
        // By node: the bits that its steps touch.
        var touched = Array(repeating: accesses.none, count: nodes)
        for (number, thread) in code.threads.enumerated() {
            for step in steps[number].dropFirst() { touched[thread.node].add(step.access) }
        }
        func byOthers(_ node: Int, _ word: Int) -> UInt64 {
            touched.indices.reduce(0) { $1 == node ? $0 : $0 | touched[$1].touched(word) }
        }
        func isPositionRead(_ thread: Int) -> Bool {
            touched.indices.contains { $0 != code.threads[thread].node && touched[$0].positions.contains(thread) }
        }
        // What rules compare across nodes: clauses with something of each of two nodes that is that node's alone.
        let compared = rules.flatMap(accesses.clauses).filter { clause in
            touched.indices.filter { node in
                clause.positions.contains { code.threads[$0.thread].node == node }
                    || (0..<words).contains {
                        clause.fields.reads[$0] & touched[node].touched($0) & ~byOthers(node, $0) != 0
                    }
            }.count > 1
        }
        var result = Array(repeating: Locality.never, count: code.instructions.count)
        for (number, thread) in code.threads.enumerated() {
            for position in 1..<thread.count {
                let step = steps[number][position]
                let isCompared = compared.contains { clause in
                    (0..<words).contains { step.access.writes[$0] & clause.fields.reads[$0] != 0 }
                        || clause.positions.contains {
                            accesses.changes($0, byThread: number, step, from: position)
                        }
                }
                if isCompared || isPositionRead(number) || accesses.displaces(byThread: number, step) { continue }
                let isOwn = (0..<words).allSatisfy { step.access.touched($0) & byOthers(thread.node, $0) == 0 }
                if isOwn {
                    result[thread.first + position] = .always
                    continue
                }
                guard step.conversions.count <= 1, step.conversions.allSatisfy({ $0.operation == .convert }) else {
                    continue
                }
                // The node's own place on a lock is changed by others only while it waits there.
                var settled: UInt32 = 0
                var rest = (0..<words).map { step.besides.touched($0) & byOthers(thread.node, $0) }
                for (number, lock) in code.locks.enumerated() {
                    for field in [lock.granted[thread.node], lock.requested[thread.node]] where field.bits > 0 {
                        let (word, bits) = (Int(field.word), field.mask << UInt64(field.shift))
                        if rest[word] & bits != 0, step.besides.writes[word] & bits == 0 {
                            rest[word] &= ~bits
                            settled |= 1 << UInt32(number)
                        }
                    }
                }
                guard rest.allSatisfy({ $0 == 0 }) else { continue }
                var locality = Locality.whenSettled(locks: settled)
                if let conversion = step.conversions.first {
                    locality = .whenSettled(locks: settled | 1 << UInt32(conversion.subject))
                    locality.unchanged = conversion.subject
                    locality.mode = conversion.detail
                }
                result[thread.first + position] = locality
            }
        }
        return result
    }
}

/// When only its own node can notice a step.
struct Locality {
    enum Kind: UInt8 { case never, always, sometimes }
    var kind: Kind
    /// sometimes: the node must not wait on these locks, ...
    var settled: UInt32 = 0
    /// ... and must have this one in this mode already; -1 if none.
    var unchanged: Int32 = -1
    var mode: Int32 = 0

    static let never = Locality(kind: .never)
    static let always = Locality(kind: .always)
    static func whenSettled(locks: UInt32) -> Locality { Locality(kind: .sometimes, settled: locks) }
}
