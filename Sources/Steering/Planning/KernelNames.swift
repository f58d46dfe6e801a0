// SPDX-License-Identifier: GPL-2.0
import Comparison
import ProcedureModel

extension KernelNames {
    /// Where all waits for DLM are; it says nothing of where a thread stands.
    private static let waits: Set<String> = ["dlm_lock_sync", "dlm_lock_sync_interruptible"]

    /// The function that tells best where a thread of the model stands.
    static func landmark(_ calls: [CallFrame]) -> String? {
        visible(calls).first { !waits.contains($0) }
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

    /// The kind of a thread of the model; nil for the processes that carry out operations, and for DLM's callbacks.
    static func kind(ofThread name: String) -> ScheduledThread.Kind? {
        thread(name).flatMap { known in ScheduledThread.roles.first { $0.name == known.name }?.kind }
    }
}
