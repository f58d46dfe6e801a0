// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Testing

@Suite struct LockModeTests {
    /// The matrix of fs/dlm/lock.c, row by row, as the DLM's documentation prints it.
    @Test func modesGoTogetherAsInDLM() {
        let modes: [LockMode] = [.nl, .cr, .cw, .pr, .pw, .ex]
        let rows = ["111111", "111110", "111000", "110100", "110000", "100000"]
        for (mode, row) in zip(modes, rows) {
            for (other, cell) in zip(modes, row) {
                #expect(mode.isCompatible(with: other) == (cell == "1"), "\(mode) and \(other)")
                #expect(other.isCompatible(with: mode) == mode.isCompatible(with: other))
            }
        }
        #expect(LockMode.none.isCompatible(with: .ex))
    }

    @Test func namesAreReadAndUnknownValuesSurvive() {
        #expect(LockMode(name: "PW") == .pw && LockMode(name: "pw") == nil && LockMode(name: "") == nil)
        #expect(LockMode(rawValue: 42).description == "mode(42)")
    }
}

@Suite struct ThreadRoleTests {
    @Test(arguments: [
        ("md0_cluster_rec", ThreadRole.recvDaemon), ("md127_raid1", .raidDaemon), ("md0_raid10", .raidDaemon),
        ("md0_resync", .resync), ("md0_reshape", .resync), ("md0_recover", .recoverBitmaps), ("mdadm", .other),
        ("md0", .other), ("", .other), ("md0_raid100", .other), ("kworker/0:1", .other), ("<...>", .other),
    ])
    func nameTellsWhatAThreadIs(comm: String, role: ThreadRole) {
        #expect(ThreadRole(comm: comm) == role)
    }
}

@Suite struct LockResourceTests {
    @Test func bitmapLocksHaveASlot() {
        #expect(LockResource.bitmap(slot: 3).rawValue == "bitmap0003")
        #expect(LockResource(rawValue: "bitmap0012").bitmapSlot == 12)
        #expect(LockResource.token.bitmapSlot == nil && LockResource(rawValue: "bitmapx").bitmapSlot == nil)
        #expect(LockResource.ack.isOfMessages && !LockResource.resync.isOfMessages)
    }
}
