// SPDX-License-Identifier: GPL-2.0

/// Conditions, asked of a state.
extension Machine {
    @inline(__always) func holds(_ condition: Int, _ words: UnsafePointer<UInt64>) -> Bool {
        let list = conditions[condition]
        for clause in Int(list.first)..<Int(list.first + list.count) {
            let first = Int(clauses[clause].first)
            var test = first
            let end = first + Int(clauses[clause].count)
            while test < end, passes(test, words) { test += 1 }
            if test == end { return true }
        }
        return false
    }

    @inline(__always) func passes(_ number: Int, _ words: UnsafePointer<UInt64>) -> Bool {
        let test = tests + number
        switch test.pointee.kind {
        case .masked: return words[Int(test.pointee.word)] & test.pointee.mask == test.pointee.value
        case .notMasked: return words[Int(test.pointee.word)] & test.pointee.mask != test.pointee.value
        case .less: return test.pointee.field.read(words) < Int(test.pointee.value)
        case .notLess: return test.pointee.field.read(words) >= Int(test.pointee.value)
        case .fieldsEqual: return test.pointee.field.read(words) == test.pointee.other.read(words)
        case .fieldsDiffer: return test.pointee.field.read(words) != test.pointee.other.read(words)
        case .inSet: return code.sets[Int(test.pointee.value)][test.pointee.field.read(words)]
        case .notInSet: return !code.sets[Int(test.pointee.value)][test.pointee.field.read(words)]
        case .never: return false
        }
    }
}
