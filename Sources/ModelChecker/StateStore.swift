// SPDX-License-Identifier: GPL-2.0
import Glibc

/// An exact set of packed states that is also the search's queue.
///
/// States lie one after another in one append-only area, in the order in which they were found, so a breadth-first
/// search walks it with a cursor. How a state was reached is not kept: its layer says how far it is, and who leads to
/// it is found by expanding the layer before. Beside the states lies an open-addressed table of 32-bit slots. A slot
/// holds a state's index + 1 in as many low bits as the table's size needs and a piece of its hash in the rest, so that
/// most probes that miss never touch the state itself.
///
/// Cost: 8 bytes a word and 4.6 to 6.9 for the table (load 7/12 to 7/8): at most 38.9 bytes for a state of 32 bytes.
/// The areas are reserved at once and take memory only as they fill.
final class StateStore {
    enum Insertion { case new(Int), known(Int), full }

    let words: Int
    let capacity: Int
    private(set) var count = 0
    let states: UnsafeMutablePointer<UInt64>
    private var table: UnsafeMutablePointer<UInt32>
    /// Slots: grows by half, and is no power of two.
    private var size: UInt64 = 4096
    /// The bits of a slot that hold the index.
    private var indexMask: UInt32 = 8191
    private let stateArea: Int
    /// States that are put into a new table together.
    private static let group = 64
    /// Written so that reads that only warm the cache are not optimised away.
    private var warmth: UInt64 = 0

    /// Bytes that `capacity` states take at most, table included.
    static func bytesPerState(words: Int) -> Double { Double(words * 8) + 4 * 12 / 7 }

    /// Nil if the system does not give the address space.
    init?(words: Int, capacity: Int) {
        self.words = words
        self.capacity = min(capacity, 1 << 30)
        stateArea = self.capacity * words * 8
        guard let states = Self.reserve(stateArea) else { return nil }
        guard let table = Self.reserve(4 * Int(size)) else {
            munmap(states, stateArea)
            return nil
        }
        self.states = states.assumingMemoryBound(to: UInt64.self)
        self.table = table.assumingMemoryBound(to: UInt32.self)
    }

    deinit {
        munmap(states, stateArea)
        munmap(table, 4 * Int(size))
    }

    private static func reserve(_ bytes: Int) -> UnsafeMutableRawPointer? {
        let size = max(bytes, 4096)
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        guard let area = mmap(nil, size, PROT_READ | PROT_WRITE, flags, -1, 0), area != MAP_FAILED else { return nil }
        let hugePages: Int32 = 14  // MADV_HUGEPAGE; a hint, so its result does not matter
        _ = madvise(area, size, hugePages)
        return area
    }

    /// Bytes in use now.
    var bytes: Int { count * words * 8 + 4 * Int(size) }

    func state(_ index: Int) -> UnsafeMutablePointer<UInt64> { states + index * words }

    /// Multiply-and-fold over the words; the table takes its slot from the high bits and its tag from the low ones.
    static func hash(_ state: UnsafePointer<UInt64>, words: Int) -> UInt64 {
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
        var index = 0
        while index < words {
            let product = (hash ^ state[index]).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
            hash = product.high ^ product.low &+ 0xA076_1D64_78BD_642F
            index &+= 1
        }
        let last = hash.multipliedFullWidth(by: 0xE703_7ED1_A0B4_28DB)
        return last.high ^ last.low
    }

    /// The slot where a look-up begins: the high half of the hash as a fraction of the table.
    @inline(__always) private func home(_ hash: UInt64) -> Int {
        Int(truncatingIfNeeded: ((hash &>> 32) &* size) &>> 32)
    }

    func find(_ state: UnsafePointer<UInt64>, hash: UInt64) -> Int? {
        if case .known(let index) = probe(state, hash: hash, from: home(hash)) { return index }
        return nil
    }

    func insert(_ state: UnsafePointer<UInt64>, hash: UInt64) -> Insertion {
        guard makeRoom(for: 1) else { return .full }
        return insert(state, hash: hash, from: home(hash))
    }

    /// Makes ready for inserting several states: there is room for all, and for each `slots` says where its look-up can
    /// begin. The slots, and the states that are compared first, are all read here, so that the cache misses overlap.
    /// False if the table cannot grow.
    func prepare(_ hashes: UnsafePointer<UInt64>, _ slots: UnsafeMutablePointer<Int>, count: Int) -> Bool {
        guard makeRoom(for: count) else { return false }
        let (table, states, words, indexMask) = (table, states, words, indexMask)
        var read = readHomes(hashes, slots, count: count)
        for item in 0..<count {
            let slot = candidate(hashes[item], from: slots[item])
            slots[item] = slot
            let index = Int(truncatingIfNeeded: table[slot] & indexMask)
            read ^= states[max(0, index &- 1) &* words]
        }
        warmth = read
        return true
    }

    private func readHomes(
        _ hashes: UnsafePointer<UInt64>, _ slots: UnsafeMutablePointer<Int>, count: Int
    ) -> UInt64 {
        let table = table
        var read: UInt64 = 0
        for item in 0..<count {
            let slot = home(hashes[item])
            slots[item] = slot
            read ^= UInt64(table[slot])
        }
        return read
    }

    /// Inserts a state whose look-up can begin at a slot; there must be room in the table.
    @inline(__always) func insert(_ state: UnsafePointer<UInt64>, hash: UInt64, from slot: Int) -> Insertion {
        let found = probe(state, hash: hash, from: slot)
        guard case .new(let slot) = found else { return found }
        guard count < capacity else { return .full }
        let place = states + count &* words
        for word in 0..<words { place[word] = state[word] }
        table[slot] = entry(count, hash: hash)
        count &+= 1
        return .new(count &- 1)
    }

    private func makeRoom(for more: Int) -> Bool {
        while (count &+ more) &* 8 > Int(truncatingIfNeeded: size) &* 7 {
            guard grow() else { return false }
        }
        return true
    }

    private func entry(_ index: Int, hash: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: index &+ 1) | UInt32(truncatingIfNeeded: hash) & ~indexMask
    }

    /// The first slot that is free or has the tag of a hash.
    @inline(__always) private func candidate(_ hash: UInt64, from slot: Int) -> Int {
        // Wrapping arithmetic: this is the hottest loop of a search, and no index can leave the table.
        let (table, tagMask, last) = (table, ~indexMask, Int(truncatingIfNeeded: size) &- 1)
        let tag = UInt32(truncatingIfNeeded: hash) & tagMask
        var slot = slot
        while table[slot] != 0, table[slot] & tagMask != tag { slot = slot == last ? 0 : slot &+ 1 }
        return slot
    }

    /// `.known(index)` or `.new(slot)`: the free slot where it belongs.
    @inline(__always) private func probe(_ state: UnsafePointer<UInt64>, hash: UInt64, from slot: Int) -> Insertion {
        let (states, words) = (states, words)
        var slot = slot
        while true {
            slot = candidate(hash, from: slot)
            let value = table[slot]
            if value == 0 { return .new(slot) }
            let index = Int(truncatingIfNeeded: value & indexMask) &- 1
            let other = states + index &* words
            var word = 0
            while word < words, other[word] == state[word] { word &+= 1 }
            if word == words { return .known(index) }
            slot = slot == Int(truncatingIfNeeded: size) &- 1 ? 0 : slot &+ 1
        }
    }

    /// The old table is given back before the new one is filled, so growing never takes more than the new table.
    private func grow() -> Bool {
        let bigger = size + size / 2
        guard bigger < 1 << 31, let area = Self.reserve(4 * Int(bigger)) else { return false }
        munmap(table, 4 * Int(size))
        table = area.assumingMemoryBound(to: UInt32.self)
        size = bigger
        indexMask = ~0 >> UInt32(UInt32(truncatingIfNeeded: bigger).leadingZeroBitCount)
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Self.group) { hashes in
            withUnsafeTemporaryAllocation(of: Int.self, capacity: Self.group) { slots in
                guard let hashes = hashes.baseAddress, let slots = slots.baseAddress else { return }
                for first in stride(from: 0, to: count, by: Self.group) {
                    let many = min(Self.group, count - first)
                    for item in 0..<many { hashes[item] = Self.hash(state(first + item), words: words) }
                    warmth = readHomes(hashes, slots, count: many)
                    for item in 0..<many {
                        var slot = slots[item]
                        while table[slot] != 0 { slot = slot == Int(bigger) &- 1 ? 0 : slot &+ 1 }
                        table[slot] = entry(first + item, hash: hashes[item])
                    }
                }
            }
        }
        return true
    }

    /// Every stored state is found at its own index, and nothing else is in the table.
    func checkInvariants() -> Bool {
        for index in 0..<count where find(state(index), hash: Self.hash(state(index), words: words)) != index {
            return false
        }
        return (0..<Int(size)).reduce(0) { $0 + (table[$1] == 0 ? 0 : 1) } == count
    }
}
