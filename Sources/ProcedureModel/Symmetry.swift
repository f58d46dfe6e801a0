// SPDX-License-Identifier: GPL-2.0

/// Nodes that run the same code can be renamed without changing what is possible. Of all states that differ only by such a
/// renaming, the one whose words come first stands for the rest.
struct NodeSymmetry: Sendable {
    /// For each renaming but the one that changes nothing, where every field goes.
    let renamings: [[Move]]

    struct Move: Sendable {
        var from: Field
        var to: Field
        /// If the field holds a node's number + 1: the new number of each node.
        var numbers: [Int]?
    }

    /// Nil if no two nodes are alike.
    init?(program: Program, code: Code, layout: Layout) {
        let classes = Self.classes(program, code)
        let permutations = Self.permutations(of: Array(0..<program.nodes)).filter { permutation in
            permutation != Array(0..<program.nodes)
                && permutation.indices.allSatisfy { classes[$0] == classes[permutation[$0]] }
        }
        guard !permutations.isEmpty else { return nil }
        renamings = permutations.map { Self.moves($0, program, code, layout) }
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

    private static func moves(_ permutation: [Int], _ program: Program, _ code: Code, _ layout: Layout) -> [Move] {
        var moves: [Move] = []
        func add(_ from: Field, _ to: Field, holdsNode: Bool = false) {
            if from.bits > 0 { moves.append(Move(from: from, to: to, numbers: holdsNode ? permutation : nil)) }
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
            if let last = result.last, last.numbers == nil, move.numbers == nil, last.from.word == move.from.word,
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

    /// Replaces a state by the one that stands for it.
    func canonicalize(_ words: UnsafeMutablePointer<UInt64>, count: Int) {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: count * 2) { buffer in
            guard let original = buffer.baseAddress else { return }
            let renamed = original + count
            original.update(from: words, count: count)
            for moves in renamings {
                renamed.update(repeating: 0, count: count)
                for move in moves {
                    let value = move.from.read(original)
                    move.to.write(
                        renamed,
                        move.numbers.map { value > 0 && value <= $0.count ? $0[value - 1] + 1 : value } ?? value)
                }
                var word = 0
                while word < count, renamed[word] == words[word] { word += 1 }
                if word < count, renamed[word] < words[word] { words.update(from: renamed, count: count) }
            }
        }
    }
}
