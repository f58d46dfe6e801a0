// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import ProcedureModel

/// What the kernel calls the things of the model.
public enum KernelNames {
    /// Where the model's name of a procedure is not the kernel's; nil: the kernel has no function that begins and ends
    /// there.
    private static let others: [String: String?] = [
        "md_unregister_thread_recv": "md_unregister_thread", "dlm_lock_sync_now": nil,
        "update_size_store": "size_store",
        "ack_bast": nil,
    ]

    /// The kernel function that a call of the model is in: "lock_comm" for "lock_comm(1)". A procedure that the model
    /// has once for each device or slot has it in brackets behind its name.
    public static func function(_ call: CallFrame) -> String? {
        let name = String(call.procedure.prefix { $0 != "(" })
        if name.contains(" ") { return nil }
        return others[name] ?? name
    }

    /// Functions that gcc inlines into their only caller, so that a stack does not show them. Gates see them.
    private static let inlined: Set<String> = ["process_metadata_update", "process_recvd_msg", "lock_token", "sendmsg"]

    /// The kernel functions of a stack of the model that a stack of the kernel shows too, innermost first.
    public static func visible(_ calls: [CallFrame]) -> [String] {
        calls.compactMap(function).filter { !inlined.contains($0) }
    }

    /// What a thread of the model is called after the function that it runs; nil for processes and DLM's callbacks.
    public static func thread(_ name: String) -> (name: String, role: ThreadRole)? {
        switch name {
        case "md0_raid1": ("raid1d", .raidDaemon)
        case "md0_cluster_recv": ("recv_daemon", .recvDaemon)
        case "md0_resync": ("resync", .resync)
        default: nil
        }
    }
}
