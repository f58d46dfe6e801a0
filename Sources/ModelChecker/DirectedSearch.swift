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
        let clock = ContinuousClock()
        let start = clock.now
        let count = system.stateWords
        // A predecessor and a place in a queue for each state, besides the store.
        let perState = StateStore.bytesPerState(words: count) + 8
        let byMemory = Int(Double(bounds.bytes) / perState)
        func seconds() -> Double {
            let (seconds, attoseconds) = (clock.now - start).components
            return Double(seconds) + Double(attoseconds) * 1e-18
        }
        guard let store = StateStore(words: count, capacity: max(1, min(bounds.states, byMemory))) else {
            return Result(outcome: .undecided(.memory(bytes: bounds.bytes)), states: 0, seconds: 0)
        }
        func result(_ outcome: Outcome) -> Result { Result(outcome: outcome, states: store.count, seconds: seconds()) }
        let invariants = system.properties.filter { $0.kind == .invariant }
        let canonicalize = system.canonicalize
        var predecessors: [UInt32] = []
        var queues = Array(repeating: [UInt32](), count: 256)
        var nearest = 256
        var successors = Successors(stateWords: count)

        func found(_ failure: Verdict.Failure, at state: Int) -> Result {
            var path: [[UInt64]] = []
            var state = UInt32(truncatingIfNeeded: state)
            while state != .max {
                path.append(StateView(store.state(Int(state))).copy(count: count))
                state = predecessors[Int(state)]
            }
            let run = SearchSpace(system: system, shards: []).concrete(path.reversed(), fewestSwitches: false)
            guard let run else { return result(.undecided(.interrupted)) }
            return result(.found(failure, system.expanded(run)))
        }
        /// Stores what was written; a failure and its state, if a new one is bad.
        func keep(_ predecessor: UInt32) -> (failure: Verdict.Failure, state: Int)? {
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

        system.initialStates(into: &successors)
        if let (failure, state) = keep(.max) { return found(failure, at: state) }
        var expanded = 0
        while true {
            while nearest < 256, queues[nearest].isEmpty { nearest += 1 }
            guard nearest < 256, let index = queues[nearest].popLast() else { return result(.nothing) }
            expanded += 1
            if expanded & 1023 == 0 {
                if stop.isSet { return result(.undecided(.interrupted)) }
                if seconds() > bounds.seconds { return result(.undecided(.seconds(bounds.seconds))) }
            }
            let view = StateView(store.state(Int(index)))
            successors.removeAll()
            system.successors(of: view, into: &successors)
            if successors.count == 0, !system.isFinal(view) { return found(.deadlock, at: Int(index)) }
            if let (failure, state) = keep(index) { return found(failure, at: state) }
            if store.count >= store.capacity {
                let reason: Verdict.Reason =
                    bounds.states <= byMemory ? .states(store.count) : .memory(bytes: bounds.bytes)
                return result(.undecided(reason))
            }
        }
    }
}
