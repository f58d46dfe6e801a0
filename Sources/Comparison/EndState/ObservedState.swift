// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import RunRecord

/// The state of an array at rest, as the snapshots of all nodes show it.
struct ObservedState {
    struct Device: Equatable {
        var name: String
        var role: DeviceRole
        var slot: Int?
        /// As /proc/mdstat has it; nil when it has no line for it.
        var mdstat: MDStat.Device?
    }
    struct Node {
        var snapshot: NodeSnapshot
        /// nil where the array does not run.
        var view: ArrayView?
        var mdstat: MDStat.Array?
        /// By desc_nr.
        var devices: [Int: Device] = [:]
        /// Members of which no superblock tells the number.
        var unknown: [String] = []
        /// nil when DLM's debugfs was not read.
        var locks: [DLMLock]?
        var memory: NodeSnapshot.ArrayState?
    }

    var nodes: [Node] = []
    /// The newest superblock of a member that a node calls in_sync.
    var superblock: (disk: String, block: Superblock)?
    /// By desc_nr, of all disks.
    var names: [Int: String] = [:]

    /// - Parameter snapshots: one of each node, taken together.
    init(_ snapshots: [NodeSnapshot]) {
        var numbers: [String: Int] = [:]
        var newest: (disk: String, block: Superblock)?
        let runs = snapshots.map { snapshot in snapshot.arrayViews.first { Self.runs($0) } }
        let uuid = runs.compactMap { $0?.uuid }.first
        let members = Set(runs.compactMap { $0 }.flatMap(\.devices).filter(\.isInSync).map(\.name))
        for (disk, result) in snapshots.last?.decodedSuperblocks ?? [:] {
            guard case .success(let block) = result, uuid == nil || uuid == Self.text(block.setUUID) else { continue }
            numbers[disk] = block.deviceNumber
            if members.contains(disk), (newest?.block.events ?? 0) < block.events { newest = (disk, block) }
        }
        superblock = newest
        for (disk, number) in numbers where names[number].map({ $0 > disk }) ?? true { names[number] = disk }
        for (snapshot, view) in zip(snapshots, runs) {
            var node = Node(snapshot: snapshot, view: view)
            node.mdstat = snapshot.mdstat?.arrays.first { $0.name == view?.name }
            node.memory = snapshot.arrays?.first { $0.clusterState != nil }
            for device in view?.devices ?? [] {
                guard let number = numbers[device.name] else {
                    node.unknown.append(device.name)
                    continue
                }
                node.devices[number] = Device(
                    name: device.name, role: Self.role(device), slot: device.slot,
                    mdstat: node.mdstat?.devices.first { $0.name == device.name })
            }
            let spaces = snapshot.lockspaces
            if spaces.contains(where: { !$0.locks.isEmpty }) || view == nil {
                // Without the array there is no lockspace.
                node.locks = spaces.filter { uuid == nil || $0.name == uuid }.flatMap(\.locks)
                    .filter { !$0.isMasterCopy }
            }
            nodes.append(node)
        }
    }

    private static func runs(_ view: ArrayView) -> Bool {
        guard let state = view.arrayState else { return false }
        return state != "clear" && state != "inactive"
    }

    private static func role(_ device: ArrayView.Device) -> DeviceRole {
        switch (device.isFaulty, device.isInSync, device.slot) {
        case (true, _, nil): .faultyOut
        case (true, _, _): .faulty
        case (_, true, _): .inSync
        case (_, _, nil): .spare
        default: .rebuilding
        }
    }

    /// As sysfs and DLM write it.
    private static func text(_ uuid: [UInt8]) -> String {
        let digits = uuid.map { String(Int($0) + 256, radix: 16).dropFirst() }.joined()
        var text = ""
        for (place, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(place) { text.append("-") }
            text.append(digit)
        }
        return text
    }

    /// dev_roles of a number; what is beyond max_dev is nobody's.
    func role(ofNumber number: Int) -> DiskRole? {
        guard let block = superblock?.block else { return nil }
        guard block.roles.indices.contains(number) else { return .spare }
        return switch block.roles[number] {
        case .active, .journal: .slot
        case .spare: .spare
        case .faulty: .faulty
        }
    }
}
