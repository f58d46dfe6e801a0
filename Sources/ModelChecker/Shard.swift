// SPDX-License-Identifier: GPL-2.0

/// One worker's share of a search: the states whose hash it owns. While a round runs, a worker touches only its own shard,
/// so there are no locks; states that belong to another shard wait in an outbox until the round's second half.
///
/// States are numbered `index * shardCount + shard` across shards.
final class Shard: @unchecked Sendable {
    let number: Int
    let shardCount: Int
    let system: any TransitionSystem
    let store: StateStore
    let stateWords: Int
    private let invariants: [(Int, Property)]
    private let reachables: [(Int, Property)]
    private let canonicalize: (@Sendable (UnsafeMutablePointer<UInt64>) -> Void)?

    /// Where each layer begins in the store; the last element is where the next one will.
    var layerStarts = [0]
    /// Next state of the current layer to expand.
    var cursor = 0
    var transitions: UInt64 = 0
    /// By step; of a fixed size, and not an array, so that counting costs no checks.
    private let counters: UnsafeMutablePointer<StepCoverage>
    private let stepCount: Int
    var coverage: [StepCoverage] { Array(UnsafeBufferPointer(start: counters, count: stepCount)) }
    var deadlocks: [Int] = []
    /// (property's position, state's number) of the invariants seen broken.
    var violations: [(property: Int, state: Int)] = []
    var reached: Set<Int> = []
    var isFull = false
    private var outboxes: [Outbox]
    private var hashes: [UInt64] = []

    private struct Outbox {
        var words: [UInt64] = []
        var hashes: [UInt64] = []
        var steps: [Int32] = []
    }

    init(number: Int, of shardCount: Int, system: any TransitionSystem, store: StateStore) {
        self.number = number
        self.shardCount = shardCount
        self.system = system
        self.store = store
        stateWords = system.stateWords
        let properties = Array(system.properties.enumerated()).map { ($0.offset, $0.element) }
        invariants = properties.filter { $0.1.kind == .invariant }
        reachables = properties.filter { $0.1.kind == .reachable }
        canonicalize = system.canonicalize
        stepCount = system.stepCount
        counters = .allocate(capacity: max(1, stepCount))
        counters.initialize(repeating: StepCoverage(), count: max(1, stepCount))
        outboxes = Array(repeating: Outbox(), count: shardCount)
    }

    deinit { counters.deallocate() }

    static func owner(ofHash hash: UInt64, shardCount: Int) -> Int { Int((hash >> 40) % UInt64(shardCount)) }

    var layerEnd: Int { layerStarts[layerStarts.count - 1] }

    /// Counters as they were when the layer began: what a checkpoint keeps, since it keeps whole layers only.
    private(set) var atLayer = LayerCounters()

    struct LayerCounters {
        var transitions: UInt64 = 0
        var coverage: [StepCoverage] = []
        var reached: Set<Int> = []
    }

    /// Ends the layer: what was found since becomes the next one. False if that is empty in this shard.
    func beginLayer() -> Bool {
        cursor = layerEnd
        layerStarts.append(store.count)
        atLayer = LayerCounters(transitions: transitions, coverage: coverage, reached: reached)
        return cursor < store.count
    }

    func addInitial(_ state: UnsafePointer<UInt64>, hash: UInt64) {
        insert(state, hash: hash, step: -1)
    }

    /// Expands up to `limit` states of the current layer.
    func expand(limit: Int, with successors: inout Successors) {
        let end = min(cursor + limit, layerEnd)
        while cursor < end, !isFull {
            let index = cursor
            cursor += 1
            successors.removeAll()
            let view = StateView(store.state(index))
            system.successors(of: view, into: &successors)
            for step in successors.passed { counters[Int(step)].fired += 1 }
            let count = successors.count
            if count == 0 {
                if !system.isFinal(view) { deadlocks.append(index * shardCount + number) }
                continue
            }
            transitions += UInt64(count)
            while hashes.count < count { hashes.append(0) }
            hashes.withUnsafeMutableBufferPointer { hashes in
                var touched: UInt32 = 0
                for item in 0..<count {
                    let words = successors.words(item)
                    canonicalize?(words)
                    hashes[item] = StateStore.hash(words, words: stateWords)
                    touched ^= store.touch(hash: hashes[item])
                }
                for item in 0..<count { touched ^= store.touchState(hash: hashes[item]) }
                withExtendedLifetime(touched) {}
                for item in 0..<count {
                    let owner = shardCount == 1 ? 0 : Self.owner(ofHash: hashes[item], shardCount: shardCount)
                    if owner == number {
                        insert(successors.words(item), hash: hashes[item], step: successors.step(item))
                    } else {
                        outboxes[owner].words.append(
                            contentsOf: UnsafeBufferPointer(start: successors.words(item), count: stateWords))
                        outboxes[owner].hashes.append(hashes[item])
                        outboxes[owner].steps.append(Int32(truncatingIfNeeded: successors.step(item)))
                    }
                }
            }
        }
    }

    /// Takes what another shard left for this one.
    func collect(from other: Shard) {
        let box = other.outboxes[number]
        box.words.withUnsafeBufferPointer { words in
            guard let base = words.baseAddress else { return }
            for item in box.hashes.indices where !isFull {
                insert(base + item * stateWords, hash: box.hashes[item], step: Int(box.steps[item]))
            }
        }
    }

    /// Takes up a search where a checkpoint has left it; the store is filled already.
    func restore(transitions: UInt64, layerStarts: [Int], counters list: [UInt64], reached: Set<Int>) {
        cursor = layerStarts[layerStarts.count - 2]
        self.transitions = transitions
        self.layerStarts = layerStarts
        self.reached = reached
        for step in 0..<stepCount {
            counters[step] = StepCoverage(fired: list[step * 2], found: list[step * 2 + 1])
        }
        atLayer = LayerCounters(transitions: transitions, coverage: coverage, reached: reached)
    }

    func emptyOutboxes() {
        for index in outboxes.indices {
            outboxes[index].words.removeAll(keepingCapacity: true)
            outboxes[index].hashes.removeAll(keepingCapacity: true)
            outboxes[index].steps.removeAll(keepingCapacity: true)
        }
    }

    private func insert(_ state: UnsafePointer<UInt64>, hash: UInt64, step: Int) {
        if step >= 0 { counters[step].fired += 1 }
        switch store.insert(state, hash: hash) {
        case .known: return
        case .full: isFull = true
        case .new(let index):
            if step >= 0 { counters[step].found += 1 }
            let view = StateView(state)
            if !invariants.isEmpty, system.mayBreakInvariant(view) {
                for (position, property) in invariants where !property.holds(view) {
                    violations.append((position, index * shardCount + number))
                }
            }
            if reached.count < reachables.count {
                for (position, property) in reachables where !reached.contains(position) && property.holds(view) {
                    reached.insert(position)
                }
            }
        }
    }
}
