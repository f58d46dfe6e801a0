// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import ProcedureModel

// The names that the procedures use, so that a misspelt one does not compile.

/// Bits of `cinfo->state`.
enum Bit {
    static let waitingForNewDisk = "WAITING_FOR_NEWDISK"
    static let sendLock = "SEND_LOCK"
    static let sendLockedAlready = "SEND_LOCKED_ALREADY"
    static let holding = "HOLDING_MUTEX_FOR_RECVD"
    static let alreadyInCluster = "ALREADY_IN_CLUSTER"
    static let pendingRecvEvent = "PENDING_RECV_EVENT"
}

/// Bits of `mddev->recovery`, `mddev->sb_flags` and `mddev->flags`.
enum Flag {
    static let needed = "MD_RECOVERY_NEEDED"
    static let running = "MD_RECOVERY_RUNNING"
    static let done = "MD_RECOVERY_DONE"
    static let interrupted = "MD_RECOVERY_INTR"
    static let frozen = "MD_RECOVERY_FROZEN"
    static let remote = "MD_RESYNCING_REMOTE"
    static let changeDevs = "MD_SB_CHANGE_DEVS"
    static let changePending = "MD_SB_CHANGE_PENDING"
    static let closing = "MD_CLOSING"
    static let resyncLocked = "MD_CLUSTER_RESYNC_LOCKED"
    static let suspended = "suspended"
    static let allowUpdate = "MD_ALLOW_SB_UPDATE"
    static let updating = "MD_UPDATING_SB"
    static let reloadSuperblock = "MD_RELOAD_SB"
}

enum Queue {
    /// `cinfo->wait`
    static let cinfo = "cinfo->wait"
    /// `mddev->thread->wqueue`: recv_daemon waits on it for the mutex; raid1d's own wait on it cannot lose a wake-up.
    static let thread = "mddev->thread->wqueue"
}

enum Mutex {
    static let reconfig = "reconfig_mutex"
    static let receive = "recv_mutex"
}

enum Name {
    static let raid1d = "md0_raid1"
    static let receive = "md0_cluster_recv"
    static let resync = "md0_resync"
    static let recover = "md0_recover"
    static let dlm = "dlm_callback"
    static let mdadm = "mdadm"
    static let confirm = "mdadm-confirm"

    static let token = "token"
    static let message = "message"
    static let ack = "ack"
    static let noNewDev = "no-new-dev"
    static let resyncLock = "resync"

    static let type = "message.type"
    static let from = "message.slot"
    static let device = "message.raid_slot"
    static let high = "message.high"

    static let wakeRaid1d = "raid1d.THREAD_WAKEUP"
    static let stopRaid1d = "raid1d.should_stop"
    static let wakeReceive = "recv.THREAD_WAKEUP"
    static let stopReceive = "recv.should_stop"
    static let stopRecover = "recover.should_stop"
    static let bast = "ack.bast"
    /// Where recv_daemon is with the message: 1 after process_recvd_msg returned 0. What the sender's ack EX promises.
    static let handled = "recv.handled"
    static let reloaded = "recv.reloaded"
    static let joined = "cinfo"
    static let threadGone = "mddev->thread.gone"
    static let dirty = "recovery_cp"
    static let window = "suspend_hi"
    /// hi of the resync_info in the LVB of the node's own bitmap lock.
    static let ownWindow = "bitmap.lvb.hi"
    static let newDiskAnswer = "newdisk_completion"
    static let size = "dev_sectors"
    static let capacity = "capacity"
    static let diskSize = "sb.size"
    /// 1 if a wait with a time limit, whichever comes first, is to run out.
    static let delay = "30 seconds"
}

/// Types of messages, numbered as in the kernel.
enum Message {
    static let metadataUpdated = Int(MessageType.metadataUpdated.rawValue)
    static let resyncing = Int(MessageType.resyncing.rawValue)
    static let newDisk = Int(MessageType.newDisk.rawValue)
    static let remove = Int(MessageType.remove.rawValue)
    static let reAdd = Int(MessageType.reAdd.rawValue)
    static let bitmapNeedsSync = Int(MessageType.bitmapNeedsSync.rawValue)
    static let changeCapacity = Int(MessageType.changeCapacity.rawValue)
    static let bitmapResize = Int(MessageType.bitmapResize.rawValue)
    static let resyncingStart = Int(MessageType.resyncingStart.rawValue)
    /// How many there are.
    static let types = 9
}

/// A device of the array as a node sees it, and its role on the disks. There are two that operations work on: `b`,
/// which the odd nodes use, and `c`; a mirror that never fails is understood.
struct Device {
    let name: String
    let number: Int
    var state: String { "rdev-\(name).state" }
    var clusterRemove: String { "rdev-\(name).ClusterRemove" }
    var role: String { "sb.role-\(name)" }

    static let all = [Device(name: "b", number: 0), Device(name: "c", number: 1)]
    /// The device that a node's operations are about.
    static func of(node: Int) -> Device { all[node % 2] }

    /// raid_disk >= 0 and working.
    static let active = 0
    /// Faulty, raid_disk still >= 0.
    static let faulty = 1
    /// Faulty, raid_disk < 0.
    static let faultyOut = 2
    /// Not in the array.
    static let absent = 3
    /// Added as a spare, or a candidate for it.
    static let spare = 4
    static let states = 5
}
