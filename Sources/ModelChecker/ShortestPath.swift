// SPDX-License-Identifier: GPL-2.0

extension SearchSpace {
    /// States on shortest runs that are kept at most while the run with the fewest switches is looked for.
    private static var pathStateLimit: Int { 2_000_000 }

    /// Among all shortest runs to any of the targets (all in one layer) one with the fewest switches of actor; among
    /// those the first by step number and then by words. Independent of the order in which the search found the states.
    ///
    /// Cost: every layer above the targets is expanded once more.
    func counterexample(to targets: [Int]) -> Counterexample? {
        guard let first = targets.first else { return nil }
        let canonical: [[UInt64]]
        var fewest = system.canonicalize == nil
        if let costs = switchCosts(to: targets) {
            canonical = cheapestPath(costs, depth: layer(of: first))
        } else {
            canonical = anyPath(to: targets.min { precedes($0, $1) } ?? first)
            fewest = false
        }
        return concrete(canonical, fewestSwitches: fewest).map(system.expanded)
    }

    private func precedes(_ left: Int, _ right: Int) -> Bool {
        let count = system.stateWords
        return StateView(words(of: left)).copy(count: count).lexicographicallyPrecedes(
            StateView(words(of: right)).copy(count: count))
    }

    /// For every state on a shortest run to a target: by actor, the fewest switches that the rest of the run needs if
    /// that actor takes the next step; 255 where it takes none that leads on. Nil if there are too many states.
    private func switchCosts(to targets: [Int]) -> [Int: [UInt8]]? {
        let actors = system.actorCount
        var costs: [Int: [UInt8]] = [:]
        for target in targets { costs[target] = Array(repeating: 0, count: actors) }
        var next = Set(targets)
        var filter = HashFilter(next.map { StateStore.hash(words(of: $0), words: system.stateWords) })
        var depth = layer(of: targets[0])
        var successors = Successors(stateWords: system.stateWords)
        while depth > 0 {
            depth -= 1
            var current = Set<Int>()
            forEachState(inLayer: depth) { state in
                successors.removeAll()
                system.successors(of: StateView(words(of: state)), into: &successors)
                var best: [UInt8] = []
                for item in 0..<successors.count {
                    system.canonicalize?(successors.words(item))
                    let hash = StateStore.hash(successors.words(item), words: system.stateWords)
                    guard filter.mayContain(hash), let target = number(of: successors.words(item)),
                        next.contains(target), let rest = costs[target]
                    else { continue }
                    if best.isEmpty { best = Array(repeating: 255, count: actors) }
                    let actor = system.actor(ofStep: successors.step(item))
                    best[actor] = min(best[actor], Self.cost(rest, after: actor))
                }
                if !best.isEmpty {
                    costs[state] = best
                    current.insert(state)
                }
            }
            next = current
            filter = HashFilter(next.map { StateStore.hash(words(of: $0), words: system.stateWords) })
            if costs.count > Self.pathStateLimit { return nil }
        }
        return costs
    }

    /// Switches still to come when `actor` took the step before.
    private static func cost(_ rest: [UInt8], after actor: Int) -> UInt8 {
        let elsewhere = rest.min() ?? 0
        return min(rest[actor], elsewhere == 255 ? 255 : elsewhere + 1)
    }

    private func cheapestPath(_ costs: [Int: [UInt8]], depth: Int) -> [[UInt64]] {
        let count = system.stateWords
        var starts: [Int] = []
        forEachState(inLayer: 0) { if costs[$0] != nil { starts.append($0) } }
        let start = starts.min { left, right in
            let (a, b) = (costs[left]?.min() ?? 255, costs[right]?.min() ?? 255)
            return a != b ? a < b : precedes(left, right)
        }
        guard var state = start else { return [] }
        var path = [StateView(words(of: state)).copy(count: count)]
        var last = -1
        var successors = Successors(stateWords: count)
        for layer in 0..<depth {
            successors.removeAll()
            system.successors(of: StateView(words(of: state)), into: &successors)
            var best: (cost: Int, step: Int, words: [UInt64], state: Int)?
            for item in 0..<successors.count {
                system.canonicalize?(successors.words(item))
                guard let target = number(of: successors.words(item)), let rest = costs[target],
                    self.layer(of: target) == layer + 1
                else { continue }
                let step = successors.step(item)
                let actor = system.actor(ofStep: step)
                let cost = Int(Self.cost(rest, after: actor)) + (last >= 0 && actor != last ? 1 : 0)
                let words = StateView(successors.words(item)).copy(count: count)
                if let known = best {
                    if (cost, step) > (known.cost, known.step) { continue }
                    if (cost, step) == (known.cost, known.step), !words.lexicographicallyPrecedes(known.words) {
                        continue
                    }
                }
                best = (cost, step, words, target)
            }
            guard let best else { break }
            path.append(best.words)
            state = best.state
            last = system.actor(ofStep: best.step)
        }
        return path
    }

    /// A shortest run to a state, the first that is found by going back layer by layer.
    private func anyPath(to target: Int) -> [[UInt64]] {
        var path = [StateView(words(of: target)).copy(count: system.stateWords)]
        var wanted = target
        var successors = Successors(stateWords: system.stateWords)
        for depth in (0..<layer(of: target)).reversed() {
            var before: Int?
            forEachState(inLayer: depth) { state in
                guard before == nil else { return }
                successors.removeAll()
                system.successors(of: StateView(words(of: state)), into: &successors)
                for item in 0..<successors.count where before == nil {
                    system.canonicalize?(successors.words(item))
                    if number(of: successors.words(item)) == wanted { before = state }
                }
            }
            guard let before else { break }
            path.append(StateView(words(of: before)).copy(count: system.stateWords))
            wanted = before
        }
        return path.reversed()
    }

    /// Turns a run through representatives of symmetry classes into one that the system can take, and names its steps.
    func concrete(_ canonical: [[UInt64]], fewestSwitches: Bool) -> Counterexample? {
        guard !canonical.isEmpty else { return nil }
        let count = system.stateWords
        var run = Counterexample(steps: [], states: [], actorSwitches: 0, fewestSwitches: fewestSwitches)
        var successors = Successors(stateWords: count)
        system.initialStates(into: &successors)
        var probe = [UInt64](repeating: 0, count: count)
        var last = -1
        for wanted in canonical {
            var choice: (item: Int, step: Int)?
            for item in 0..<successors.count {
                probe = StateView(successors.words(item)).copy(count: count)
                probe.withUnsafeMutableBufferPointer { if let base = $0.baseAddress { system.canonicalize?(base) } }
                guard probe == wanted else { continue }
                let step = successors.step(item)
                let stays = !run.states.isEmpty && system.actor(ofStep: step) == last
                if choice == nil || stays { choice = (item, step) }
                if stays { break }
            }
            guard let choice else { return nil }
            let state = StateView(successors.words(choice.item)).copy(count: count)
            if !run.states.isEmpty {
                let actor = system.actor(ofStep: choice.step)
                if last >= 0, actor != last { run.actorSwitches += 1 }
                last = actor
                run.steps.append(choice.step)
            }
            run.states.append(state)
            successors.removeAll()
            state.withUnsafeBufferPointer { words in
                if let base = words.baseAddress { system.successors(of: StateView(base), into: &successors) }
            }
        }
        return run
    }
}

/// Hashes of a few states: most of what is not among them is known not to be without a look into the store, which is
/// large.
private struct HashFilter {
    private var bits: [UInt64]

    init(_ hashes: [UInt64]) {
        // 16 bits or more for each.
        var size = 16
        while size * 4 < hashes.count { size *= 2 }
        bits = Array(repeating: 0, count: size)
        for hash in hashes { bits[place(hash)] |= 1 << (hash >> 32 & 63) }
    }

    private func place(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash & 0xFFFF_FFFF) & (bits.count - 1) }

    func mayContain(_ hash: UInt64) -> Bool { bits[place(hash)] >> (hash >> 32 & 63) & 1 != 0 }
}
