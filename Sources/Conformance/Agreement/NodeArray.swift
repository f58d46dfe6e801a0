// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import RunRecord

/// A running array as one node's sysfs shows it, with what all nodes have to agree on.
struct NodeArray: Sendable, Equatable {
    var node: NodeID
    /// "md0"
    var name: String
    /// sysfs file, relative to /sys/block/NAME, -> content.
    var common: [String: String]
    /// "vda" -> the device.
    var devices: [String: ArrayView.Device]
    /// sync_action, when it is not idle: the array is not at rest.
    var action: String?

    /// Files of which every node has its own copy in memory, which METADATA_UPDATED and CHANGE_CAPACITY keep the same.
    static let commonFiles = [
        "size", "md/raid_disks", "md/degraded", "md/component_size", "md/level", "md/layout", "md/chunk_size",
    ]

    /// The arrays that run on a node; a stopped one has no md directory, or says clear or inactive.
    static func running(in snapshot: NodeSnapshot) -> [NodeArray] {
        snapshot.arrayViews.compactMap { view in
            guard let state = view.arrayState, state != "clear", state != "inactive" else { return nil }
            var common: [String: String] = [:]
            for file in commonFiles {
                common[file] = snapshot.files["/sys/block/\(view.name)/\(file)"]?.split(whereSeparator: \.isWhitespace)
                    .joined(separator: " ")
            }
            return NodeArray(
                node: snapshot.node, name: view.name, common: common,
                devices: Dictionary(uniqueKeysWithValues: view.devices.map { ($0.name, $0) }),
                action: view.syncAction.flatMap { $0 == "idle" ? nil : $0 })
        }
    }

    /// A number of a common file.
    func number(_ file: String) -> Int? { common[file].flatMap { Int($0) } }
}

/// What a disk's superblock says, as far as it can be compared with sysfs.
struct SuperblockView: Sendable, Equatable {
    var disk: String
    var events: UInt64
    var raidDisks: Int
    /// Sectors of each member that the array uses.
    var size: UInt64
    /// This disk's place in `roles`.
    var number: Int
    var roles: [Superblock.Role]

    /// The valid superblocks of a snapshot.
    static func all(in snapshot: NodeSnapshot) -> [SuperblockView] {
        snapshot.decodedSuperblocks.sorted { $0.key < $1.key }.compactMap { disk, result in
            guard case .success(let block) = result else { return nil }
            return SuperblockView(
                disk: disk, events: block.events, raidDisks: block.raidDisks, size: block.size,
                number: block.deviceNumber,
                roles: block.roles)
        }
    }
}
