// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace

extension EndState {
    /// Each device on all nodes and in the superblocks, against all that its history allows.
    mutating func compareDevices(_ observed: ObservedState, _ actions: ArrayActions, rules: DeviceHistory.Rules) {
        for node in observed.nodes where !node.unknown.isEmpty {
            unread.append("\(node.snapshot.node): the number of " + node.unknown.joined(separator: ", "))
        }
        guard observed.superblock != nil else {
            unread.append("no valid superblock of a device in sync")
            return
        }
        let numbers = Set(observed.names.keys).union(observed.nodes.flatMap { $0.devices.keys })
            .union(actions.actions.compactMap(\.device)).filter { $0 >= 0 }
        for number in numbers.sorted() {
            var history = DeviceHistory(device: number, nodes: observed.nodes.count, rules: rules)
            for action in actions.actions { history.take(action) }
            compare(number, observed, history.atRest)
        }
        compareSlots(observed)
        compareDegraded(observed)
    }

    private mutating func compare(_ number: Int, _ observed: ObservedState, _ states: Set<DeviceState>) {
        let name = observed.names[number] ?? "number \(number)"
        let running = observed.nodes.indices.filter { observed.nodes[$0].view != nil }
        count(.device, running.count)
        count(.superblockRole)
        func misses(_ state: DeviceState) -> (nodes: [Int], disk: Bool) {
            (
                running.filter { state[$0].shown != (observed.nodes[$0].devices[number]?.role ?? .absent) },
                state.disk.shown != observed.role(ofNumber: number)
            )
        }
        // The state that is nearest to what was seen; the same one each time.
        let best = states.map { (state: $0, misses: misses($0)) }.min { left, right in
            func rank(_ item: (state: DeviceState, misses: (nodes: [Int], disk: Bool))) -> [Int] {
                [item.misses.nodes.count + (item.misses.disk ? 1 : 0), item.misses.disk ? 1 : 0]
                    + item.misses.nodes.map { -$0 } + running.map { -Int(item.state[$0].rawValue) }
            }
            return rank(left).lexicographicallyPrecedes(rank(right))
        }
        guard let best else {
            differ(.device, nil, name, observed: "at rest", model: "no state of the model is at rest here")
            return
        }
        for node in best.misses.nodes {
            let seen = observed.nodes[node]
            differ(
                .device, seen.snapshot.node, "/sys/block/\(seen.view?.name ?? "mdX")/md/dev-\(name)",
                observed: (seen.devices[number]?.role ?? .absent).description, model: best.state[node].description)
        }
        if best.misses.disk {
            differ(
                .superblockRole, nil,
                "superblock of \(observed.superblock?.disk ?? "?"), dev_roles[\(number)] (\(name))",
                observed: observed.role(ofNumber: number)?.description ?? "not read", model: best.state.disk.description
            )
        }
        for node in running where !best.misses.nodes.contains(node) {
            let seen = observed.nodes[node]
            guard let array = seen.mdstat else { continue }
            count(.mdstatDevice)
            let line = array.devices.first { $0.number == number }
            let role = best.state[node]
            let expected = role == .absent ? "no member" : role.isFaulty ? "(F)" : role == .inSync ? "" : "(S)"
            let shown = line.map { $0.isFaulty ? "(F)" : $0.isSpare ? "(S)" : "" } ?? "no member"
            // A device that is being rebuilt is in no brackets, or in (S) before it has its slot.
            if shown != expected, !(role == .rebuilding && shown.isEmpty) {
                differ(
                    .mdstatDevice, seen.snapshot.node, "/proc/mdstat, \(name)[\(number)]",
                    observed: shown.isEmpty ? "a member" : shown, model: role.description)
            }
        }
    }

    private mutating func compareSlots(_ observed: ObservedState) {
        guard let (disk, block) = observed.superblock else { return }
        for node in observed.nodes {
            for (number, device) in node.devices.sorted(by: { $0.key < $1.key }) {
                guard let slot = device.slot, !device.role.isFaulty, block.roles.indices.contains(number),
                    case .active(let role) = block.roles[number]
                else { continue }
                count(.slot)
                if slot != role {
                    differ(
                        .slot, node.snapshot.node, "/sys/block/\(node.view?.name ?? "mdX")/md/dev-\(device.name)/slot",
                        observed: "\(slot)", model: "\(role), as the superblock of \(disk) has it")
                }
            }
        }
    }

    /// calc_degraded, from what the node has of the devices. What is left of the node's numbers is compared before.
    private mutating func compareDegraded(_ observed: ObservedState) {
        for node in observed.nodes {
            guard let view = node.view, let raidDisks = view.raidDisks, node.unknown.isEmpty else { continue }
            let working = node.devices.values.count { $0.role == .inSync && $0.slot != nil }
            func check(_ file: String, _ value: Int?, _ expected: Int) {
                guard let value else { return }
                count(.degraded)
                if value != expected {
                    differ(.degraded, node.snapshot.node, file, observed: "\(value)", model: "\(expected)")
                }
            }
            check("/sys/block/\(view.name)/md/degraded", view.degraded, raidDisks - working)
            check("/proc/mdstat, [\(raidDisks)/m]", node.mdstat?.inSync, working)
        }
    }
}
