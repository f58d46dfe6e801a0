// SPDX-License-Identifier: GPL-2.0

/// Partial-order reduction by what is known before a search: a step that touches nothing that another thread ever touches,
/// cannot block, and changes nothing that a rule looks at, may be taken together with the step before it. Every order of the
/// other threads' steps around it leads to the same, so no deadlock and no broken rule is lost.
struct Reduction {
    private let code: Code
    private let layout: Layout
    private let nodes: Int

    /// Bits of a state that something reads and writes.
    private struct Access {
        var reads: [UInt64]
        var writes: [UInt64]
        mutating func read(_ field: Field) { reads[Int(field.word)] |= field.mask << UInt64(field.shift) }
        mutating func write(_ field: Field) { writes[Int(field.word)] |= field.mask << UInt64(field.shift) }
        mutating func add(_ other: Access) {
            for word in reads.indices {
                reads[word] |= other.reads[word]
                writes[word] |= other.writes[word]
            }
        }
        func commutes(with other: Access) -> Bool {
            for word in reads.indices {
                if writes[word] & (other.reads[word] | other.writes[word]) != 0 || reads[word] & other.writes[word] != 0
                {
                    return false
                }
            }
            return true
        }
    }

    /// The steps that may be merged with the one before.
    static func mergeable(_ code: Code, _ layout: Layout, nodes: Int, rules: [Int]) -> [Int] {
        Reduction(code: code, layout: layout, nodes: nodes).find(rules: rules)
    }

    private func find(rules: [Int]) -> [Int] {
        let accesses = code.instructions.indices.map(access)
        let threads = code.threads.map { thread in
            (thread.first..<thread.first + thread.count).reduce(into: empty) { $0.add(accesses[$1]) }
        }
        var seen = empty
        var sets: [(field: Field, set: [Bool])] = []
        for rule in rules { look(rule, &seen, &sets) }
        var result: [Int] = []
        for (number, thread) in code.threads.enumerated() {
            // The first step stays: it is where a thread is started.
            for position in 2..<max(2, thread.count) {
                let step = thread.first + position
                let instruction = code.instructions[step]
                guard !instruction.isSilent, instruction.operation == .assign || instruction.operation == .branch else {
                    continue
                }
                // A step that goes back could be part of a circle that nobody would ever see.
                let targets =
                    [Int(instruction.next)] + (instruction.operation == .branch ? [Int(instruction.other)] : [])
                guard targets.allSatisfy({ $0 > position }) else { continue }
                let isSeen = accesses[step].writes.indices.contains { accesses[step].writes[$0] & seen.reads[$0] != 0 }
                let isSeenByPosition = sets.contains { item in
                    item.field == layout.pc[number] && targets.contains { item.set[$0] != item.set[position] }
                }
                guard !isSeen, !isSeenByPosition else { continue }
                if threads.indices.allSatisfy({ $0 == number || accesses[step].commutes(with: threads[$0]) }) {
                    result.append(step)
                }
            }
        }
        return result
    }

    private var empty: Access {
        Access(reads: Array(repeating: 0, count: layout.words), writes: Array(repeating: 0, count: layout.words))
    }

    private func look(_ condition: Int, _ access: inout Access, _ sets: inout [(field: Field, set: [Bool])]) {
        let list = code.conditions[condition]
        for clause in Int(list.first)..<Int(list.first + list.count) {
            let first = Int(code.clauses[clause].first)
            for test in code.tests[first..<first + Int(code.clauses[clause].count)] {
                switch test.kind {
                case .masked, .notMasked: access.reads[Int(test.word)] |= test.mask
                case .inSet, .notInSet: sets.append((test.field, code.sets[Int(test.value)]))
                case .never: continue
                case .less, .notLess, .fieldsEqual, .fieldsDiffer:
                    access.read(test.field)
                    access.read(test.other)
                }
            }
        }
    }

    /// What an instruction can touch, at most.
    private func access(of number: Int) -> Access {
        var access = empty
        var sets: [(field: Field, set: [Bool])] = []
        let instruction = code.instructions[number]
        let range = Int(instruction.subject)..<Int(instruction.subject) + Int(instruction.count)
        access.write(instruction.result)
        switch instruction.operation {
        case .assign:
            for effect in code.effects[range] {
                access.write(effect.target)
                if effect.kind == .copy { access.read(effect.source) }
                if effect.kind == .condition { look(Int(effect.value), &access, &sets) }
            }
        case .branch: look(Int(instruction.subject), &access, &sets)
        case .require:
            look(Int(instruction.subject), &access, &sets)
            access.write(layout.broken)
        case .wait, .waitEvent:
            for alternative in code.alternatives[range] { look(Int(alternative.condition), &access, &sets) }
        case .wake: for field in layout.pc { access.write(field) }
        case .lock, .tryLock: access.write(instruction.field)
        case .unlock:
            access.write(instruction.field)
            access.write(layout.broken)
        case .convert, .cancel:
            let lock = code.locks[Int(instruction.subject)]
            for node in 0..<nodes {
                access.write(lock.granted[node])
                access.write(lock.requested[node])
                access.write(lock.rank[node])
                access.write(lock.blockedSets[node])
            }
        case .start: access.write(layout.pc[Int(instruction.subject)])
        case .jump, .asleep, .choose, .end: break
        }
        for item in sets { access.read(item.field) }
        return access
    }
}
