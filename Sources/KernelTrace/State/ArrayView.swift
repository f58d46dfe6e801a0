// SPDX-License-Identifier: GPL-2.0
import RunRecord

/// An array as /sys/block/mdX/md of one node shows it.
public struct ArrayView: Sendable, Equatable {
    public struct Device: Sendable, Equatable {
        /// "vda": the name of the dev-NAME folder.
        public var name: String
        /// The words of dev-NAME/state: in_sync, faulty, spare, blocked, write_mostly, ...
        public var state: Set<String>
        /// dev-NAME/slot: the role in the array; nil for "none".
        public var slot: Int?
        /// dev-NAME/recovery_start in sectors; nil for "none": all of it is recovered.
        public var recoveryStart: UInt64?
        public var errors: Int?
        public var isFaulty: Bool { state.contains("faulty") }
        public var isInSync: Bool { state.contains("in_sync") }
    }

    /// "md0"
    public var name: String
    public var level: String?
    public var raidDisks: Int?
    public var degraded: Int?
    /// component_size, in KiB.
    public var componentSize: UInt64?
    /// /sys/block/mdX/size, in sectors of 512 bytes.
    public var size: UInt64?
    public var arrayState: String?
    public var syncAction: String?
    /// sync_completed, in sectors; nil for "none" and "delayed".
    public var syncDone: UInt64?
    public var syncTotal: UInt64?
    /// resync_start in sectors; nil for "none": all of it is in sync.
    public var resyncStart: UInt64?
    /// "clustered", as bitmap/metadata or consistency_policy tell.
    public var bitmap: String?
    /// The UUID as sysfs writes it, which is the name of the array's lockspace.
    public var uuid: String?
    /// By name.
    public var devices: [Device]
}

extension NodeSnapshot {
    /// The arrays of the node, by name. What a kernel does not have in sysfs, or the snapshot could not read, is nil.
    public var arrayViews: [ArrayView] {
        let names = Set(files.keys.compactMap { path -> String? in
            let parts = path.split(separator: "/")
            return parts.count > 4 && parts[0] == "sys" && parts[1] == "block" && parts[3] == "md" ? String(parts[2]) : nil
        })
        return names.sorted().map(arrayView)
    }

    private func arrayView(_ name: String) -> ArrayView {
        func word(_ file: String) -> String? {
            files["/sys/block/\(name)/\(file)"]?.split(whereSeparator: \.isWhitespace).first.map(String.init)
        }
        func number<T: FixedWidthInteger>(_ file: String) -> T? { word(file).flatMap { T($0) } }

        let prefix = "/sys/block/\(name)/md/dev-"
        let names = Set(files.keys.compactMap { path -> String? in
            path.hasPrefix(prefix) ? path.dropFirst(prefix.count).split(separator: "/").first.map(String.init) : nil
        })
        let devices = names.sorted().map { device in
            ArrayView.Device(
                name: device,
                state: Set((files["\(prefix)\(device)/state"] ?? "").split { $0 == "," || $0.isWhitespace }.map(String.init)),
                slot: number("md/dev-\(device)/slot"), recoveryStart: number("md/dev-\(device)/recovery_start"),
                errors: number("md/dev-\(device)/errors"))
        }
        // "12345 / 260096"
        let completed = (files["/sys/block/\(name)/md/sync_completed"] ?? "").split { $0 == "/" || $0.isWhitespace }
        return ArrayView(
            name: name, level: word("md/level"), raidDisks: number("md/raid_disks"), degraded: number("md/degraded"),
            componentSize: number("md/component_size"), size: number("size"), arrayState: word("md/array_state"),
            syncAction: word("md/sync_action"), syncDone: completed.count == 2 ? UInt64(completed[0]) : nil,
            syncTotal: completed.count == 2 ? UInt64(completed[1]) : nil, resyncStart: number("md/resync_start"),
            bitmap: word("md/bitmap/metadata"), uuid: word("md/uuid"), devices: devices)
    }

    /// /proc/mdstat; nil when it was not read.
    public var mdstat: MDStat? { files["/proc/mdstat"].map { MDStat(text: $0) } }

    /// /proc/sys/kernel/tainted; nil when it was not read.
    public var taint: Taint? { files["/proc/sys/kernel/tainted"].flatMap { Taint(file: $0) } }
}
