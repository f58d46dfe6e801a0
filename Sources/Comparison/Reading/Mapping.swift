// SPDX-License-Identifier: GPL-2.0
import MDClusterModel

/// The table from events to steps, as text: what `mdlab compare --mapping` prints. The names come from the tables that
/// the comparison itself uses.
public enum Mapping {
    public static var rows: [(event: String, step: String)] {
        var rows = ObservedProgram.arguments.sorted { $0.key < $1.key }.map { name, arguments in
            (
                event: "\(name)(\(arguments.joined(separator: ", "))), its probe or the function tracer",
                step: fields[name] ?? "the entry of \(name) by the same thread"
            )
        }
        rows.append(
            (
                event: "the return of these but mddev_unlock, md_wakeup_thread, md_check_recovery, load_bitmaps",
                step: "the return by the same thread; 0 or an error, where there is a value"
            ))
        rows += [
            (
                event: "dlm_lock_start of token, message, ack, no-new-dev, resync",
                step:
                    "the call by the same thread: resource, mode, and whether it is a new lock or NOQUEUE. The conversion "
                    + "is a step of its own that leaves no event"
            ),
            (
                event: "dlm_ast", step: "the lock is granted (refused, unlocked) and the thread that asked goes on"
            ),
            (event: "dlm_bast of ack, EX", step: "another node's EX waits for this node's ack"),
            (
                event: "dlm_unlock_start",
                step: "leave() gives the lock up, or dlm_lock_sync_interruptible takes its request back"
            ),
        ]
        return rows
    }

    private static let fields = [
        "__sendmsg":
            "its entry; the type, and for METADATA_UPDATED the device: the receivers' md_reload_sb must name it",
        "md_reload_sb": "its entry; nr is the device of the message that the node noted last",
        "lock_comm": "its entry; mddev_locked",
        "resync_info_update": "its entry; whether hi is 0",
        "new_disk_ack": "its entry; ack",
        "md_wakeup_thread": "the wake-up after HOLDING_MUTEX_FOR_RECVD is set; other callers are not compared",
        "md_check_recovery": "the begin of a pass of raid1d; by other threads it is not compared",
    ]

    public static let exact =
        "md-cluster.c's procedures with the variant's changes, DLM, reconfig_mutex, recv_mutex, cinfo->state, wait queues, "
        + "the receiving thread and the delivery of ASTs and BASTs"
    public static let general =
        "what calls them: raid1d, the resync thread and processes take and drop reconfig_mutex and call whatever md.c calls "
        + "there, in any order. Devices, roles, sizes, bitmaps, I/O and time are not followed"
}
