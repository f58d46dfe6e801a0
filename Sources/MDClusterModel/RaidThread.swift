// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import ProcedureModel

/// drivers/md/md.c: what raid1d and the resync thread do.
enum RaidThread {
    static let procedures: [Procedure] = [
        wakeThread, lockNow, mddevUnlock, raid1d, checkRecovery, updateSuperblock, reloadSuperblock, reapSyncThread,
        doSync,
        errorOnReload,
    ]

    static let wakeThread = Procedure("md_wakeup_thread", source: "md.c: md_wakeup_thread(mddev->thread)") {
        atomic {
            assign(Name.wakeRaid1d, 1)
            wake_up(Queue.thread)
        }
    }

    /// A conversion that is granted at once, as part of a larger step.
    static let lockNow = Procedure(
        "dlm_lock_sync_now", parameters: ["res", "mode"], source: "md-cluster.c: dlm_lock_sync"
    ) {
        Statement.convertTo("$res", .v("$mode"), noQueue: false, result: nil)
    }

    static let mddevUnlock = Procedure("mddev_unlock", source: "md.c: mddev_unlock") {
        atomic {
            mutex_unlock(Mutex.reconfig)
            assign(Name.wakeRaid1d, 1)
            wake_up(Queue.thread)
        }
    }

    static let raid1d = Procedure("raid1d", source: "raid1.c: raid1d, called by md.c: md_thread") {
        loop {
            wait(idle: true) {
                until(.v(Name.stopRaid1d) == 1) { leave() }
                until(.v(Name.wakeRaid1d) == 1) { assign(Name.wakeRaid1d, 0) }
            }
            call("md_check_recovery")
        }
    }

    static let nothingToDo: Expression = .v(Flag.changeDevs) == 0 && .v(Flag.needed) == 0 && .v(Flag.done) == 0

    static let checkRecovery = Procedure(
        "md_check_recovery", locals: ["got": 2, "removed": 2], source: "md.c: md_check_recovery"
    ) {
        when_(nothingToDo) { return_() }
        mutex_trylock(Mutex.reconfig, result: "got")
        when_(.v("got") == 0) { return_() }
        for device in Device.all {
            when_(.v(device.clusterRemove) == 1) {
                atomic {
                    assign(device.clusterRemove, 0)
                    when_(.v(device.state) == Device.faultyOut || .v(device.state) == Device.spare) {
                        assign(device.state, Device.absent)
                    }
                }
            }
        }
        when_(.v(Flag.changeDevs) == 1 || .v(Flag.changePending) == 1) { call("md_update_sb") }
        when_(.v(Flag.running) == 1) {
            when_(.v(Flag.done) == 0) {
                assign(Flag.needed, 0)
            } else: {
                // md_unregister_thread(&mddev->sync_thread) waits until it has ended.
                wait(!.running(Name.resync))
                call("md_reap_sync_thread")
            }
            call("mddev_unlock")
            return_()
        }
        // From here to the start of the thread nobody else looks at these bits without the mutex.
        atomic {
            assign(Flag.interrupted, 0)
            assign(Flag.done, 0)
            when_(.v(Flag.needed) == 1 && .v(Flag.frozen) == 0) {
                for device in Device.all {
                    when_(.v(device.state) == Device.faulty) {
                        assign(device.state, Device.faultyOut)
                        assign("removed", 1)
                    }
                }
                when_(.v("removed") == 1) { assign(Flag.changeDevs, 1) }
                when_(.v(Name.dirty) == 1) {
                    assign(Flag.running, 1)
                    start(Name.resync)
                }
            }
            assign(Flag.needed, 0)
            assign("removed", 0)
        }
        call("mddev_unlock")
    }

    /// Whether the superblock on the disks differs from what the node knows (does_sb_need_changing).
    static let needsChanging = Expression.any(
        Device.all.map { (.v($0.state) == Device.faulty || .v($0.state) == Device.faultyOut) && .v($0.role) == 0 }
            + Device.all.map { .v($0.state) == Device.active && .v($0.role) == 1 }
            + [!Expression.v(Name.size).equals(.v(Name.diskSize))])

    static let updateSuperblock = Procedure("md_update_sb", locals: ["ret": 2], source: "md.c: md_update_sb") {
        loop {
            assign(Flag.changeDevs, 0)
            call("metadata_update_start", result: "ret")
            when_(!needsChanging) {
                when_(.v("ret") == 0) { call("metadata_update_cancel") }
                atomic { when_(.v(Flag.changeDevs) == 0) { assign(Flag.changePending, 0) } }
                return_()
            }
            atomic {
                for device in Device.all {
                    when_(.v(device.state) == Device.active) { assign(device.role, 0) }
                    when_(.v(device.state) == Device.faulty || .v(device.state) == Device.faultyOut) {
                        assign(device.role, 1)
                    }
                }
                assign(Name.diskSize, .v(Name.size))
            }
            when_(.v("ret") == 0) { call("metadata_update_finish") }
            atomic {
                when_(.v(Flag.changeDevs) == 0) {
                    assign(Flag.changePending, 0)
                    leave()
                }
            }
        }
    }

    /// Called with the mutex, or without it while HOLDING_MUTEX_FOR_RECVD is set.
    static let reloadSuperblock = Procedure("md_reload_sb", source: "md.c: md_reload_sb") {
        atomic {
            require(
                .owned(Mutex.reconfig) || .v(Bit.holding) == 1,
                "I6.reload", "I6: md_reload_sb runs with reconfig_mutex or while HOLDING_MUTEX_FOR_RECVD is set")
            for device in Device.all {
                when_(.v(device.role) == 1 && .v(device.state) == Device.active) {
                    assign(device.state, Device.faulty)
                    call("md_error")
                }
            }
            assign(Name.size, .v(Name.diskSize))
            assign(Name.reloaded, 1)
        }
    }

    static let errorOnReload = Procedure("md_error", source: "md.c: md_error, raid1.c: raid1_error") {
        atomic {
            assign(Flag.changeDevs, 1)
            assign(Flag.changePending, 1)
            assign(Flag.interrupted, 1)
            assign(Flag.needed, 1)
            call("md_wakeup_thread")
        }
    }

    static let reapSyncThread = Procedure(
        "md_reap_sync_thread", locals: ["locked": 2], source: "md.c: md_reap_sync_thread"
    ) {
        call("md_update_sb")
        atomic {
            assign("locked", .v(Flag.resyncLocked))
            assign(Flag.resyncLocked, 0)
        }
        when_(.v("locked") == 1) { call("resync_finish") }
        atomic {
            assign(Flag.running, 0)
            assign(Flag.done, 0)
            assign(Flag.needed, 1)
        }
    }

    /// One window of the array is resynced; an interrupted resync leaves the array dirty.
    static let doSync = Procedure(
        "md_do_sync", locals: ["ret": 2], source: "md.c: md_do_sync, raid1.c: raid1_sync_request"
    ) {
        call("resync_start", result: "ret")
        when_(.v("ret") == 0) {
            assign(Flag.resyncLocked, 1)
            when_(.v(Flag.interrupted) == 0) {
                call("resync_info_update", "hi" <- 1, "mddev_locked" <- 0, result: "ret")
                atomic { when_(.v(Flag.interrupted) == 0) { assign(Name.dirty, 0) } }
            }
        }
        atomic {
            assign(Flag.changeDevs, 1)
            assign(Flag.changePending, 1)
            assign(Flag.done, 1)
            call("md_wakeup_thread")
        }
    }
}
