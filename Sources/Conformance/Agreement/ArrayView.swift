// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import RunRecord

/// A clustered array as one node's sysfs shows it.
struct ArrayView: Sendable, Equatable {
    struct Device: Sendable, Equatable {
        /// nil when the device has no place in the array ("none").
        var slot: Int?
        /// The words of dev-NAME/state.
        var state: Set<String>
        var isFaulty: Bool { state.contains("faulty") }
        var isInSync: Bool { state.contains("in_sync") }
    }

    var node: NodeID
    /// "md0"
    var name: String
    /// sysfs file, relative to /sys/block/NAME, -> content: those that all nodes must agree on.
    var common: [String: String]
    /// "vda" -> the device.
    var devices: [String: Device]
    /// sync_action, when it is not idle: the array is not at rest.
    var action: String?

    /// Files of which every node has its own copy in memory, which METADATA_UPDATED and CHANGE_CAPACITY keep the same.
    static let commonFiles = ["size", "md/raid_disks", "md/degraded", "md/component_size", "md/level", "md/layout", "md/chunk_size"]

    /// The arrays that run on a node; a stopped one has no md directory, or says clear or inactive.
    static func running(in snapshot: NodeSnapshot) -> [ArrayView] {
        let names = Set(
            snapshot.files.keys.compactMap { path -> String? in
                let parts = path.split(separator: "/")
                return parts.count == 5 && parts[0] == "sys" && parts[1] == "block" && parts[3] == "md" && parts[4] == "array_state"
                    ? String(parts[2]) : nil
            })
        return names.sorted().compactMap { ArrayView(name: $0, in: snapshot) }
    }

    init?(name: String, in snapshot: NodeSnapshot) {
        let root = "/sys/block/\(name)/"
        func text(_ file: String) -> String? { snapshot.files[root + file]?.trimmed }
        guard let state = text("md/array_state"), state != "clear", state != "inactive", !state.isEmpty else { return nil }
        node = snapshot.node
        self.name = name
        common = [:]
        for file in Self.commonFiles { common[file] = text(file) }
        devices = [:]
        for (path, content) in snapshot.files where path.hasPrefix(root + "md/dev-") && path.hasSuffix("/state") {
            let device = String(path.dropFirst((root + "md/dev-").count).dropLast("/state".count))
            let words = content.trimmed.split(separator: ",").map { String($0).trimmed }
            devices[device] = Device(slot: text("md/dev-\(device)/slot").flatMap { Int($0) }, state: Set(words))
        }
        action = text("md/sync_action").flatMap { $0 == "idle" ? nil : $0 }
    }

    /// A number of a common file.
    func number(_ file: String) -> Int? { common[file].flatMap { Int($0) } }
}

/// What a disk's superblock says, as far as it can be compared with sysfs.
struct SuperblockView: Sendable, Equatable {
    var disk: String
    var events: UInt64
    var raidDisks: Int
    /// Sectors of each member that the array uses (`size` of struct mdp_superblock_1).
    var size: UInt64
    /// This disk's place in `roles`.
    var number: Int
    /// dev_roles: a slot, 0xffff for a spare, 0xfffe for faulty.
    var roles: [UInt16]
}

extension String {
    /// Without the white space at both ends.
    var trimmed: String {
        var text = self[...]
        while let last = text.last, last.isWhitespace { text.removeLast() }
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        return String(text)
    }
}
