// SPDX-License-Identifier: GPL-2.0

/// Best-first search: the states that look nearest to the goal are expanded first. It finds in a fraction of the states
/// what the exhaustive search finds, but not by a shortest run; if it ends without a find, every state was seen.
///
///     let search = DirectedSearch(system) { Int(9 - $0[0]) }
///     if case .found(let failure, let run) = search.run().outcome { ... }
public struct DirectedSearch: Sendable {
    public let system: any TransitionSystem
    /// How far from the goal a state looks: 0 ... 255, larger ones count as 255.
    public var distance: @Sendable (StateView) -> Int
    public var bounds: Bounds
    public let stop = Search.StopFlag()

    public init(
        _ system: any TransitionSystem, bounds: Bounds = Bounds(), distance: @escaping @Sendable (StateView) -> Int
    ) {
        self.system = system
        self.bounds = bounds
        self.distance = distance
    }

    public enum Outcome: Sendable, Equatable {
        /// A deadlock or a broken invariant, and a run that leads there.
        case found(Verdict.Failure, Counterexample)
        /// Every reachable state was seen, and none is bad.
        case nothing
        case undecided(Verdict.Reason)
    }

    public struct Result: Sendable {
        public var outcome: Outcome
        public var states: Int
        public var seconds: Double
    }

    public func run() -> Result {
        let watch = Stopwatch()
        // A predecessor and a place in a queue for each state, besides the store.
        let byMemory = Int(Double(bounds.bytes) / (StateStore.bytesPerState(words: system.stateWords) + 8))
        guard let store = StateStore(words: system.stateWords, capacity: max(1, min(bounds.states, byMemory))) else {
            return Result(outcome: .undecided(.memory(bytes: bounds.bytes)), states: 0, seconds: 0)
        }
        var course = Course(search: self, store: store)
        func result(_ outcome: Outcome) -> Result {
            Result(outcome: outcome, states: store.count, seconds: watch.seconds)
        }
        system.initialStates(into: &course.successors)
        if let (failure, state) = course.keep(.max) { return result(course.found(failure, at: state)) }
        var expanded = 0
        while let index = course.next() {
            expanded += 1
            if expanded & 1023 == 0 {
                if stop.isSet { return result(.undecided(.interrupted)) }
                if watch.seconds > bounds.seconds { return result(.undecided(.seconds(bounds.seconds))) }
            }
            let view = StateView(store.state(Int(index)))
            course.successors.removeAll()
            system.successors(of: view, into: &course.successors)
            if course.successors.count == 0, !system.isFinal(view) {
                return result(course.found(.deadlock, at: Int(index)))
            }
            if let (failure, state) = course.keep(index) { return result(course.found(failure, at: state)) }
            if store.count >= store.capacity {
                let reason: Verdict.Reason =
                    bounds.states <= byMemory ? .states(store.count) : .memory(bytes: bounds.bytes)
                return result(.undecided(reason))
            }
        }
        return result(.nothing)
    }

    /// What is known, and which state is next.
    private struct Course: ~Copyable {
        let system: any TransitionSystem
        let distance: @Sendable (StateView) -> Int
        let store: StateStore
        let invariants: [Property]
        let canonicalize: (@Sendable (UnsafeMutablePointer<UInt64>) -> Void)?
        var predecessors: [UInt32] = []
        /// By distance.
        var queues = Array(repeating: [UInt32](), count: 256)
        var nearest = 256
        var successors: Successors

        init(search: DirectedSearch, store: StateStore) {
            (system, distance, self.store) = (search.system, search.distance, store)
            invariants = system.properties.filter { $0.kind == .invariant }
            canonicalize = system.canonicalize
            successors = Successors(stateWords: system.stateWords)
        }

        mutating func next() -> UInt32? {
            while nearest < 256, queues[nearest].isEmpty { nearest += 1 }
            return nearest < 256 ? queues[nearest].popLast() : nil
        }

        func found(_ failure: Verdict.Failure, at state: Int) -> Outcome {
            var path: [[UInt64]] = []
            var state = UInt32(truncatingIfNeeded: state)
            while state != .max {
                path.append(StateView(store.state(Int(state))).copy(count: system.stateWords))
                state = predecessors[Int(state)]
            }
            let run = SearchSpace(system: system, shards: []).concrete(path.reversed(), fewestSwitches: false)
            guard let run else { return .undecided(.interrupted) }
            return .found(failure, system.expanded(run))
        }

        /// Stores what was written; a failure and its state, if a new one is bad.
        mutating func keep(_ predecessor: UInt32) -> (failure: Verdict.Failure, state: Int)? {
            let count = system.stateWords
            for item in 0..<successors.count {
                let words = successors.words(item)
                canonicalize?(words)
                guard case .new(let index) = store.insert(words, hash: StateStore.hash(words, words: count)) else {
                    continue
                }
                predecessors.append(predecessor)
                let view = StateView(words)
                if system.mayBreakInvariant(view), let broken = invariants.first(where: { !$0.holds(view) }) {
                    return (.invariant(broken.name), index)
                }
                let place = min(255, max(0, distance(view)))
                queues[place].append(UInt32(truncatingIfNeeded: index))
                nearest = min(nearest, place)
            }
            return nil
        }
    }
}
