// SPDX-License-Identifier: GPL-2.0
import ModelChecker

/// A node's ways from a state to where it meets the others: its local steps, in every order, and what stands behind them.
///
/// They depend only on some bits of the state, so they are explored once for each value of these: what is kept are the bits
/// as they are at each end.
final class NodeWays {
    enum Kind: UInt8 {
        /// The step is taken there: it is the one by which the node meets the others.
        case meets
        /// The node cannot go on; the step has led there.
        case stays
        /// As `stays`, and only if a rule has something to say of it: the node goes on.
        case watched
    }
    struct End {
        var kind: Kind
        var thread: Int32
        var step: Int32
    }

    let mask: [UInt64]
    private(set) var ends: [End] = []
    /// By end: the bits of the mask.
    private(set) var words: [UInt64] = []
    private var keys: [UInt64] = []
    private var ranges: [Range<Int>] = []
    private var table: [Int32] = Array(repeating: 0, count: 1024)

    /// Words kept before everything is forgotten: 64 MiB.
    private static let limit = 8 << 20

    init(mask: [UInt64]) { self.mask = mask }

    /// The ends of the ways from a state, nil if they were not explored yet.
    func ends(from state: UnsafePointer<UInt64>) -> Range<Int>? {
        let entry = table[slot(of: state)]
        return entry == 0 ? nil : ranges[Int(entry) - 1]
    }

    /// Where a state's entry is or belongs.
    private func slot(of state: UnsafePointer<UInt64>) -> Int {
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
        for word in mask.indices {
            let product = (hash ^ state[word] & mask[word]).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
            hash = product.high ^ product.low
        }
        var slot = Int(truncatingIfNeeded: hash) & (table.count - 1)
        while table[slot] != 0 {
            let key = (Int(table[slot]) - 1) * mask.count
            var word = 0
            while word < mask.count, keys[key + word] == state[word] & mask[word] { word += 1 }
            if word == mask.count { break }
            slot = (slot + 1) & (table.count - 1)
        }
        return slot
    }

    func add(_ end: End, at state: UnsafePointer<UInt64>) {
        ends.append(end)
        for word in mask.indices { words.append(state[word] & mask[word]) }
    }

    /// Everything that was added since `first` are the ends from this state.
    func finish(from state: UnsafePointer<UInt64>, first: Int) -> Range<Int> {
        if ranges.count * 2 >= table.count { grow() }
        for word in mask.indices { keys.append(state[word] & mask[word]) }
        ranges.append(first..<ends.count)
        // The key is not in the table yet, so the search for it ends at a free slot.
        table[slot(of: state)] = Int32(ranges.count)
        return first..<ends.count
    }

    func forgetIfLarge() {
        guard words.count + keys.count > Self.limit else { return }
        (ends, words, keys, ranges) = ([], [], [], [])
        table = Array(repeating: 0, count: 1024)
    }

    private func grow() {
        table = Array(repeating: 0, count: table.count * 2)
        for number in ranges.indices {
            let free = keys.withUnsafeBufferPointer { keys in
                keys.baseAddress.map { self.slot(of: $0 + number * mask.count) } ?? 0
            }
            table[free] = Int32(number + 1)
        }
    }
}

/// What a search thread keeps from state to state.
final class BlockWorkspace {
    let nodes: [NodeWays]
    var one: Successors

    init(masks: [[UInt64]], stateWords: Int) {
        nodes = masks.map { NodeWays(mask: $0) }
        one = Successors(stateWords: stateWords)
    }
}

extension Machine {
    /// Where the nodes can meet next: with reduction these are the successors of a state.
    func blocks(of words: UnsafePointer<UInt64>, into successors: inout Successors) {
        let space: BlockWorkspace
        if let known = successors.workspace {
            space = unsafeDowncast(known, to: BlockWorkspace.self)
        } else {
            space = BlockWorkspace(masks: nodeMasks, stateWords: stateWords)
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
                    guard isLocal(step, node, state) else {
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
                        } else if noticedSteps[step], mayBeNoticed(after, ways.mask) {
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

    /// Whether a rule can have something to say of any state that has these bits of a node: false if in each of its clauses a
    /// test of these bits alone fails already, which is so nearly everywhere.
    private func mayBeNoticed(_ words: UnsafePointer<UInt64>, _ mask: [UInt64]) -> Bool {
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
        return (breaking + wanted).contains { condition in
            let list = conditions[condition]
            return (Int(list.first)..<Int(list.first + list.count)).contains { clause in
                let first = Int(clauses[clause].first)
                return !(first..<first + Int(clauses[clause].count)).contains(where: fails)
            }
        }
    }

    private func isLocal(_ step: Int, _ node: Int, _ words: UnsafePointer<UInt64>) -> Bool {
        let locality = localities + step
        switch locality.pointee.kind {
        case .never: return false
        case .always: return true
        case .sometimes:
            let unchanged = Int(locality.pointee.unchanged)
            if unchanged >= 0,
                granted[unchanged * nodeCount + node].read(words) != Int(locality.pointee.mode)
            {
                return false
            }
            var locks = locality.pointee.settled
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

extension Machine {
    /// With reduction a step of a run stands for a node's local steps and the one behind them: they are put in.
    public func expanded(_ run: Counterexample) -> Counterexample {
        guard isReduced, let first = run.states.first else { return run }
        var result = Counterexample(steps: [], states: [first], actorSwitches: 0, fewestSwitches: false)
        for (number, step) in run.steps.enumerated() {
            for (step, state) in way(from: run.states[number], to: run.states[number + 1], by: step) {
                if let last = result.steps.last, actor(ofStep: last) != actor(ofStep: step) {
                    result.actorSwitches += 1
                }
                result.steps.append(step)
                result.states.append(state)
            }
        }
        return result
    }

    /// A shortest way of one node, the last step being the one that is named.
    private func way(from begin: [UInt64], to end: [UInt64], by last: Int) -> [(step: Int, state: [UInt64])] {
        let node = nodesOfThreads[actor(ofStep: last)]
        var found: [(state: [UInt64], step: Int, before: Int)] = [(begin, -1, -1)]
        var seen: Set<[UInt64]> = [begin]
        var one = Successors(stateWords: stateWords)
        var next = 0
        while next < found.count {
            let state = found[next].state
            let goal = state.withUnsafeBufferPointer { buffer -> Int? in
                guard let words = buffer.baseAddress else { return nil }
                let isTimeout = !canMove(node, words)
                for thread in firstThreads[node]..<firstThreads[node + 1] {
                    let pc = pcs[thread].read(words)
                    guard pc != 0 else { continue }
                    one.removeAll()
                    step(thread, pc, words, &one, timeouts: isTimeout)
                    for item in 0..<one.count {
                        let after = StateView(one.words(item)).copy(count: stateWords)
                        let isEnd = one.step(item) == last && after == end
                        if isEnd || seen.insert(after).inserted { found.append((after, one.step(item), next)) }
                        if isEnd { return found.count - 1 }
                    }
                }
                return nil
            }
            if var place = goal {
                var way: [(step: Int, state: [UInt64])] = []
                while found[place].before >= 0 {
                    way.append((found[place].step, found[place].state))
                    place = found[place].before
                }
                return way.reversed()
            }
            next += 1
        }
        return [(last, end)]
    }
}
