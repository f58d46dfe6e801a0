// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import ProcedureModel

/// drivers/md/md-cluster.c: locks, the send channel, the messages' way out.
enum Communication {
    static let procedures: [Procedure] = [
        dlmLockSync, dlmLockSyncInterruptible, lockToken, lockComm, unlockComm, sendMessage, send,
        metadataUpdateStart, metadataUpdateFinish, metadataUpdateCancel, resyncInfoUpdate, resyncStart, resyncFinish,
    ]

    /// A down-conversion is granted at once, and nobody can tell when its AST is delivered, so then there is no wait.
    static let dlmLockSync = Procedure(
        "dlm_lock_sync", parameters: ["res", "mode"], locals: ["error": 4], source: "md-cluster.c: dlm_lock_sync"
    ) {
        atomic {
            Statement.convertTo("$res", .v("$mode"), noQueue: false, result: "error")
            Statement.require(.v("error") != 3, Rules.refused)
            when_(.v("error") != 0) { return_(1) }
            when_(!.converting("$res")) { return_(0) }
        }
        wait(!.converting("$res"))
        return_(0)
    }

    /// Gives up when the thread shall stop or the array is being closed.
    static let dlmLockSyncInterruptible = Procedure(
        "dlm_lock_sync_interruptible", parameters: ["res", "mode"], locals: ["error": 4],
        source: "md-cluster.c: dlm_lock_sync_interruptible"
    ) {
        atomic {
            Statement.convertTo("$res", .v("$mode"), noQueue: false, result: "error")
            when_(.v("error") != 0) { return_(1) }
            when_(!.converting("$res")) { return_(0) }
        }
        wait {
            until(!.converting("$res")) { return_(0) }
            until(.v(Flag.closing) == 1) {
                Statement.cancel("$res")
                return_(1)
            }
        }
    }

    static let lockToken = Procedure("lock_token", locals: ["error": 2], source: "md-cluster.c: lock_token") {
        call("dlm_lock_sync", "res" <- Name.token, "mode" <- .ex, result: "error")
        when_(.v("error") != 0) { return_(1) }
        mutex_lock(Mutex.receive)
        return_(0)
    }

    static let lockComm = Procedure(
        "lock_comm", parameters: ["mddev_locked"], locals: ["rv": 2, "set_bit": 2], source: "md-cluster.c: lock_comm"
    ) {
        when_(.v("$mddev_locked") == 1) {
            when_(.v(Bit.holding) == 0) {
                atomic {
                    require(
                        .v(Bit.holding) == 0, "WARN_ON.lock_comm",
                        "WARN_ON_ONCE in lock_comm: HOLDING_MUTEX_FOR_RECVD was set")
                    assign(Bit.holding, 1)
                }
                call("md_wakeup_thread")
                assign("set_bit", 1)
            }
        }
        wait_event(Queue.cinfo) { until(.v(Bit.sendLock) == 0) { assign(Bit.sendLock, 1) } }
        call("lock_token", result: "rv")
        when_(.v("set_bit") == 1) { assign(Bit.holding, 0) }
        return_(.v("rv"))
    }

    static let unlockComm = Procedure("unlock_comm", locals: ["ret": 2], source: "md-cluster.c: unlock_comm") {
        require(.granted(Name.token, .ex), "WARN_ON.unlock_comm", "WARN_ON in unlock_comm: token is not EX")
        mutex_unlock(Mutex.receive)
        call("dlm_lock_sync", "res" <- Name.token, "mode" <- .nl, result: "ret")
        atomic {
            assign(Bit.sendLock, 0)
            wake_up(Queue.cinfo)
        }
    }

    /// The LVB is written with the down-conversion from EX to CW.
    static let writeMessage = atomic {
        require(.granted(Name.message, .ex), "lvb.written", "the LVB of message is written while the lock is EX")
        assign(Name.type, .v("$type"))
        assign(Name.from, .v("$self") + 1)
        when_(.v("$type") == Message.resyncing) {
            assign(Name.high, .v("$arg"))
        } else: {
            assign(Name.device, .v("$arg"))
        }
        call("dlm_lock_sync_now", "res" <- Name.message, "mode" <- .cw)
    }

    static let sendMessage = Procedure(
        "__sendmsg", parameters: ["type", "arg"], locals: ["error": 2], source: "md-cluster.c: __sendmsg"
    ) {
        call("dlm_lock_sync", "res" <- Name.message, "mode" <- .ex, result: "error")
        writeMessage
        call("dlm_lock_sync", "res" <- Name.ack, "mode" <- .ex, result: "error")
        call("dlm_lock_sync", "res" <- Name.ack, "mode" <- .cr, result: "error")
        call("dlm_lock_sync", "res" <- Name.message, "mode" <- .nl, result: "error")
    }

    static let send = Procedure(
        "sendmsg", parameters: ["type", "arg", "mddev_locked"], locals: ["ret": 2], source: "md-cluster.c: sendmsg"
    ) {
        call("lock_comm", "mddev_locked" <- "$mddev_locked", result: "ret")
        when_(.v("ret") == 0) {
            call("__sendmsg", "type" <- "$type", "arg" <- "$arg")
            call("unlock_comm")
        }
        return_(.v("ret"))
    }

    static let metadataUpdateStart = Procedure(
        "metadata_update_start", locals: ["ret": 2], source: "md-cluster.c: metadata_update_start"
    ) {
        atomic {
            require(
                .v(Bit.holding) == 0, "WARN_ON.metadata_update_start",
                "WARN_ON_ONCE in metadata_update_start: HOLDING_MUTEX_FOR_RECVD was set")
            assign(Bit.holding, 1)
        }
        call("md_wakeup_thread")
        wait_event(Queue.cinfo) {
            until(.v(Bit.sendLock) == 0) { assign(Bit.sendLock, 1) }
            until(.v(Bit.sendLockedAlready) == 1) { assign(Bit.sendLockedAlready, 0) }
        }
        when_(.granted(Name.token, .ex)) {
            assign(Bit.holding, 0)
            return_(0)
        }
        call("lock_token", result: "ret")
        assign(Bit.holding, 0)
        return_(.v("ret"))
    }

    static let metadataUpdateFinish = Procedure(
        "metadata_update_finish", source: "md-cluster.c: metadata_update_finish"
    ) {
        call("__sendmsg", "type" <- Message.metadataUpdated, "arg" <- 0)
        assign(Bit.sendLockedAlready, 0)
        call("unlock_comm")
    }

    static let metadataUpdateCancel = Procedure(
        "metadata_update_cancel", source: "md-cluster.c: metadata_update_cancel"
    ) {
        assign(Bit.sendLockedAlready, 0)
        call("unlock_comm")
    }

    /// hi: 0 ends the window. `mddev_locked` is 1 exactly then.
    static let resyncInfoUpdate = Procedure(
        "resync_info_update", parameters: ["hi", "mddev_locked"], locals: ["ret": 2],
        source: "md-cluster.c: resync_info_update"
    ) {
        when_(.v("$hi") == 0) { when_(.v(Name.ownWindow) == 0) { return_(0) } }
        assign(Name.ownWindow, .v("$hi"))
        call(
            "sendmsg", "type" <- Message.resyncing, "arg" <- "$hi", "mddev_locked" <- "$mddev_locked", result: "ret")
        return_(.v("ret"))
    }

    static let resyncStart = Procedure("resync_start", locals: ["ret": 2], source: "md-cluster.c: resync_start") {
        call("dlm_lock_sync_interruptible", "res" <- Name.resyncLock, "mode" <- .ex, result: "ret")
        return_(.v("ret"))
    }

    static let resyncFinish = Procedure("resync_finish", locals: ["ret": 2], source: "md-cluster.c: resync_finish") {
        assign(Flag.remote, 0)
        when_(.v(Flag.closing) == 0) { call("resync_info_update", "hi" <- 0, "mddev_locked" <- 1, result: "ret") }
        call("dlm_lock_sync", "res" <- Name.resyncLock, "mode" <- .nl, result: "ret")
    }
}
