// SPDX-License-Identifier: GPL-2.0

/// A node's ways from a state to where it meets the others: its local steps, in every order, and what stands behind
/// them.
///
/// They depend only on some bits of the state, so they are explored once for each value of these: what is kept are the
/// bits as they are at each end.
final class NodeWays {
    enum Kind: UInt8 {
        /// The step is taken there: it is the one by which the node meets the others.
        case meets
        /// The node cannot go on; the step has led there.
        case stays
        /// As `stays`, and only if a rule has something to say of it: the node goes on.
        case watched
    }
    struct End {
        var kind: Kind
        var thread: Int32
        var step: Int32
    }

    let mask: [UInt64]
    private(set) var ends: [End] = []
    /// By end: the bits of the mask.
    private(set) var words: [UInt64] = []
    private var keys: [UInt64] = []
    private var ranges: [Range<Int>] = []
    private var table: [Int32] = Array(repeating: 0, count: 1024)

    /// Words kept before everything is forgotten: 64 MiB.
    private static let limit = 8 << 20

    init(mask: [UInt64]) { self.mask = mask }

    /// The ends of the ways from a state, nil if they were not explored yet.
    func ends(from state: UnsafePointer<UInt64>) -> Range<Int>? {
        let entry = table[slot(of: state)]
        return entry == 0 ? nil : ranges[Int(entry) - 1]
    }

    /// Where a state's entry is or belongs.
    private func slot(of state: UnsafePointer<UInt64>) -> Int {
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
        for word in mask.indices {
            let product = (hash ^ state[word] & mask[word]).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
            hash = product.high ^ product.low
        }
        var slot = Int(truncatingIfNeeded: hash) & (table.count - 1)
        while table[slot] != 0 {
            let key = (Int(table[slot]) - 1) * mask.count
            var word = 0
            while word < mask.count, keys[key + word] == state[word] & mask[word] { word += 1 }
            if word == mask.count { break }
            slot = (slot + 1) & (table.count - 1)
        }
        return slot
    }

    func add(_ end: End, at state: UnsafePointer<UInt64>) {
        ends.append(end)
        for word in mask.indices { words.append(state[word] & mask[word]) }
    }

    /// Everything that was added since `first` are the ends from this state.
    func finish(from state: UnsafePointer<UInt64>, first: Int) -> Range<Int> {
        if ranges.count * 2 >= table.count { grow() }
        for word in mask.indices { keys.append(state[word] & mask[word]) }
        ranges.append(first..<ends.count)
        // The key is not in the table yet, so the search for it ends at a free slot.
        table[slot(of: state)] = Int32(ranges.count)
        return first..<ends.count
    }

    func forgetIfLarge() {
        guard words.count + keys.count > Self.limit else { return }
        (ends, words, keys, ranges) = ([], [], [], [])
        table = Array(repeating: 0, count: 1024)
    }

    private func grow() {
        table = Array(repeating: 0, count: table.count * 2)
        for number in ranges.indices {
            let free = keys.withUnsafeBufferPointer { keys in
                keys.baseAddress.map { self.slot(of: $0 + number * mask.count) } ?? 0
            }
            table[free] = Int32(number + 1)
        }
    }
}
