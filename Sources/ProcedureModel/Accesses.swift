// SPDX-License-Identifier: GPL-2.0

/// Bits of a state that something reads and writes, and the threads whose position it looks at.
struct Access {
    var reads: [UInt64]
    var writes: [UInt64]
    /// Threads of whose position more is asked than whether they run.
    var positions: Set<Int> = []

    init(words: Int) {
        reads = Array(repeating: 0, count: words)
        writes = reads
    }

    mutating func read(_ field: Field) { reads[Int(field.word)] |= field.mask << UInt64(field.shift) }
    mutating func write(_ field: Field) { writes[Int(field.word)] |= field.mask << UInt64(field.shift) }
    mutating func add(_ other: Access) {
        for word in reads.indices {
            reads[word] |= other.reads[word]
            writes[word] |= other.writes[word]
        }
        positions.formUnion(other.positions)
    }
    func touched(_ word: Int) -> UInt64 { reads[word] | writes[word] }

    /// Whether both orders of two steps lead to the same, as far as these bits go.
    func commutes(with other: Access) -> Bool {
        for word in reads.indices
        where writes[word] & other.touched(word) != 0 || reads[word] & other.writes[word] != 0 { return false }
        return true
    }
}

/// What every instruction of a compiled program can touch, at most.
struct Accesses {
    let code: Code
    let layout: Layout
    private let nodes: Int
    /// What each touches. Only tests change it.
    var instructions: [Access] = []

    init(_ code: Code, _ layout: Layout, nodes: Int) {
        self.code = code
        self.layout = layout
        self.nodes = nodes
        for thread in code.threads {
            for number in thread.first..<thread.first + thread.count {
                instructions.append(access(of: number, node: thread.node))
            }
        }
    }

    var none: Access { Access(words: layout.words) }

    /// A test that looks at a thread's position: which positions pass.
    struct PositionTest {
        var thread: Int
        var passes: [Bool]
    }

    /// What one "and" of a condition looks at.
    struct ClauseReads {
        var fields: Access
        var positions: [PositionTest] = []
    }

    func clauses(of condition: Int) -> [ClauseReads] {
        let list = code.conditions[condition]
        return (Int(list.first)..<Int(list.first + list.count)).map { clause in
            var reads = ClauseReads(fields: none)
            let first = Int(code.clauses[clause].first)
            for test in code.tests[first..<first + Int(code.clauses[clause].count)] {
                switch test.kind {
                case .masked, .notMasked: reads.fields.reads[Int(test.word)] |= test.mask
                case .inSet, .notInSet:
                    if let thread = layout.pc.firstIndex(of: test.field) {
                        reads.positions.append(PositionTest(thread: thread, passes: code.sets[Int(test.value)]))
                    }
                case .never: continue
                case .less, .notLess: reads.fields.read(test.field)
                case .fieldsEqual, .fieldsDiffer:
                    reads.fields.read(test.field)
                    reads.fields.read(test.other)
                }
            }
            return reads
        }
    }

    /// Everything that a condition looks at.
    private func look(_ condition: Int, _ access: inout Access) {
        for clause in clauses(of: condition) {
            access.add(clause.fields)
            access.positions.formUnion(clause.positions.map(\.thread))
        }
    }

    private func access(of number: Int, node: Int) -> Access {
        var access = none
        let instruction = code.instructions[number]
        let range = Int(instruction.subject)..<Int(instruction.subject) + Int(instruction.count)
        access.write(instruction.result)
        switch instruction.operation {
        case .assign:
            for effect in code.effects[range] {
                access.write(effect.target)
                if effect.kind == .copy { access.read(effect.source) }
                if effect.kind == .condition { look(Int(effect.value), &access) }
            }
        case .branch: look(Int(instruction.subject), &access)
        // The rule that it breaks is not counted as written: nothing comes after that.
        case .require: look(Int(instruction.subject), &access)
        case .wait, .waitEvent:
            for alternative in code.alternatives[range] { look(Int(alternative.condition), &access) }
        case .wake:
            for thread in code.threads.indices where !beds(of: thread, on: instruction.subject).isEmpty {
                access.write(layout.pc[thread])
            }
        case .lock, .tryLock, .unlock: access.write(instruction.field)
        case .convert, .cancel:
            let lock = code.locks[Int(instruction.subject)]
            access.write(lock.granted[node])
            // Where all modes go together nobody ever waits.
            if !lock.excludes { break }
            for node in 0..<nodes {
                access.write(lock.granted[node])
                access.write(lock.requested[node])
                access.write(lock.rank[node])
                access.write(lock.blockedSets[node])
            }
        case .start: access.write(layout.pc[Int(instruction.subject)])
        case .jump, .asleep, .choose, .end: break
        }
        return access
    }

    /// Whether anybody looks at where a thread is, or starts it.
    func isWatched(_ thread: Int, rules: [ClauseReads]) -> Bool {
        let field = layout.pc[thread]
        let mask = field.mask << UInt64(field.shift)
        return instructions.contains {
            $0.positions.contains(thread) || $0.touched(Int(field.word)) & mask != 0
        }
            || rules.contains { clause in
                clause.fields.reads[Int(field.word)] & mask != 0 || clause.positions.contains { $0.thread == thread }
            }
    }

    /// Positions in which a thread sleeps on a queue.
    private func beds(of thread: Int, on queue: Int32) -> [Int] {
        let thread = code.threads[thread]
        return (0..<thread.count).filter {
            code.instructions[thread.first + $0].operation == .asleep
                && code.instructions[thread.first + $0].subject == queue
        }
    }

    // MARK: Steps

    /// A step is an instruction and the silent ones that follow. What it touches, and where the thread can be
    /// afterwards.
    struct Step {
        var access: Access
        var targets: Set<Int> = []
        /// Other threads that it starts or wakes, from where to where.
        var moves: Set<Move> = []
        /// Its conversions, and without them what it touches.
        var conversions: [Instruction] = []
        var besides: Access
    }

    struct Move: Hashable {
        var thread: Int
        var from: Int
        var to: Int
    }

    /// Whether a step puts another thread somewhere else by itself, as the crash of a node does.
    func displaces(byThread number: Int, _ step: Step) -> Bool {
        layout.pc.indices.contains { other in
            let field = layout.pc[other]
            return other != number && step.access.writes[Int(field.word)] & field.mask << UInt64(field.shift) != 0
                && !step.moves.contains { $0.thread == other }
        }
    }

    /// Whether a step can make a test of a position come out otherwise.
    func changes(_ test: PositionTest, byThread number: Int, _ step: Step, from position: Int) -> Bool {
        step.moves.contains { $0.thread == test.thread && test.passes[$0.from] != test.passes[$0.to] }
            || test.thread == number && step.targets.contains { test.passes[$0] != test.passes[position] }
    }

    func step(thread number: Int, position: Int) -> Step {
        let thread = code.threads[number]
        var step = Step(access: none, besides: none)
        step.access.write(layout.pc[number])
        step.besides.write(layout.pc[number])
        var visited: Set<Int> = []
        var open = [position]
        while let position = open.popLast() {
            guard visited.insert(position).inserted else { continue }
            let instruction = code.instructions[thread.first + position]
            step.access.add(instructions[thread.first + position])
            if instruction.operation == .convert || instruction.operation == .cancel {
                step.conversions.append(instruction)
                step.besides.write(instruction.result)
            } else {
                step.besides.add(instructions[thread.first + position])
            }
            if instruction.operation == .start {
                step.moves.insert(Move(thread: Int(instruction.subject), from: 0, to: 1))
            }
            if instruction.operation == .wake {
                for sleeper in code.threads.indices {
                    for position in beds(of: sleeper, on: instruction.subject) {
                        step.moves.insert(Move(thread: sleeper, from: position, to: position - 1))
                    }
                }
            }
            for next in successors(of: thread.first + position, at: position) {
                if next != 0, code.instructions[thread.first + next].isSilent {
                    open.append(next)
                } else {
                    step.targets.insert(next)
                }
            }
        }
        return step
    }

    /// Positions to which an instruction leads.
    func successors(of number: Int, at position: Int) -> [Int] {
        let instruction = code.instructions[number]
        let range = Int(instruction.subject)..<Int(instruction.subject) + Int(instruction.count)
        switch instruction.operation {
        case .branch: return [Int(instruction.next), Int(instruction.other)]
        case .choose: return code.targets[range].map(Int.init)
        case .wait: return code.alternatives[range].map { Int($0.target) }
        case .waitEvent: return code.alternatives[range].map { Int($0.target) } + [position + 1]
        // Woken, it looks again; a time limit takes it where the wait before it leads.
        case .asleep: return successors(of: number - 1, at: position - 1) + [position - 1]
        case .end: return [0]
        default: return [Int(instruction.next)]
        }
    }
}
