// SPDX-License-Identifier: GPL-2.0

/// Breadth-first search that keeps 64 bits of each state instead of the state: 17 to 21 bytes for any size of state.
/// Two states with the same fingerprint count as one, so a part of the system may be missed; `omissionOdds` says how
/// likely that is. Only for what does not fit otherwise.
public struct FingerprintSearch: Sendable {
    public let system: any TransitionSystem
    public var bounds: Bounds
    /// Another seed gives other fingerprints: what two searches agree on was missed with the product of the odds.
    public var seed: UInt64
    public let stop = Search.StopFlag()

    public init(_ system: any TransitionSystem, bounds: Bounds = Bounds(), seed: UInt64 = 1) {
        self.system = system
        self.bounds = bounds
        self.seed = seed
    }

    public struct Result: Sendable {
        public var verdict: Verdict
        public var states: Int
        public var transitions: UInt64
        public var depth: Int
        public var seconds: Double
        public var bytes: Int
        public var counterexample: Counterexample?
        /// The chance that at least two different states were taken for one, if fingerprints are as good as random:
        /// about n * n / 2 pairs, each equal with the chance of 1 in 2 to the 64.
        public var omissionOdds: Double { min(1, Double(states) * Double(states) / 2 / 18_446_744_073_709_551_616) }
    }

    private func fingerprint(_ state: UnsafePointer<UInt64>) -> UInt64 {
        let hash = StateStore.hash(state, words: system.stateWords) ^ seed &* 0x9E37_79B9_7F4A_7C15
        let product = hash.multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
        return product.high ^ product.low
    }

    public func run() -> Result {
        let watch = Stopwatch()
        // A fingerprint is stored as a state of one word; besides, who led to it.
        let byMemory = Int(Double(bounds.bytes) / (StateStore.bytesPerState(words: 1) + 4))
        guard let store = StateStore(words: 1, capacity: max(1, min(bounds.states, byMemory))) else {
            return Result(
                verdict: .undecided(.memory(bytes: bounds.bytes)), states: 0, transitions: 0, depth: 0, seconds: 0,
                bytes: 0)
        }
        let count = system.stateWords
        var course = Course(search: self, store: store)
        func result(_ verdict: Verdict, at state: Int? = nil) -> Result {
            Result(
                verdict: verdict, states: store.count, transitions: course.transitions, depth: course.depth,
                seconds: watch.seconds, bytes: store.bytes + course.predecessors.count * 4,
                counterexample: state.flatMap { run(to: $0, store, course.predecessors) })
        }
        precondition(system.properties.allSatisfy { $0.kind != .progress }, "what stays possible needs stored states")
        system.initialStates(into: &course.successors)
        if let (property, state) = course.keep(.max) {
            return result(.fails(.invariant(property.name)), at: state)
        }
        var number = 0
        while !course.next.isEmpty {
            if course.depth >= bounds.depth { return result(.undecided(.depth(bounds.depth))) }
            let layer = course.next
            course.next = []
            for place in stride(from: 0, to: layer.count, by: count) {
                if number & 1023 == 0 {
                    if stop.isSet { return result(.undecided(.interrupted)) }
                    if watch.seconds > bounds.seconds { return result(.undecided(.seconds(bounds.seconds))) }
                }
                if course.expand(layer, place) { return result(.fails(.deadlock), at: number) }
                if let (property, state) = course.keep(UInt32(truncatingIfNeeded: number)) {
                    return result(.fails(.invariant(property.name)), at: state)
                }
                if course.isFull {
                    return result(
                        .undecided(bounds.states <= byMemory ? .states(store.count) : .memory(bytes: bounds.bytes)))
                }
                number += 1
            }
            if !course.next.isEmpty { course.depth += 1 }
        }
        return result(course.unseen.first.map { .fails(.unreachable($0.name)) } ?? .holds)
    }

    /// What is known, and the states of the next layer.
    private struct Course: ~Copyable {
        let search: FingerprintSearch
        let system: any TransitionSystem
        let store: StateStore
        let invariants: [Property]
        let canonicalize: (@Sendable (UnsafeMutablePointer<UInt64>) -> Void)?
        /// What must be reached and was not yet.
        var unseen: [Property]
        var predecessors: [UInt32] = []
        var transitions: UInt64 = 0
        var depth = 0
        var successors: Successors
        var next: [UInt64] = []
        var isFull = false

        init(search: FingerprintSearch, store: StateStore) {
            (self.search, system, self.store) = (search, search.system, store)
            invariants = system.properties.filter { $0.kind == .invariant }
            unseen = system.properties.filter { $0.kind == .reachable }
            canonicalize = system.canonicalize
            successors = Successors(stateWords: system.stateWords)
        }

        /// Writes the successors of a state of the layer. True if it has none and must have some.
        mutating func expand(_ layer: [UInt64], _ place: Int) -> Bool {
            successors.removeAll()
            let isDeadlock = layer.withUnsafeBufferPointer { buffer -> Bool in
                guard let base = buffer.baseAddress else { return false }
                let view = StateView(base + place)
                system.successors(of: view, into: &successors)
                return successors.count == 0 && !system.isFinal(view)
            }
            transitions += UInt64(successors.count)
            return isDeadlock
        }

        /// Stores what was written; a broken property and the state's number, if a new one is bad.
        mutating func keep(_ predecessor: UInt32) -> (property: Property, state: Int)? {
            for item in 0..<successors.count {
                let words = successors.words(item)
                canonicalize?(words)
                var print = search.fingerprint(words)
                switch store.insert(&print, hash: StateStore.hash(&print, words: 1)) {
                case .known: continue
                case .full: isFull = true
                case .new(let index):
                    predecessors.append(predecessor)
                    next.append(contentsOf: UnsafeBufferPointer(start: words, count: system.stateWords))
                    let view = StateView(words)
                    unseen.removeAll { $0.holds(view) }
                    if system.mayBreakInvariant(view), let broken = invariants.first(where: { !$0.holds(view) }) {
                        return (broken, index)
                    }
                }
            }
            return nil
        }
    }

    /// Takes a run again whose fingerprints are known.
    private func run(to target: Int, _ store: StateStore, _ predecessors: [UInt32]) -> Counterexample? {
        var prints: [UInt64] = []
        var state = UInt32(truncatingIfNeeded: target)
        while state != .max {
            prints.append(store.state(Int(state))[0])
            state = predecessors[Int(state)]
        }
        let count = system.stateWords
        var path: [[UInt64]] = []
        var successors = Successors(stateWords: count)
        system.initialStates(into: &successors)
        for print in prints.reversed() {
            var found: [UInt64]?
            for item in 0..<successors.count where found == nil {
                system.canonicalize?(successors.words(item))
                if fingerprint(successors.words(item)) == print {
                    found = StateView(successors.words(item)).copy(count: count)
                }
            }
            guard let found else { return nil }
            path.append(found)
            successors.removeAll()
            found.withUnsafeBufferPointer {
                if let base = $0.baseAddress { system.successors(of: StateView(base), into: &successors) }
            }
        }
        return SearchSpace(system: system, shards: []).concrete(path, fewestSwitches: false).map(system.expanded)
    }
}
