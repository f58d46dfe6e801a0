// SPDX-License-Identifier: GPL-2.0

/// One worker's share of a search: the states whose hash it owns. While a round runs, a worker touches only its own
/// shard, so there are no locks; states that belong to another shard wait in an outbox until the round's second half.
///
/// States are numbered `index * shardCount + shard` across shards.
final class Shard: @unchecked Sendable {
    let number: Int
    let shardCount: Int
    let system: any TransitionSystem
    let store: StateStore
    let stateWords: Int
    private let invariants: [(Int, Property)]
    /// Those that were not seen to hold yet.
    private var reachables: [(Int, Property)]
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
    private let batch = Batch()

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

    static func owner(ofHash hash: UInt64, shardCount: Int) -> Int { Int((hash & 0x3FF) % UInt64(shardCount)) }

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
        batch.add(state, hash: hash, step: -1)
        insertBatch()
    }

    /// Expands up to `limit` states of the current layer.
    func expand(limit: Int, with successors: inout Successors) {
        let end = min(cursor + limit, layerEnd)
        while cursor < end, !isFull {
            successors.removeAll()
            while cursor < end, successors.total < Batch.size {
                let index = cursor
                cursor += 1
                let view = StateView(store.state(index))
                successors.setAside()
                system.successors(of: view, into: &successors)
                if successors.count == 0, !system.isFinal(view) { deadlocks.append(index * shardCount + number) }
            }
            for step in successors.passed { counters[Int(step)].fired += 1 }
            transitions += UInt64(successors.total)
            distribute(successors)
        }
    }

    /// Puts states where they belong: into this shard or into an outbox.
    private func distribute(_ successors: borrowing Successors) {
        for item in 0..<successors.total {
            let words = successors.wordsOfAll(item)
            canonicalize?(words)
            let hash = StateStore.hash(words, words: stateWords)
            let owner = shardCount == 1 ? 0 : Self.owner(ofHash: hash, shardCount: shardCount)
            if owner == number {
                if batch.count == Batch.size { insertBatch() }
                batch.add(words, hash: hash, step: successors.stepOfAll(item))
            } else {
                outboxes[owner].words.append(contentsOf: UnsafeBufferPointer(start: words, count: stateWords))
                outboxes[owner].hashes.append(hash)
                outboxes[owner].steps.append(Int32(truncatingIfNeeded: successors.stepOfAll(item)))
            }
        }
        insertBatch()
    }

    /// Takes what another shard left for this one.
    func collect(from other: Shard) {
        let box = other.outboxes[number]
        box.words.withUnsafeBufferPointer { words in
            guard let base = words.baseAddress else { return }
            for item in box.hashes.indices {
                if batch.count == Batch.size { insertBatch() }
                batch.add(base + item * stateWords, hash: box.hashes[item], step: Int(box.steps[item]))
            }
            insertBatch()
        }
    }

    /// Takes up a search where a checkpoint has left it; the store is filled already.
    func restore(transitions: UInt64, layerStarts: [Int], counters list: [UInt64], reached: Set<Int>) {
        cursor = layerStarts[layerStarts.count - 2]
        self.transitions = transitions
        self.layerStarts = layerStarts
        self.reached = reached
        reachables.removeAll { reached.contains($0.0) }
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

    private func insertBatch() {
        let (batch, store) = (batch, store)
        defer { batch.count = 0 }
        guard !isFull, store.prepare(batch.hashes, batch.slots, count: batch.count) else {
            isFull = true
            return
        }
        for item in 0..<batch.count {
            let state = batch.states[item]
            let step = batch.steps[item]
            if step >= 0 { counters[step].fired &+= 1 }
            switch store.insert(state, hash: batch.hashes[item], from: batch.slots[item]) {
            case .known: continue
            case .full:
                isFull = true
                return
            case .new(let index):
                if step >= 0 { counters[step].found &+= 1 }
                examine(StateView(state), index)
            }
        }
    }

    /// Looks at a state for the first time.
    private func examine(_ view: StateView, _ index: Int) {
        if !invariants.isEmpty, system.mayBreakInvariant(view) {
            for (position, property) in invariants where !property.holds(view) {
                violations.append((position, index * shardCount + number))
            }
        }
        if !reachables.isEmpty {
            for (position, property) in reachables where property.holds(view) { reached.insert(position) }
            reachables.removeAll { reached.contains($0.0) }
        }
    }
}

/// States that are inserted together, so that their cache misses overlap.
private final class Batch {
    static let size = 64
    let states: UnsafeMutablePointer<UnsafePointer<UInt64>>
    let hashes: UnsafeMutablePointer<UInt64>
    let steps: UnsafeMutablePointer<Int>
    let slots: UnsafeMutablePointer<Int>
    var count = 0

    init() {
        states = .allocate(capacity: Self.size)
        hashes = .allocate(capacity: Self.size)
        steps = .allocate(capacity: Self.size)
        slots = .allocate(capacity: Self.size)
    }

    deinit {
        states.deallocate()
        hashes.deallocate()
        steps.deallocate()
        slots.deallocate()
    }

    @inline(__always) func add(_ state: UnsafePointer<UInt64>, hash: UInt64, step: Int) {
        states[count] = state
        hashes[count] = hash
        steps[count] = step
        count &+= 1
    }
}
