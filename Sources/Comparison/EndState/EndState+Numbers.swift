// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace

extension EndState {
    /// raid_disks and the size of a device, on all nodes and in the superblocks.
    mutating func compareNumbers(_ observed: ObservedState, _ actions: ArrayActions) {
        guard let (disk, block) = observed.superblock else { return }
        compare(
            .raidDisks, file: "raid_disks", observed, actions, values: observed.nodes.map { $0.view?.raidDisks },
            block: block.raidDisks, disk: disk)
        // component_size counts KiB, the superblock sectors.
        compare(
            .size, file: "component_size", observed, actions,
            values: observed.nodes.map { $0.view?.componentSize.map { Int(clamping: $0) } },
            block: Int(clamping: block.size / 2), disk: disk)
    }

    private mutating func compare(
        _ field: EndStateField, file: String, _ observed: ObservedState, _ actions: ArrayActions, values: [Int?],
        block: Int, disk: String
    ) {
        var history = NumberHistory(seen: Set(values.compactMap { $0 } + [block]), nodes: values.count)
        for action in actions.actions { history.take(action) }
        count(field, values.count { $0 != nil })
        count(.superblockNumbers)
        func misses(_ state: [Int]) -> [Int] {
            values.indices.filter { values[$0] != nil && values[$0] != state[$0] } + (state.last == block ? [] : [-1])
        }
        let ranked = history.states.map { (state: $0, misses: misses($0)) }.min { left, right in
            ([left.misses.count] + left.state).lexicographicallyPrecedes([right.misses.count] + right.state)
        }
        guard let best = ranked else { return }
        func text(_ value: Int?) -> String { value.map { $0 < 0 ? "another value" : "\($0)" } ?? "not read" }
        for place in best.misses {
            if place < 0 {
                differ(
                    .superblockNumbers, nil, "superblock of \(disk), \(file)", observed: text(block),
                    model: text(best.state.last))
            } else {
                let node = observed.nodes[place]
                differ(
                    field, node.snapshot.node, "/sys/block/\(node.view?.name ?? "mdX")/md/\(file)",
                    observed: text(values[place]), model: text(best.state[place]))
            }
        }
    }
}
