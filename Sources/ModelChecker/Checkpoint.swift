// SPDX-License-Identifier: GPL-2.0
import Glibc

/// What cannot be used of a checkpoint.
public enum CheckpointError: Error, Sendable, Equatable {
    case cannotWrite(path: String)
    case cannotRead(path: String)
    /// The file is not a checkpoint, or is cut off.
    case malformed(path: String)
    /// It is of a search of something else, or with another number of workers.
    case ofAnotherSearch(path: String)
    /// It does not fit the bounds of this search.
    case tooLarge(path: String)
}

/// A search put aside in a file: per shard its states, its layers, and its counters. Only whole
/// layers are kept: the one that was being expanded is begun again, so nothing that it showed can be lost.
struct Checkpoint {
    private static let magic: UInt64 = 0x6D64_6C61_6263_6B33

    /// A number for what is searched, so that a checkpoint of something else is refused: its first states and their
    /// successors.
    static func identity(of system: any TransitionSystem) -> UInt64 {
        let count = system.stateWords
        var hash = UInt64(count) &* 31 &+ UInt64(system.stepCount) &+ (system.canonicalize == nil ? 0 : 1 << 32)
        var successors = Successors(stateWords: count)
        system.initialStates(into: &successors)
        var frontier = (0..<successors.count).map { StateView(successors.words($0)).copy(count: count) }
        for _ in 0..<20 {
            guard let state = frontier.first else { break }
            hash = hash &* 0x9E37_79B9_7F4A_7C15 &+ StateStore.hash(state, words: count)
            successors.removeAll()
            state.withUnsafeBufferPointer {
                if let base = $0.baseAddress { system.successors(of: StateView(base), into: &successors) }
            }
            frontier = (0..<successors.count).map { StateView(successors.words($0)).copy(count: count) }
        }
        return hash
    }

    static func write(_ shards: [Shard], to path: String) throws(CheckpointError) {
        guard let file = fopen(path, "wb") else { throw .cannotWrite(path: path) }
        var isGood = true
        func put(_ bytes: UnsafeRawPointer, _ count: Int) {
            if isGood, count > 0, fwrite(bytes, 1, count, file) != count { isGood = false }
        }
        func put(_ list: [UInt64]) { list.withUnsafeBytes { if let base = $0.baseAddress { put(base, $0.count) } } }
        put([magic, identity(of: shards[0].system), UInt64(shards.count)])
        for shard in shards {
            let count = shard.layerEnd
            put([UInt64(count), shard.atLayer.transitions, UInt64(shard.layerStarts.count)])
            put(shard.layerStarts.map { UInt64($0) })
            put(shard.atLayer.coverage.flatMap { [$0.fired, $0.found] })
            put([UInt64(shard.atLayer.reached.count)] + shard.atLayer.reached.sorted().map { UInt64($0) })
            put(UnsafeRawPointer(shard.store.states), count * shard.stateWords * 8)
        }
        if fclose(file) != 0 { isGood = false }
        guard isGood else { throw .cannotWrite(path: path) }
    }

    /// Fills empty shards. Every state is looked up again as it is put in, so a damaged file is noticed.
    static func read(into shards: [Shard], from path: String) throws(CheckpointError) {
        guard let file = fopen(path, "rb") else { throw .cannotRead(path: path) }
        defer { fclose(file) }
        func get(_ count: Int) throws(CheckpointError) -> [UInt64] {
            guard count >= 0, count < 1 << 24 else { throw .malformed(path: path) }
            var list = [UInt64](repeating: 0, count: count)
            let read = list.withUnsafeMutableBytes { $0.count == 0 ? 0 : fread($0.baseAddress, 1, $0.count, file) }
            guard read == count * 8 else { throw .malformed(path: path) }
            return list
        }
        let head = try get(3)
        guard head[0] == magic else { throw .malformed(path: path) }
        guard head[1] == identity(of: shards[0].system), head[2] == UInt64(shards.count) else {
            throw .ofAnotherSearch(path: path)
        }
        for shard in shards {
            let sizes = try get(3)
            guard sizes[0] <= UInt64(shard.store.capacity) else { throw .tooLarge(path: path) }
            guard sizes[2] >= 2, sizes[2] < 1 << 24 else { throw .malformed(path: path) }
            let layers = try get(Int(sizes[2])).map { Int(truncatingIfNeeded: $0) }
            let counters = try get(shard.system.stepCount * 2)
            let reachedCount = try get(1)[0]
            guard reachedCount < 1 << 16 else { throw .malformed(path: path) }
            let reached = try get(Int(reachedCount)).map { Int(truncatingIfNeeded: $0) }
            guard layers.first == 0, zip(layers, layers.dropFirst()).allSatisfy({ $0 <= $1 }),
                layers[layers.count - 1] == Int(sizes[0]),
                reached.allSatisfy({ shard.system.properties.indices.contains($0) })
            else { throw .malformed(path: path) }
            let count = Int(sizes[0])
            var state = [UInt64](repeating: 0, count: shard.stateWords)
            var isGood = true
            for index in 0..<count where isGood {
                let read = state.withUnsafeMutableBytes { fread($0.baseAddress, 1, $0.count, file) }
                let hash = StateStore.hash(state, words: shard.stateWords)
                guard read == shard.stateWords * 8,
                    case .new(index) = shard.store.insert(state, hash: hash)
                else {
                    isGood = false
                    break
                }
            }
            guard isGood else { throw .malformed(path: path) }
            shard.restore(transitions: sizes[1], layerStarts: layers, counters: counters, reached: Set(reached))
        }
    }
}
