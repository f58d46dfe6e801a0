// SPDX-License-Identifier: GPL-2.0

/// The states that a search has met, each once, with the step that led to it.
struct StateArena: ~Copyable {
    let words: Int
    private(set) var count = 0
    private var capacity: Int
    private var storage: UnsafeMutablePointer<UInt64>
    private var parents: UnsafeMutablePointer<Int32>
    private var steps: UnsafeMutablePointer<Int32>
    /// Numbers of states + 1 by hash; 0 where there is none.
    private var table: UnsafeMutablePointer<Int32>
    private var mask: Int

    init(words: Int) {
        self.words = words
        capacity = 1 << 12
        storage = .allocate(capacity: capacity * words)
        parents = .allocate(capacity: capacity)
        steps = .allocate(capacity: capacity)
        mask = (1 << 13) - 1
        table = .allocate(capacity: mask + 1)
        table.initialize(repeating: 0, count: mask + 1)
    }

    deinit {
        storage.deallocate()
        parents.deallocate()
        steps.deallocate()
        table.deallocate()
    }

    /// Bytes in use.
    var bytes: Int { capacity * (words * 8 + 8) + (mask + 1) * 4 }

    func state(_ number: Int) -> UnsafeMutablePointer<UInt64> { storage + number * words }
    func parent(_ number: Int) -> Int { Int(parents[number]) }
    func step(_ number: Int) -> Int { Int(steps[number]) }

    /// The number of a new state; nil if it is known.
    mutating func insert(_ state: UnsafePointer<UInt64>, parent: Int, step: Int) -> Int? {
        var place = Int(truncatingIfNeeded: hash(state)) & mask
        while table[place] != 0 {
            if equal(storage + Int(table[place] - 1) * words, state) { return nil }
            place = (place + 1) & mask
        }
        if count == capacity { grow() }
        (storage + count * words).update(from: state, count: words)
        parents[count] = Int32(truncatingIfNeeded: parent)
        steps[count] = Int32(truncatingIfNeeded: step)
        table[place] = Int32(truncatingIfNeeded: count + 1)
        count += 1
        if count * 2 > mask { rehash() }
        return count - 1
    }

    /// Keeps the room that it has, unless it is much more than was needed.
    mutating func removeAll() {
        if count * 16 < mask {
            // Few of many places.
            for number in 0..<count {
                var place = Int(truncatingIfNeeded: hash(storage + number * words)) & mask
                while table[place] != 0 {
                    table[place] = 0
                    place = (place + 1) & mask
                }
            }
        } else {
            table.update(repeating: 0, count: mask + 1)
        }
        count = 0
    }

    private func equal(_ left: UnsafePointer<UInt64>, _ right: UnsafePointer<UInt64>) -> Bool {
        for word in 0..<words where left[word] != right[word] { return false }
        return true
    }

    private func hash(_ state: UnsafePointer<UInt64>) -> UInt64 {
        var value: UInt64 = 0x9E37_79B9_7F4A_7C15
        for word in 0..<words {
            value = (value ^ state[word]) &* 0xFF51_AFD7_ED55_8CCD
            value ^= value &>> 32
        }
        return value
    }

    private mutating func grow() {
        let bigger = UnsafeMutablePointer<UInt64>.allocate(capacity: capacity * 2 * words)
        bigger.update(from: storage, count: count * words)
        storage.deallocate()
        storage = bigger
        func longer(_ old: UnsafeMutablePointer<Int32>) -> UnsafeMutablePointer<Int32> {
            let new = UnsafeMutablePointer<Int32>.allocate(capacity: capacity * 2)
            new.update(from: old, count: count)
            old.deallocate()
            return new
        }
        parents = longer(parents)
        steps = longer(steps)
        capacity *= 2
    }

    private mutating func rehash() {
        table.deallocate()
        mask = mask * 2 + 1
        table = .allocate(capacity: mask + 1)
        table.initialize(repeating: 0, count: mask + 1)
        for number in 0..<count {
            var place = Int(truncatingIfNeeded: hash(storage + number * words)) & mask
            while table[place] != 0 { place = (place + 1) & mask }
            table[place] = Int32(truncatingIfNeeded: number + 1)
        }
    }
}
