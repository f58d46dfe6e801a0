// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import RunRecord

/// Whether a node's snapshot shows that something is still going on.
enum Quiescence {
    /// MD_SB_CHANGE_DEVS, MD_SB_CHANGE_CLEAN and MD_SB_CHANGE_PENDING of `enum mddev_sb_flags` (drivers/md/md.h).
    static let pendingSuperblock: UInt64 = 0b111

    /// Why the node is not quiet: "node1: md0 has a superblock to write"; nil when it is.
    static func reason(_ snapshot: NodeSnapshot) -> String? {
        if let mdstat = snapshot.files["/proc/mdstat"], Condition.mentionsSync(mdstat) {
            return "\(snapshot.node): a resync or recovery runs or is pending"
        }
        for array in snapshot.arrays ?? [] where array.sbFlags & pendingSuperblock != 0 {
            return "\(snapshot.node): \(array.name) has a superblock to write"
        }
        if let thread = snapshot.threads.first(where: { $0.state == "D" && ThreadRole(comm: $0.comm) != .other }) {
            return "\(snapshot.node): \(thread.comm) waits in \(thread.stack.first ?? "an unknown place")"
        }
        return nil
    }
}
