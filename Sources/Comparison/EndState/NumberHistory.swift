// SPDX-License-Identifier: GPL-2.0

/// Everything that a number of the array's (raid_disks, the size) can be on all nodes and in the superblocks, after a
/// run of the model. Which numbers it had is not known: those seen at the end, and any other, which is -1.
struct NumberHistory {
    private let nodes: Int
    private let values: [Int]
    /// By node; the superblocks' last.
    private(set) var states: Set<[Int]>
    private var isMember: [Bool]
    /// Nodes whose copy of the superblocks is that of the disks: they have written or read them as a member.
    private var isKnown: [Bool]

    init(seen: Set<Int>, nodes: Int) {
        self.nodes = nodes
        values = seen.sorted() + [-1]
        isMember = Array(repeating: false, count: nodes)
        isKnown = isMember
        states = Set(values.map { Array(repeating: $0, count: nodes + 1) })
    }

    mutating func take(_ action: ArrayAction) {
        let disk = nodes
        switch action {
        case .join(let node): isMember[node] = true
        case .leave(let node):
            isMember[node] = false
            isKnown[node] = false
            change { state in [Self.set(state, node, state[disk])] }
        case .written(let node):
            isKnown[node] = true
            let (values, isMember) = (values, isMember)
            change { state in
                values.flatMap { value in
                    var all = [Self.set(Self.set(state, node, value), disk, value)]
                    // A node that is not there yet may have read the superblocks before this, or reads them after it.
                    for other in isMember.indices where !isMember[other] {
                        all += all.map { Self.set($0, other, value) }
                    }
                    return all
                }
            }
        case .unchanged(let node):
            // does_sb_need_changing
            if isKnown[node] { states = states.filter { $0[node] == $0[disk] } }
        case .reload(let node):
            guard isMember[node] else { return }
            isKnown[node] = true
            change { state in [Self.set(state, node, state[disk])] }
        default: return
        }
    }

    private mutating func change(_ next: ([Int]) -> [[Int]]) { states = Set(states.flatMap(next)) }

    private static func set(_ state: [Int], _ place: Int, _ value: Int) -> [Int] {
        var state = state
        state[place] = value
        return state
    }
}
