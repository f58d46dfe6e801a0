// SPDX-License-Identifier: GPL-2.0
import ModelChecker

/// What a search thread keeps from state to state.
final class BlockWorkspace {
    let tables: ReductionTables
    let nodes: [NodeWays]
    var one: Successors

    init(_ tables: ReductionTables, stateWords: Int) {
        self.tables = tables
        nodes = tables.nodeMasks.map { NodeWays(mask: $0) }
        one = Successors(stateWords: stateWords)
    }
}

extension Machine {
    /// Where the nodes can meet next: with reduction these are the successors of a state.
    func blocks(
        of words: UnsafePointer<UInt64>, _ tables: ReductionTables, into successors: inout Successors
    ) {
        let space: BlockWorkspace
        if let known = successors.workspace {
            space = unsafeDowncast(known, to: BlockWorkspace.self)
        } else {
            space = BlockWorkspace(tables, stateWords: stateWords)
            successors.workspace = space
        }
        for node in 0..<nodeCount { block(of: node, words, space, &successors) }
        guard successors.count == 0 else { return }
        // Time limits end when nothing else can happen.
        for thread in 0..<threadCount {
            let pc = pcs[thread].read(words)
            if pc != 0 { step(thread, pc, words, &successors, timeouts: true) }
        }
    }

    private func block(
        of node: Int, _ words: UnsafePointer<UInt64>, _ space: BlockWorkspace, _ successors: inout Successors
    ) {
        let ways = space.nodes[node]
        let range = ways.ends(from: words) ?? explore(node, words, space, &successors)
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: stateWords) { buffer in
            guard let state = buffer.baseAddress else { return }
            for number in range {
                let end = ways.ends[number]
                for word in 0..<stateWords {
                    state[word] = words[word] & ~ways.mask[word] | ways.words[number * stateWords + word]
                }
                switch end.kind {
                case .meets:
                    step(Int(end.thread), pcs[Int(end.thread)].read(state), state, &successors, timeouts: false)
                case .stays: successors.add(step: Int(end.step)).update(from: state, count: stateWords)
                case .watched:
                    if isNoticed(state) { successors.add(step: Int(end.step)).update(from: state, count: stateWords) }
                }
            }
        }
    }

    private func explore(
        _ node: Int, _ words: UnsafePointer<UInt64>, _ space: BlockWorkspace, _ successors: inout Successors
    ) -> Range<Int> {
        let ways = space.nodes[node]
        ways.forgetIfLarge()
        let first = ways.ends.count
        var states = StateView(words).copy(count: stateWords)
        var last = -1
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: stateWords) { buffer in
            guard let state = buffer.baseAddress else { return }
            var next = 0
            while next < states.count {
                for word in 0..<stateWords { state[word] = states[next + word] }
                next += stateWords
                for thread in firstThreads[node]..<firstThreads[node + 1] {
                    let pc = pcs[thread].read(state)
                    guard pc != 0, canMove(thread: thread, pc, state) else { continue }
                    let step = firsts[thread] + pc
                    guard isLocal(space.tables.localities[step], node, state) else {
                        ways.add(.init(kind: .meets, thread: Int32(thread), step: Int32(step)), at: state)
                        continue
                    }
                    last = step
                    successors.pass(step: step)
                    space.one.removeAll()
                    self.step(thread, pc, state, &space.one, timeouts: false)
                    for item in 0..<space.one.count {
                        let after = space.one.words(item)
                        guard isNew(after, &states) else { continue }
                        if !canMove(node, after) {
                            ways.add(.init(kind: .stays, thread: Int32(thread), step: Int32(step)), at: after)
                        } else if mayBeNoticed(after, space.tables.noticedClauses[step], ways.mask) {
                            ways.add(.init(kind: .watched, thread: Int32(thread), step: Int32(step)), at: after)
                        }
                    }
                }
            }
            // A node that runs in circles alone is in no deadlock.
            if ways.ends.count == first, last >= 0 {
                ways.add(.init(kind: .stays, thread: 0, step: Int32(last)), at: state)
            }
        }
        return ways.finish(from: words, first: first)
    }

    /// Puts a state behind those that were met on the way, unless it is one of them.
    private func isNew(_ state: UnsafeMutablePointer<UInt64>, _ states: inout [UInt64]) -> Bool {
        var place = 0
        while place < states.count {
            var word = 0
            while word < stateWords, states[place + word] == state[word] { word += 1 }
            if word == stateWords { return false }
            place += stateWords
        }
        states.append(contentsOf: UnsafeBufferPointer(start: state, count: stateWords))
        return true
    }

    /// Whether a rule has something to say of a state.
    private func isNoticed(_ words: UnsafePointer<UInt64>) -> Bool {
        if broken.read(words) != 0 { return true }
        for condition in breaking where holds(condition, words) { return true }
        for condition in wanted where holds(condition, words) { return true }
        return false
    }

    /// Whether one of these clauses can be true of any state that has these bits of a node: false if in each a test of
    /// these bits alone fails already, which is so nearly everywhere.
    private func mayBeNoticed(_ words: UnsafePointer<UInt64>, _ changed: [Int], _ mask: [UInt64]) -> Bool {
        if broken.read(words) != 0 { return true }
        func isKnown(_ field: Field) -> Bool {
            let bits = field.mask << UInt64(field.shift)
            return mask[Int(field.word)] & bits == bits
        }
        func fails(_ test: Int) -> Bool {
            let known: Bool
            switch tests[test].kind {
            case .masked, .notMasked: known = mask[Int(tests[test].word)] & tests[test].mask == tests[test].mask
            case .less, .notLess, .inSet, .notInSet: known = isKnown(tests[test].field)
            case .fieldsEqual, .fieldsDiffer: known = isKnown(tests[test].field) && isKnown(tests[test].other)
            case .never: known = true
            }
            return known && !passes(test, words)
        }
        return changed.contains { clause in
            let first = Int(clauses[clause].first)
            return !(first..<first + Int(clauses[clause].count)).contains(where: fails)
        }
    }

    private func isLocal(_ locality: Locality, _ node: Int, _ words: UnsafePointer<UInt64>) -> Bool {
        switch locality.kind {
        case .never: return false
        case .always: return true
        case .sometimes:
            let unchanged = Int(locality.unchanged)
            if unchanged >= 0,
                granted[unchanged * nodeCount + node].read(words) != Int(locality.mode)
            {
                return false
            }
            var locks = locality.settled
            while locks != 0 {
                let lock = locks.trailingZeroBitCount
                if requested[lock * nodeCount + node].read(words) != 0 { return false }
                locks &= locks - 1
            }
            return true
        }
    }

    /// How many threads can take a step: few are near a deadlock.
    public func movableThreads(in state: StateView) -> Int {
        (0..<threadCount).reduce(0) { count, thread in
            let pc = pcs[thread].read(state.words)
            return pc != 0 && canMove(thread: thread, pc, state.words) ? count + 1 : count
        }
    }

    /// Whether a thread of a node can take a step.
    func canMove(_ node: Int, _ words: UnsafePointer<UInt64>) -> Bool {
        for thread in firstThreads[node]..<firstThreads[node + 1] {
            let pc = pcs[thread].read(words)
            if pc != 0, canMove(thread: thread, pc, words) { return true }
        }
        return false
    }

    private func canMove(thread: Int, _ pc: Int, _ words: UnsafePointer<UInt64>) -> Bool {
        let instruction = instructions + (firsts[thread] + pc)
        switch instruction.pointee.operation {
        case .wait:
            let first = Int(instruction.pointee.subject)
            for item in first..<first + Int(instruction.pointee.count)
            where !alternatives[item].isTimeout && holds(Int(alternatives[item].condition), words) { return true }
            return false
        case .asleep: return false
        case .lock: return instruction.pointee.field.read(words) == 0
        default: return true
        }
    }
}
