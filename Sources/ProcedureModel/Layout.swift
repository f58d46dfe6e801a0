// SPDX-License-Identifier: GPL-2.0

/// Some bits of one word of a state.
struct Field: Hashable, Sendable {
    var word: Int32 = 0
    var shift: UInt32 = 0
    var bits: UInt32 = 0

    /// For fields of less than 64 bits, which all are.
    var mask: UInt64 { ((1 as UInt64) &<< UInt64(bits)) &- 1 }
    @inline(__always) func read(_ words: UnsafePointer<UInt64>) -> Int {
        Int(truncatingIfNeeded: words[Int(word)] &>> UInt64(shift) & mask)
    }
    @inline(__always) func read(_ words: UnsafeMutablePointer<UInt64>) -> Int {
        Int(truncatingIfNeeded: words[Int(word)] &>> UInt64(shift) & mask)
    }
    @inline(__always) func write(_ words: UnsafeMutablePointer<UInt64>, _ value: Int) {
        words[Int(word)] =
            words[Int(word)] & ~(mask &<< UInt64(shift)) | UInt64(truncatingIfNeeded: value) &<< UInt64(shift)
    }
    /// Part of this field, counted from its low end.
    func part(from offset: Int, bits: Int) -> Field {
        Field(word: word, shift: shift + UInt32(offset), bits: UInt32(bits))
    }

    static func bits(forValues values: Int) -> Int { values <= 1 ? 0 : Int.bitWidth - (values - 1).leadingZeroBitCount }
}

/// Hands out fields so that none straddles two words: the first word with room gets it.
struct FieldAllocator {
    private(set) var used: [Int] = [0]

    mutating func allocate(bits: Int) -> Field {
        precondition(bits < 64)
        for word in used.indices where used[word] + bits <= 64 {
            used[word] += bits
            return Field(word: Int32(word), shift: UInt32(used[word] - bits), bits: UInt32(bits))
        }
        used.append(bits)
        return Field(word: Int32(used.count - 1), shift: 0, bits: UInt32(bits))
    }
}

/// Where everything of a program is in its packed state.
struct Layout: Sendable {
    var words = 0
    var bits = 0
    /// [node][name]
    var node: [[String: Field]] = []
    var shared: [String: Field] = [:]
    var mutexes: [[String: Field]] = []
    /// [lock][node]
    var granted: [[Field]] = []
    var requested: [[Field]] = []
    var rank: [[Field]] = []
    /// By thread, in the order of `Code.threads`.
    var pc: [Field] = []
    var locals: [Field] = []
    /// 0, or the number of the broken rule.
    var broken = Field()
}
