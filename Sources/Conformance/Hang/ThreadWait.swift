// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import RunRecord

/// What a thread waits for, read from its stack.
enum ThreadWait: Sendable, Equatable {
    /// `dlm_lock_sync` or its kin, on one of these resources (the stack does not say which; the lock table does).
    case dlm([LockResource])
    /// Any of the bitmap locks.
    case bitmap
    case reconfigMutex
    case receiveMutex
    /// MD_CLUSTER_SEND_LOCK: lock_comm and metadata_update_start on `cinfo->wait`.
    case sendLock
    /// process_metadata_update: mddev_trylock, or MD_CLUSTER_HOLDING_MUTEX_FOR_RECVD.
    case metadataReload
    /// kthread_stop of a thread of one of these roles.
    case threadEnd([ThreadRole])
    /// md_write_start, or anything else on `sb_wait`: the md thread has to write the superblock.
    case superblock
    /// A kernel thread with nothing to do.
    case idle
    /// Runs, or waits for something that ends by itself (a disk, a timer, user space), or is not known.
    case elsewhere
}

/// A stack as function names, innermost first: "dlm_lock_sync+0x8e/0xd0 [md_cluster]" is "dlm_lock_sync".
package struct Frames: Sendable, Equatable {
    var names: [String]

    init(_ stack: [String]) {
        names = stack.compactMap { StackFrame($0)?.function }
    }

    /// What only says that a thread sleeps.
    package static let sleeping: Set<String> = [
        "__schedule", "schedule", "schedule_timeout", "schedule_preempt_disabled", "__switch_to", "wait_for_completion",
        "wait_for_completion_timeout", "__wait_for_common", "wait_woken", "io_schedule", "__wait_for_completion",
        "bit_wait", "prepare_to_wait_event", "context_switch", "swait_event",
    ]
    private static let outermost: Set<String> = [
        "md_thread", "kthread", "ret_from_fork", "ret_from_fork_asm", "entry_SYSCALL_64_after_hwframe", "do_syscall_64",
        "worker_thread", "process_one_work",
    ]

    /// The stack from the function that decided to sleep.
    var awake: [String] { Array(names.drop { Self.sleeping.contains($0) }) }

    func contains(_ functions: some Sequence<String>) -> Bool {
        let set = Set(functions)
        return names.contains { set.contains($0) }
    }

    /// "metadata_update_start <- md_update_sb <- md_check_recovery", without how sleeping and starting threads work.
    var chain: String {
        awake.prefix { !Self.outermost.contains($0) }.prefix(5).joined(separator: " <- ")
    }
}

extension ThreadWait {
    private static let dlmWaits: Set<String> = [
        "dlm_lock_sync", "dlm_lock_sync_interruptible", "dlm_unlock_sync", "lockres_free", "lockres_init",
    ]
    private static let mutexWaits: Set<String> = [
        "mutex_lock", "mutex_lock_interruptible", "mutex_lock_nested", "__mutex_lock", "__mutex_lock_slowpath",
        "__mutex_lock_interruptible_slowpath", "mutex_lock_killable", "__mutex_lock_killable_slowpath",
    ]
    /// Their mutex is not the array's.
    private static let otherMutexes: Set<String> = [
        "md_open", "blkdev_get_by_dev", "blkdev_put", "bdev_disk_changed", "blkdev_get_whole",
    ]

    /// - Parameter readsMessage: the node's `message` lock is granted CR, so its receive thread is past `recv_mutex`.
    init(_ thread: NodeSnapshot.Thread, readsMessage: Bool) {
        let frames = Frames(thread.stack)
        let awake = frames.awake
        guard thread.state != "R", let top = awake.first else { self = .elsewhere; return }
        let rest = awake.drop { Self.dlmWaits.contains($0) || Self.mutexWaits.contains($0) }
        let caller = rest.first ?? ""

        if Self.dlmWaits.contains(top) {
            self = Self.dlm(caller, rest)
        } else if Self.mutexWaits.contains(top) {
            switch caller {
            case "lock_comm", "metadata_update_start", "lock_token": self = .receiveMutex
            case "recv_daemon": self = readsMessage ? .reconfigMutex : .receiveMutex
            case "process_metadata_update": self = .reconfigMutex
            case let other where Self.otherMutexes.contains(other): self = .elsewhere
            default:
                self =
                    frames.names.contains { $0.hasPrefix("md_") || $0.hasPrefix("mddev_") || $0 == "rdev_attr_store" }
                    ? .reconfigMutex : .elsewhere
            }
        } else {
            switch top {
            case "recv_daemon", "process_metadata_update", "process_recvd_msg": self = .metadataReload
            case "lock_comm", "metadata_update_start", "lock_token": self = .sendLock
            case "kthread_stop": self = .threadEnd(Self.stopped(awake))
            case "do_md_stop", "stop_sync_thread", "md_set_readonly": self = .threadEnd([.resync])
            case "md_write_start", "md_write_inc": self = .superblock
            case "md_thread": self = .idle
            default: self = .elsewhere
            }
        }
    }

    private static func dlm(_ caller: String, _ rest: ArraySlice<String>) -> ThreadWait {
        switch caller {
        case "lock_comm", "metadata_update_start", "lock_token", "unlock_comm", "metadata_update_cancel": .dlm([.token])
        case "metadata_update_finish": .dlm([.token])
        case "__sendmsg", "sendmsg": .dlm([.message, .ack])
        case "recv_daemon", "process_metadata_update", "process_recvd_msg": .dlm([.message, .ack, .noNewDev])
        case "resync_start", "resync_finish", "md_do_sync": .dlm([.resync])
        case "add_new_disk", "new_disk_ack": .dlm([.noNewDev])
        case "join": .dlm([.token, .ack, .noNewDev, .message])
        case "recover_bitmaps", "load_bitmaps", "gather_all_resync_info", "lock_all_bitmaps", "update_size",
            "resize_bitmaps":
            .bitmap
        default: .dlm([.token, .message, .ack, .noNewDev, .resync])
        }
    }

    private static func stopped(_ frames: [String]) -> [ThreadRole] {
        if frames.contains(where: { ["leave", "md_cluster_stop", "md_bitmap_destroy"].contains($0) }) {
            return [.recoverBitmaps, .recvDaemon]
        }
        if frames.contains(where: {
            ["md_reap_sync_thread", "action_store", "stop_sync_thread", "md_set_readonly"].contains($0)
        }) {
            return [.resync]
        }
        return [.raidDaemon, .resync]
    }
}

/// Functions of md that say what their thread holds.
enum Holds {
    /// Between lock_token and unlock_comm, in any of these the thread holds SEND_LOCK, and the token or the wait for
    /// it.
    static let sending: Set<String> = [
        "__sendmsg", "sendmsg", "metadata_update_finish", "metadata_update_cancel", "unlock_comm", "lock_comm",
        "metadata_update_start",
        "update_size", "lock_token",
    ]
    /// Functions that md calls with reconfig_mutex held only.
    static let reconfigMutex: Set<String> = [
        "metadata_update_start", "metadata_update_finish", "metadata_update_cancel", "md_update_sb",
        "md_reap_sync_thread", "remove_disk",
        "gather_bitmaps", "update_size", "resync_finish", "leave", "join", "load_bitmaps", "md_run", "do_md_run",
        "__md_stop", "md_stop",
        "md_bitmap_create", "md_bitmap_load", "md_bitmap_destroy", "md_allow_write", "lock_all_bitmaps",
        "resync_bitmap", "mddev_detach",
        "md_cluster_stop", "md_add_new_disk", "md_reload_sb",
    ]
}
