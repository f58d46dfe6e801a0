// SPDX-License-Identifier: GPL-2.0
import ProcedureModel

/// What the kernel calls the things of the model.
enum KernelNames {
    /// Where the model's name of a procedure is not the kernel's; nil: the kernel has no function that begins and ends there.
    private static let others: [String: String?] = [
        "md_unregister_thread_recv": "md_unregister_thread", "dlm_lock_sync_now": nil,
        "update_size_store": "size_store",
        "ack_bast": nil,
    ]

    /// The kernel function that a frame of the model is in: "lock_comm" for "lock_comm(1)".
    static func function(_ frame: String) -> String? {
        let name = String(frame.prefix { $0 != "(" })
        if name.contains(" ") { return nil }
        return others[name] ?? name
    }

    /// Functions that gcc inlines into their only caller, so that a stack does not show them. Gates see them.
    private static let inlined: Set<String> = ["process_metadata_update", "process_recvd_msg", "lock_token", "sendmsg"]
    /// Where all waits for DLM are; it says nothing of where a thread stands.
    private static let waits: Set<String> = ["dlm_lock_sync", "dlm_lock_sync_interruptible"]

    /// The kernel functions of a stack of the model that a stack of the kernel shows too, innermost first.
    static func visible(_ stack: [String]) -> [String] { stack.compactMap(function).filter { !inlined.contains($0) } }

    /// The function that tells best where a thread of the model stands.
    static func landmark(_ stack: [String]) -> String? {
        visible(stack).first { !waits.contains($0) }
    }

    /// How unfit a function is for a gate: many callers, or one that comes and goes without being asked for.
    static func cost(_ function: String) -> Int {
        switch function {
        case "dlm_lock_sync", "dlm_lock_sync_interruptible", "md_wakeup_thread", "mddev_unlock", "raid1d",
            "md_check_recovery", "md_error":
            5
        default: 0
        }
    }

    /// The role of a thread of the model; nil for the processes that carry out operations, and for DLM's callbacks.
    static func kind(ofThread name: String) -> ScheduledThread.Kind? {
        switch name {
        case "md0_raid1": .raidDaemon
        case "md0_cluster_recv": .recvDaemon
        case "md0_resync": .resync
        default: nil
        }
    }
}
