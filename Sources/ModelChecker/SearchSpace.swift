// SPDX-License-Identifier: GPL-2.0

/// What a search has stored, asked after the fact. No edges are stored: they are found again by expanding states, which
/// costs time only when there is something to show.
struct SearchSpace {
    let system: any TransitionSystem
    let shards: [Shard]

    var count: Int { shards.reduce(0) { $0 + $1.store.count } }
    var transitions: UInt64 { shards.reduce(0) { $0 + $1.transitions } }
    var bytes: Int { shards.reduce(0) { $0 + $1.store.bytes } }

    func words(of state: Int) -> UnsafeMutablePointer<UInt64> {
        shards[state % shards.count].store.state(state / shards.count)
    }

    /// The number of a stored state, nil if it was not stored.
    func number(of words: UnsafePointer<UInt64>) -> Int? {
        let hash = StateStore.hash(words, words: system.stateWords)
        let owner = shards.count == 1 ? 0 : Shard.owner(ofHash: hash, shardCount: shards.count)
        return shards[owner].store.find(words, hash: hash).map { $0 * shards.count + owner }
    }

    /// Numbers of the states of a layer, shard by shard.
    func forEachState(inLayer layer: Int, _ body: (Int) -> Void) {
        for shard in shards where layer + 1 < shard.layerStarts.count {
            for index in shard.layerStarts[layer]..<shard.layerStarts[layer + 1] {
                body(index * shards.count + shard.number)
            }
        }
    }

    func layer(of state: Int) -> Int {
        let starts = shards[state % shards.count].layerStarts
        let index = state / shards.count
        // The last start that is not beyond the index; empty layers repeat a start.
        var low = 0
        var high = starts.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if starts[middle] <= index { low = middle } else { high = middle - 1 }
        }
        return low
    }

    /// The first invariant, in the order of declaration, that a state of the newest layer breaks.
    func brokenInvariant() -> (verdict: Verdict, targets: [Int])? {
        let violations = shards.flatMap(\.violations)
        guard let first = violations.map(\.property).min() else { return nil }
        return (
            .fails(.invariant(system.properties[first].name)),
            violations.filter { $0.property == first }.map(\.state)
        )
    }

    /// The states nearest to the beginning from which no state with the property can be reached, empty if there are
    /// none; nil if stopped. Passes over the states from the last found to the first until nothing changes: few passes,
    /// since most steps lead to later states.
    func statesWithoutProgress(to property: Property, isStopped: () -> Bool) -> [Int]? {
        var marked = shards.map { [Bool](repeating: false, count: $0.store.count) }
        for shard in shards {
            for index in 0..<shard.store.count where property.holds(StateView(shard.store.state(index))) {
                marked[shard.number][index] = true
            }
        }
        let layers = shards.map { $0.layerStarts.count }.max() ?? 0
        var successors = Successors(stateWords: system.stateWords)
        var changed = true
        while changed {
            changed = false
            for layer in stride(from: layers - 1, through: 0, by: -1) {
                if isStopped() { return nil }
                for shard in shards where layer + 1 < shard.layerStarts.count {
                    for index in (shard.layerStarts[layer]..<shard.layerStarts[layer + 1]).reversed()
                    where !marked[shard.number][index] {
                        successors.removeAll()
                        system.successors(of: StateView(shard.store.state(index)), into: &successors)
                        for item in 0..<successors.count {
                            system.canonicalize?(successors.words(item))
                            guard let target = number(of: successors.words(item)) else { continue }
                            if marked[target % shards.count][target / shards.count] {
                                marked[shard.number][index] = true
                                changed = true
                                break
                            }
                        }
                    }
                }
            }
        }
        for layer in 0..<layers {
            var stuck: [Int] = []
            forEachState(inLayer: layer) { state in
                if !marked[state % shards.count][state / shards.count] { stuck.append(state) }
            }
            if !stuck.isEmpty { return stuck }
        }
        return []
    }
}
