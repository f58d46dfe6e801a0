// SPDX-License-Identifier: GPL-2.0

/// What one node has of one device, as drivers/md/md.c tells them apart.
public enum DeviceRole: UInt8, CaseIterable, Sendable, CustomStringConvertible {
    /// Not a member.
    case absent
    /// Bound, and not confirmed by a METADATA_UPDATED yet: looks like a spare.
    case candidate
    case spare
    /// In a slot, not In_sync.
    case rebuilding
    case inSync
    /// Faulty, still in its slot.
    case faulty
    /// Faulty, raid_disk -1.
    case faultyOut

    public var description: String {
        switch self {
        case .absent: "no member"
        case .candidate: "spare (candidate)"
        case .spare: "spare"
        case .rebuilding: "in its slot, being rebuilt"
        case .inSync: "in_sync"
        case .faulty: "faulty, in its slot"
        case .faultyOut: "faulty"
        }
    }

    /// What sysfs cannot tell apart is the same.
    var shown: DeviceRole { self == .candidate ? .spare : self }
    var isFaulty: Bool { self == .faulty || self == .faultyOut }
}

/// What the superblocks say of a device: `dev_roles[desc_nr]`, and whether it is still being recovered
/// (recovery_offset).
public enum DiskRole: UInt8, CaseIterable, Sendable, CustomStringConvertible {
    case slot, recovering, spare, faulty

    public var description: String {
        switch self {
        case .slot, .recovering: "a slot"
        case .spare: "spare, or no member"
        case .faulty: "faulty"
        }
    }

    /// What dev_roles alone tells.
    var shown: DiskRole { self == .recovering ? .slot : self }

    /// super_1_sync.
    init(writtenOf role: DeviceRole) {
        switch role {
        case .inSync: self = .slot
        case .rebuilding: self = .recovering
        case .absent, .candidate, .spare: self = .spare
        case .faulty, .faultyOut: self = .faulty
        }
    }
}

/// A device on all nodes and in the superblocks, at one moment: what the model can be in.
struct DeviceState: Hashable {
    private var bits: UInt64 = 0

    enum Flag: Int {
        /// Faulty, in its slot, when raid1d's pass began.
        case old = -1
        /// ClusterRemove
        case remove = 0
        /// The node's receiving thread has done what the message that it is at asks for.
        case handled = 1
        /// raid1d's pass has looked at ClusterRemove.
        case looked = 2
        /// ClusterRemove was set behind that look, so that MD_RECOVERY_NEEDED may be cleared for it.
        case forgotten = 3
    }

    /// Bits 0..2 the superblocks, then 8 bits for each node.
    var disk: DiskRole {
        get { DiskRole(rawValue: UInt8(bits & 7)) ?? .spare }
        set { bits = bits & ~7 | UInt64(newValue.rawValue) }
    }

    subscript(node: Int) -> DeviceRole {
        get { DeviceRole(rawValue: UInt8(bits >> UInt64(8 + node * 8) & 7)) ?? .absent }
        set { bits = bits & ~(7 << UInt64(8 + node * 8)) | UInt64(newValue.rawValue) << UInt64(8 + node * 8) }
    }

    subscript(node: Int, flag: Flag) -> Bool {
        get { bits >> UInt64(12 + node * 8 + flag.rawValue) & 1 == 1 }
        set {
            let bit: UInt64 = 1 << UInt64(12 + node * 8 + flag.rawValue)
            bits = newValue ? bits | bit : bits & ~bit
        }
    }
}
