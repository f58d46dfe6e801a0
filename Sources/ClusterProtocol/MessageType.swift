// SPDX-License-Identifier: GPL-2.0

/// `enum msg_type` of drivers/md/md-cluster.c: the first le32 of the LVB of `message`.
public struct MessageType: RawRepresentable, Hashable, Sendable, Codable {
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let metadataUpdated = MessageType(rawValue: 0)
    public static let resyncing = MessageType(rawValue: 1)
    public static let newDisk = MessageType(rawValue: 2)
    public static let remove = MessageType(rawValue: 3)
    public static let reAdd = MessageType(rawValue: 4)
    public static let bitmapNeedsSync = MessageType(rawValue: 5)
    public static let changeCapacity = MessageType(rawValue: 6)
    public static let bitmapResize = MessageType(rawValue: 7)
    /// Since Linux commit 35a0a409fa26 (v6.11).
    public static let resyncingStart = MessageType(rawValue: 8)

    static let names = [
        "METADATA_UPDATED", "RESYNCING", "NEWDISK", "REMOVE", "RE_ADD", "BITMAP_NEEDS_SYNC", "CHANGE_CAPACITY",
        "BITMAP_RESIZE", "RESYNCING_START",
    ]
}

extension MessageType: CustomStringConvertible {
    public var description: String {
        Int(rawValue) < Self.names.count ? Self.names[Int(rawValue)] : "message(\(rawValue))"
    }
}
