// SPDX-License-Identifier: GPL-2.0

/// Nodes that run the same code can be renamed without changing what is possible. Of all states that differ only by
/// such a renaming, the one whose words come first stands for the rest.
///
/// The renamings are tables that are only read.
final class NodeSymmetry: @unchecked Sendable {
    private let renamingCount: Int
    /// By renaming and the word that is written: where its moves begin; one more at the end.
    private let starts: UnsafeMutablePointer<Int>
    private let moves: UnsafeMutablePointer<Move>
    /// New numbers of nodes.
    private let numbers: UnsafeMutablePointer<Int>

    struct Move {
        var from: Field
        var to: Field
        /// If the field holds a node's number + 1: where the new numbers begin, else -1.
        var table = -1
    }

    /// Nil if no two nodes are alike.
    init?(program: Program, code: Code, layout: Layout) {
        let classes = Self.classes(program, code)
        let permutations = Self.permutations(of: Array(0..<program.nodes)).filter { permutation in
            permutation != Array(0..<program.nodes)
                && permutation.indices.allSatisfy { classes[$0] == classes[permutation[$0]] }
        }
        guard !permutations.isEmpty else { return nil }
        var starts = [0]
        var moves: [Move] = []
        var numbers: [Int] = []
        for permutation in permutations {
            let all = Self.moves(permutation, program, code, layout, &numbers)
            for word in 0..<layout.words {
                moves += all.filter { $0.to.word == word }
                starts.append(moves.count)
            }
        }
        renamingCount = permutations.count
        self.starts = Machine.copy(starts)
        self.moves = Machine.copy(moves)
        self.numbers = Machine.copy(numbers)
    }

    deinit {
        starts.deallocate()
        moves.deallocate()
        numbers.deallocate()
    }

    /// Nodes with the same number have threads of the same names with instructions of the same shape.
    private static func classes(_ program: Program, _ code: Code) -> [Int] {
        struct Shape: Hashable {
            var thread: String
            var operations: [Int]
            var texts: [String]
        }
        let shapes = (0..<program.nodes).map { node in
            code.threads.filter { $0.node == node }.map { thread in
                let range = thread.first..<thread.first + thread.count
                return Shape(
                    thread: thread.name,
                    operations: range.flatMap { number -> [Int] in
                        let instruction = code.instructions[number]
                        return [
                            Int(instruction.operation.rawValue), Int(instruction.next), Int(instruction.other),
                            instruction.isSilent ? 1 : 0,
                        ]
                    },
                    texts: range.map { code.places[$0].text })
            }
        }
        return shapes.map { shape in shapes.firstIndex(of: shape) ?? 0 }
    }

    private static func permutations(of list: [Int]) -> [[Int]] {
        guard list.count > 1 else { return [list] }
        return list.indices.flatMap { index -> [[Int]] in
            var rest = list
            let first = rest.remove(at: index)
            return permutations(of: rest).map { [first] + $0 }
        }
    }

    private static func moves(
        _ permutation: [Int], _ program: Program, _ code: Code, _ layout: Layout, _ numbers: inout [Int]
    ) -> [Move] {
        var moves: [Move] = []
        // Every value that a field of some bits can have.
        let table = numbers.count
        let values = 1 << Field.bits(forValues: program.nodes + 1)
        numbers += (0..<values).map { (1...program.nodes).contains($0) ? permutation[$0 - 1] + 1 : $0 }
        func add(_ from: Field, _ to: Field, holdsNode: Bool = false) {
            if from.bits > 0 { moves.append(Move(from: from, to: to, table: holdsNode ? table : -1)) }
        }
        for variable in program.shared {
            if let field = layout.shared[variable.name] { add(field, field, holdsNode: variable.holdsNode) }
        }
        add(layout.broken, layout.broken)
        for node in 0..<program.nodes {
            let other = permutation[node]
            for variable in program.perNode {
                if let from = layout.node[node][variable.name], let to = layout.node[other][variable.name] {
                    add(from, to, holdsNode: variable.holdsNode)
                }
            }
            for mutex in program.mutexes {
                if let from = layout.mutexes[node][mutex], let to = layout.mutexes[other][mutex] { add(from, to) }
            }
            for lock in code.locks.indices {
                add(layout.granted[lock][node], layout.granted[lock][other])
                add(layout.requested[lock][node], layout.requested[lock][other])
                add(layout.rank[lock][node], layout.rank[lock][other])
            }
            let here = code.threads.indices.filter { code.threads[$0].node == node }
            let there = code.threads.indices.filter { code.threads[$0].node == other }
            for (from, to) in zip(here, there) {
                add(layout.pc[from], layout.pc[to])
                add(layout.locals[from], layout.locals[to])
            }
        }
        return merge(moves)
    }

    /// Neighbouring fields that go to neighbouring places move as one.
    private static func merge(_ moves: [Move]) -> [Move] {
        var result: [Move] = []
        for move in moves.sorted(by: { ($0.from.word, $0.from.shift) < ($1.from.word, $1.from.shift) }) {
            if let last = result.last, last.table < 0, move.table < 0, last.from.word == move.from.word,
                last.to.word == move.to.word, last.from.shift + last.from.bits == move.from.shift,
                last.to.shift + last.to.bits == move.to.shift, last.from.bits + move.from.bits < 64
            {
                result[result.count - 1].from.bits += move.from.bits
                result[result.count - 1].to.bits += move.to.bits
            } else {
                result.append(move)
            }
        }
        return result
    }

    /// Replaces a state by the one that stands for it. A renaming is given up at the first word that is no smaller.
    func canonicalize(_ words: UnsafeMutablePointer<UInt64>, count: Int) {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: count * 2) { buffer in
            guard let original = buffer.baseAddress else { return }
            let renamed = original + count
            original.update(from: words, count: count)
            for number in 0..<renamingCount {
                var isSmaller = false
                for word in 0..<count {
                    let list = starts[number &* count &+ word]..<starts[number &* count &+ word &+ 1]
                    var value: UInt64 = 0
                    for move in list { value |= moved(moves + move, original) }
                    renamed[word] = value
                    if isSmaller { continue }
                    if value > words[word] { break }
                    isSmaller = value < words[word]
                }
                if isSmaller { words.update(from: renamed, count: count) }
            }
        }
    }

    @inline(__always) private func moved(_ move: UnsafeMutablePointer<Move>, _ original: UnsafePointer<UInt64>)
        -> UInt64
    {
        let value = move.pointee.from.read(original)
        let new = move.pointee.table < 0 ? value : numbers[move.pointee.table &+ value]
        return UInt64(truncatingIfNeeded: new) &<< UInt64(move.pointee.to.shift)
    }
}
