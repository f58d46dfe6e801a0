// SPDX-License-Identifier: GPL-2.0
import Glibc

/// An exact set of packed states that is also the search's queue.
///
/// States lie one after another in one append-only area, in the order in which they were found, so a breadth-first search
/// walks it with a cursor. How a state was reached is not kept: its layer says how far it is, and who leads to it is found
/// by expanding the layer before. Beside the states lies an open-addressed table of 32-bit slots. A slot holds a state's index + 1 in as many low bits as the table's size needs and a piece of its hash in the
/// rest, so that most probes that miss never touch the state itself.
///
/// Cost: 8 bytes a word and 4.6 to 9.1 for the table (load 7/16 to 7/8): at most 41.1 bytes for a state of 32 bytes. The areas are reserved at once and take memory only as they fill.
final class StateStore {
    enum Insertion { case new(Int), known(Int), full }

    let words: Int
    let capacity: Int
    private(set) var count = 0
    let states: UnsafeMutablePointer<UInt64>
    private var table: UnsafeMutablePointer<UInt32>
    private var tableBits: UInt64 = 12
    private let stateArea: Int

    /// Bytes that `capacity` states take at most, table included.
    static func bytesPerState(words: Int) -> Double { Double(words * 8) + 4 / 0.4375 }

    /// Nil if the system does not give the address space.
    init?(words: Int, capacity: Int) {
        self.words = words
        self.capacity = min(capacity, 1 << 30)
        stateArea = self.capacity * words * 8
        guard let states = Self.reserve(stateArea) else { return nil }
        guard let table = Self.reserve(4 << tableBits) else {
            munmap(states, stateArea)
            return nil
        }
        self.states = states.assumingMemoryBound(to: UInt64.self)
        self.table = table.assumingMemoryBound(to: UInt32.self)
    }

    deinit {
        munmap(states, stateArea)
        munmap(table, 4 << tableBits)
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
    var bytes: Int { count * words * 8 + (4 << tableBits) }

    func state(_ index: Int) -> UnsafeMutablePointer<UInt64> { states + index * words }

    /// Multiply-and-fold over the words; the table takes its slot from the low bits and its tag from the high ones.
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

    /// Reads the slot where a look-up of this hash begins: asking early for several states lets the cache misses overlap.
    func touch(hash: UInt64) -> UInt32 { table[Int(truncatingIfNeeded: hash & ((1 as UInt64) &<< tableBits &- 1))] }

    /// Reads the state that a look-up of this hash will compare with first, for the same reason.
    func touchState(hash: UInt64) -> UInt32 {
        let mask = UInt32(truncatingIfNeeded: (1 as UInt64) &<< tableBits &- 1)
        let tag = UInt32(truncatingIfNeeded: hash &>> 32) & ~mask
        var slot = UInt32(truncatingIfNeeded: hash) & mask
        while true {
            let value = table[Int(truncatingIfNeeded: slot)]
            if value == 0 { return 0 }
            if value & ~mask == tag {
                return UInt32(truncatingIfNeeded: states[(Int(truncatingIfNeeded: value & mask) &- 1) &* words])
            }
            slot = (slot &+ 1) & mask
        }
    }

    func find(_ state: UnsafePointer<UInt64>, hash: UInt64) -> Int? {
        if case .known(let index) = probe(state, hash: hash) { return index }
        return nil
    }

    func insert(_ state: UnsafePointer<UInt64>, hash: UInt64) -> Insertion {
        if (count &+ 1) &* 8 > Int(truncatingIfNeeded: (7 as UInt64) &<< tableBits) {
            guard grow() else { return .full }
        }
        let found = probe(state, hash: hash)
        guard case .new(let slot) = found else { return found }
        guard count < capacity else { return .full }
        (states + count * words).update(from: state, count: words)
        table[slot] = entry(count, hash: hash)
        count += 1
        return .new(count - 1)
    }

    private func entry(_ index: Int, hash: UInt64) -> UInt32 {
        let mask = UInt32(truncatingIfNeeded: (1 as UInt64) &<< tableBits &- 1)
        return UInt32(truncatingIfNeeded: index &+ 1) | UInt32(truncatingIfNeeded: hash &>> 32) & ~mask
    }

    /// `.known(index)` or `.new(slot)`: the free slot where it belongs.
    private func probe(_ state: UnsafePointer<UInt64>, hash: UInt64) -> Insertion {
        // Wrapping arithmetic: this is the hottest loop of a search, and no index can leave the table.
        let mask = UInt32(truncatingIfNeeded: (1 as UInt64) &<< tableBits &- 1)
        let tag = UInt32(truncatingIfNeeded: hash &>> 32) & ~mask
        let (table, states, words) = (table, states, words)
        var slot = UInt32(truncatingIfNeeded: hash) & mask
        while true {
            let value = table[Int(truncatingIfNeeded: slot)]
            if value == 0 { return .new(Int(truncatingIfNeeded: slot)) }
            if value & ~mask == tag {
                let index = Int(truncatingIfNeeded: value & mask) &- 1
                let other = states + index &* words
                var word = 0
                while word < words, other[word] == state[word] { word &+= 1 }
                if word == words { return .known(index) }
            }
            slot = (slot &+ 1) & mask
        }
    }

    /// The old table is given back before the new one is filled, so growing never takes more than the new table.
    private func grow() -> Bool {
        guard tableBits < 31, let area = Self.reserve(4 << (tableBits + 1)) else { return false }
        munmap(table, 4 << tableBits)
        table = area.assumingMemoryBound(to: UInt32.self)
        tableBits += 1
        let mask = Int(1 << tableBits - 1)
        for index in 0..<count {
            let hash = Self.hash(state(index), words: words)
            var slot = Int(truncatingIfNeeded: hash) & mask
            while table[slot] != 0 { slot = (slot + 1) & mask }
            table[slot] = entry(index, hash: hash)
        }
        return true
    }

    /// Every stored state is found at its own index, and nothing else is in the table.
    func checkInvariants() -> Bool {
        for index in 0..<count where find(state(index), hash: Self.hash(state(index), words: words)) != index {
            return false
        }
        return (0..<Int(1 << tableBits)).reduce(0) { $0 + (table[$1] == 0 ? 0 : 1) } == count
    }
}
