// SPDX-License-Identifier: GPL-2.0
import Foundation
import RunRecord

extension SuperblockView {
    /// The superblocks of a snapshot. A disk without one (never part of an array, or zeroed) is left out.
    static func all(in snapshot: NodeSnapshot) -> [SuperblockView] {
        snapshot.superblocks.sorted { $0.key < $1.key }.compactMap { disk, text in
            Data(base64Encoded: text).flatMap { SuperblockView(disk: disk, bytes: [UInt8]($0)) }
        }
    }

    /// `struct mdp_superblock_1` of include/uapi/linux/raid/md_p.h, little endian. nil without its magic or when it is cut.
    init?(disk: String, bytes: [UInt8]) {
        func number(_ offset: Int, _ length: Int) -> UInt64 {
            bytes[offset..<offset + length].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        guard bytes.count >= 256, number(0, 4) == 0xa92b_4efc, number(4, 4) == 1 else { return nil }
        let roles = Int(number(220, 4))
        guard roles <= 1920, bytes.count >= 256 + 2 * roles else { return nil }
        self.disk = disk
        size = number(80, 8)
        raidDisks = Int(number(92, 4))
        self.number = Int(number(160, 4))
        events = number(200, 8)
        self.roles = (0..<roles).map { UInt16(number(256 + 2 * $0, 2)) }
    }
}
