// SPDX-License-Identifier: GPL-2.0
import Dispatch
import Synchronization

/// Breadth-first exhaustive search.
///
/// The answer, the number of states and the counterexample are the same for any number of workers: a failure is looked
/// for only at the end of a layer, and the run that is shown is chosen among all shortest ones by a rule that does not
/// depend on the order of discovery.
public struct Search: Sendable {
    public let system: any TransitionSystem
    public var bounds: Bounds
    /// Threads that search, 1 or 2 on a small machine.
    public var workers: Int
    /// Called about once a second.
    public var progress: (@Sendable (Progress) -> Void)?
    /// Where a search that ends undecided puts what it has, to be taken up again.
    public var checkpoint: String?
    /// A checkpoint to begin with; it must be of the same system and the same number of workers.
    public var resume: String?
    /// Set from anywhere to make the search stop with `.interrupted`.
    public let stop = StopFlag()

    public final class StopFlag: Sendable {
        private let flag = Atomic<Bool>(false)
        public func set() { flag.store(true, ordering: .relaxed) }
        public var isSet: Bool { flag.load(ordering: .relaxed) }
    }

    public init(_ system: any TransitionSystem, bounds: Bounds = Bounds(), workers: Int = 1) {
        self.system = system
        self.bounds = bounds
        self.workers = max(1, workers)
    }

    /// States that a worker expands between two looks at bounds, at the clock and into the other workers' outboxes.
    private static let roundSize = 8192

    /// Searches. A checkpoint that cannot be read or written is an error only for `runThrowing`; here there must be
    /// none.
    public func run() -> SearchResult {
        precondition(checkpoint == nil && resume == nil, "use runResumable")
        // Without files there is nothing that can be thrown.
        guard let result = try? runResumable() else { preconditionFailure("no file was used") }
        return result
    }

    /// Searches, beginning with `resume` and leaving `checkpoint` behind if it ends undecided.
    ///
    /// Throws what is wrong with either file.
    public func runResumable() throws(CheckpointError) -> SearchResult {
        let watch = Stopwatch()
        guard let shards = makeShards() else {
            return SearchResult(
                verdict: .undecided(.memory(bytes: bounds.bytes)), states: 0, transitions: 0, depth: 0, seconds: 0,
                bytes: 0, coverage: [], reached: [], counterexample: nil)
        }
        let space = SearchSpace(system: system, shards: shards)
        func result(_ verdict: Verdict, depth: Int, targets: [Int] = []) -> SearchResult {
            self.result(verdict, of: space, depth: depth, seconds: watch.seconds, targets: targets)
        }
        func undecided(_ reason: Verdict.Reason, depth: Int) throws(CheckpointError) -> SearchResult {
            if let checkpoint { try Checkpoint.write(shards, to: checkpoint) }
            return result(.undecided(reason), depth: depth)
        }

        var buffers = Buffers(count: workers, stateWords: system.stateWords)
        var depth = 0
        var lastReport = 0.0
        var goesOn = true
        if let resume {
            try Checkpoint.read(into: shards, from: resume)
            depth = max(0, shards[0].layerStarts.count - 2)
        } else {
            addInitialStates(to: shards)
            goesOn = shards.map { $0.beginLayer() }.contains(true)
            if let failure = space.brokenInvariant() {
                return result(failure.verdict, depth: 0, targets: failure.targets)
            }
        }
        while goesOn {
            while shards.contains(where: { $0.cursor < $0.layerEnd }) {
                expandRound(shards, &buffers)
                let seconds = watch.seconds
                if let reason = limit(of: space, seconds) { return try undecided(reason, depth: depth) }
                if let progress, seconds - lastReport >= 1 {
                    lastReport = seconds
                    progress(
                        Progress(
                            states: space.count, transitions: space.transitions, depth: depth, seconds: seconds,
                            bytes: space.bytes))
                }
            }
            let deadlocks = shards.flatMap(\.deadlocks)
            if !deadlocks.isEmpty { return result(.fails(.deadlock), depth: depth, targets: deadlocks) }
            goesOn = shards.map { $0.beginLayer() }.contains(true)
            if goesOn { depth += 1 }
            if let failure = space.brokenInvariant() {
                return result(failure.verdict, depth: depth, targets: failure.targets)
            }
            if goesOn, depth >= bounds.depth { return try undecided(.depth(bounds.depth), depth: depth) }
        }
        let (verdict, targets) = whatIsPossible(in: space, watch)
        return result(verdict, depth: depth, targets: targets)
    }

    /// States that fit into the memory that may be used.
    private var statesByMemory: Int {
        Int(Double(bounds.bytes) / StateStore.bytesPerState(words: system.stateWords))
    }

    /// One for each worker; nil when there is no memory for them.
    private func makeShards() -> [Shard]? {
        let capacity = max(1, min(bounds.states, statesByMemory) / workers + (workers > 1 ? 1024 : 0))
        var shards: [Shard] = []
        for number in 0..<workers {
            guard let store = StateStore(words: system.stateWords, capacity: capacity) else { return nil }
            shards.append(Shard(number: number, of: workers, system: system, store: store))
        }
        return shards
    }

    /// Why the search must end now; nil if it may go on.
    private func limit(of space: SearchSpace, _ seconds: Double) -> Verdict.Reason? {
        if space.shards.contains(where: \.isFull) {
            return bounds.states <= statesByMemory ? .states(space.count) : .memory(bytes: bounds.bytes)
        }
        if stop.isSet { return .interrupted }
        return seconds > bounds.seconds ? .seconds(bounds.seconds) : nil
    }

    private func result(
        _ verdict: Verdict, of space: SearchSpace, depth: Int, seconds: Double, targets: [Int]
    ) -> SearchResult {
        var coverage = space.shards[0].coverage
        for shard in space.shards.dropFirst() {
            for (index, other) in shard.coverage.enumerated() {
                coverage[index].fired += other.fired
                coverage[index].found += other.found
            }
        }
        let names = system.properties.map(\.name)
        let reached = space.shards.reduce(into: Set<String>()) { $0.formUnion($1.reached.map { names[$0] }) }
        return SearchResult(
            verdict: verdict, states: space.count, transitions: space.transitions, depth: depth, seconds: seconds,
            bytes: space.bytes, coverage: coverage, reached: reached,
            counterexample: targets.isEmpty ? nil : space.counterexample(to: targets))
    }

    /// What is asked when all states are known: is everything reached that must be, and does it stay possible?
    private func whatIsPossible(in space: SearchSpace, _ watch: Stopwatch) -> (Verdict, targets: [Int]) {
        let reached = space.shards.reduce(into: Set<Int>()) { $0.formUnion($1.reached) }
        for (position, property) in system.properties.enumerated()
        where property.kind == .reachable && !reached.contains(position) {
            return (.fails(.unreachable(property.name)), [])
        }
        for property in system.properties where property.kind == .progress {
            switch space.statesWithoutProgress(
                to: property, isStopped: { stop.isSet || watch.seconds > bounds.seconds })
            {
            case nil: return (.undecided(stop.isSet ? .interrupted : .seconds(bounds.seconds)), [])
            case .some(let states) where !states.isEmpty: return (.fails(.noProgress(property.name)), states)
            case .some: continue
            }
        }
        return (.holds, [])
    }

    private func addInitialStates(to shards: [Shard]) {
        var initial = Successors(stateWords: system.stateWords)
        system.initialStates(into: &initial)
        for item in 0..<initial.count {
            let words = initial.words(item)
            system.canonicalize?(words)
            let hash = StateStore.hash(words, words: system.stateWords)
            shards[Shard.owner(ofHash: hash, shardCount: shards.count)].addInitial(words, hash: hash)
        }
    }

    private func expandRound(_ shards: [Shard], _ buffers: inout Buffers) {
        let expansions = buffers.boxes
        if shards.count == 1 {
            shards[0].expand(limit: Self.roundSize, with: &expansions[0].successors)
            return
        }
        DispatchQueue.concurrentPerform(iterations: shards.count) { number in
            shards[number].expand(limit: Self.roundSize, with: &expansions[number].successors)
        }
        DispatchQueue.concurrentPerform(iterations: shards.count) { number in
            for other in shards where other.number != number { shards[number].collect(from: other) }
        }
        for shard in shards { shard.emptyOutboxes() }
    }
}

/// A buffer of successors for each worker.
private struct Buffers {
    final class Box: @unchecked Sendable {
        var successors: Successors
        init(stateWords: Int) { successors = Successors(stateWords: stateWords) }
    }
    var boxes: [Box]
    init(count: Int, stateWords: Int) { boxes = (0..<count).map { _ in Box(stateWords: stateWords) } }
}
