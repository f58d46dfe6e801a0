// SPDX-License-Identifier: GPL-2.0
import Foundation
import KernelBuild
import KernelModule

/// The distribution's own md modules: what is observed is then what the distribution ships, and nothing that was built
/// here.
extension Laboratory {
    /// What cannot be seen of these modules, each with the reason: for run.json and the report.
    func unseenInStock(_ modules: BuiltModules) throws -> [String: String] {
        var unseen = [
            "owners of reconfig_mutex and recv_mutex, cinfo->state":
                "the distribution's modules carry no debug info: who holds what is taken from stacks"
        ]
        guard let path = modules.modules["md-cluster"] else { return unseen }
        let symbols = Set(try KernelModuleFile(path: path).symbols.map(\.name))
        let inlined = Self.messagePath.filter { !symbols.contains($0) }
        if !inlined.isEmpty {
            unseen["trace of " + inlined.joined(separator: ", ")] =
                "inlined in the distribution's md-cluster.ko: their callers are seen"
        }
        return unseen
    }

    /// The functions of md-cluster.c that a message goes through, from the sender's to the receiver's.
    private static let messagePath = [
        "lock_comm", "lock_token", "sendmsg", "__sendmsg", "unlock_comm", "metadata_update_start",
        "metadata_update_finish", "metadata_update_cancel", "recv_daemon", "process_recvd_msg",
        "process_metadata_update", "process_suspend_info", "process_add_new_disk", "process_remove_disk",
        "process_readd_disk", "dlm_lock_sync", "dlm_unlock_sync",
    ]
}
