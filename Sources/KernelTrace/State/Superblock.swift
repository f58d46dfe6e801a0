// SPDX-License-Identifier: GPL-2.0
import Foundation
import RunRecord

/// A superblock of version 1: struct mdp_superblock_1 of include/uapi/linux/raid/md_p.h.
public struct Superblock: Sendable, Equatable {
    /// What a device is for the array: an element of dev_roles[].
    public enum Role: Sendable, Equatable {
        case active(Int)
        /// MD_DISK_ROLE_SPARE
        case spare
        /// MD_DISK_ROLE_FAULTY
        case faulty
        /// MD_DISK_ROLE_JOURNAL
        case journal

        init(_ value: UInt16) {
            switch value {
            case 0xffff: self = .spare
            case 0xfffe: self = .faulty
            case 0xfffd: self = .journal
            default: self = .active(Int(value))
            }
        }
    }

    public enum Failure: Error, Sendable, Equatable {
        case tooShort(bytes: Int)
        /// No MD_SB_MAGIC: not a member of an array, or its superblock was erased.
        case noMagic
        case version(UInt32)
        /// Written while it was read, or damaged.
        case checksum(stored: UInt32, computed: UInt32)
    }

    public var featureMap: UInt32
    /// 16 bytes, as they are on the disk.
    public var setUUID: [UInt8]
    public var name: String
    public var level: Int32
    public var layout: UInt32
    /// Of a device, in sectors of 512 bytes.
    public var size: UInt64
    public var chunkSize: UInt32
    public var raidDisks: Int
    public var reshapePosition: UInt64
    public var dataOffset: UInt64
    public var superOffset: UInt64
    /// `recovery_offset`: how much of this device is recovered; only with MD_FEATURE_RECOVERY_OFFSET.
    public var recoveryOffset: UInt64
    /// The device's own number, its index in `roles`.
    public var deviceNumber: Int
    public var deviceUUID: [UInt8]
    public var events: UInt64
    /// UInt64.max: all is in sync.
    public var resyncOffset: UInt64
    /// dev_roles[], as long as max_dev says.
    public var roles: [Role]

    /// This device's own role.
    public var role: Role? { roles.indices.contains(deviceNumber) ? roles[deviceNumber] : nil }
    /// MD_FEATURE_CLUSTERED
    public var isClustered: Bool { featureMap & 0x100 != 0 }

    /// Decodes the bytes from where the superblock begins (sector 8 for version 1.2) and verifies its checksum
    /// (calc_sb_1_csum of drivers/md/md.c).
    public init(bytes: [UInt8]) throws(Failure) {
        guard bytes.count >= 256 else { throw .tooShort(bytes: bytes.count) }
        func load<T: FixedWidthInteger>(_ type: T.Type, _ offset: Int) -> T {
            bytes.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: T.self)) }
        }
        guard load(UInt32.self, 0) == 0xa92b_4efc else { throw .noMagic }
        guard load(UInt32.self, 4) == 1 else { throw .version(load(UInt32.self, 4)) }
        let devices = Int(load(UInt32.self, 220))
        guard devices <= (bytes.count - 256) / 2 else { throw .tooShort(bytes: bytes.count) }

        let stored = load(UInt32.self, 216)
        var sum: UInt64 = 0
        let length = 256 + devices * 2
        for offset in stride(from: 0, to: length - 3, by: 4) where offset != 216 { sum += UInt64(load(UInt32.self, offset)) }
        if length % 4 == 2 { sum += UInt64(load(UInt16.self, length - 2)) }
        let computed = UInt32(truncatingIfNeeded: (sum & 0xffff_ffff) + (sum >> 32))
        guard stored == computed else { throw .checksum(stored: stored, computed: computed) }

        featureMap = load(UInt32.self, 8)
        setUUID = Array(bytes[16..<32])
        name = String(decoding: bytes[32..<64].prefix { $0 != 0 }, as: UTF8.self)
        level = load(Int32.self, 72)
        layout = load(UInt32.self, 76)
        size = load(UInt64.self, 80)
        chunkSize = load(UInt32.self, 88)
        raidDisks = Int(load(UInt32.self, 92))
        reshapePosition = load(UInt64.self, 104)
        dataOffset = load(UInt64.self, 128)
        superOffset = load(UInt64.self, 144)
        recoveryOffset = load(UInt64.self, 152)
        deviceNumber = Int(load(UInt32.self, 160))
        deviceUUID = Array(bytes[168..<184])
        events = load(UInt64.self, 200)
        resyncOffset = load(UInt64.self, 208)
        roles = (0..<devices).map { Role(load(UInt16.self, 256 + 2 * $0)) }
    }
}

extension NodeSnapshot {
    /// The superblocks of the disks, or why a disk has none, by the disk's name.
    public var decodedSuperblocks: [String: Result<Superblock, Superblock.Failure>] {
        superblocks.mapValues { text in
            guard let data = Data(base64Encoded: text) else { return .failure(.tooShort(bytes: 0)) }
            do throws(Superblock.Failure) { return .success(try Superblock(bytes: [UInt8](data))) } catch { return .failure(error) }
        }
    }
}
