// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import ProcedureModel

/// drivers/md/md-cluster.c: the messages' way in.
enum Receiver {
    static let procedures: [Procedure] = [
        ackBast, receiveDaemon, processReceivedMessage, processMetadataUpdate, processSuspendInfo, processAddNewDisk,
        processRemoveDisk, processReAddDisk,
    ]

    /// Runs in the DLM's callback work. ALREADY_IN_CLUSTER is set once the array runs, so here it always is.
    static let ackBast = Procedure("ack_bast", source: "md-cluster.c: ack_bast") {
        loop {
            wait(idle: true) {
                until(.v(Name.bast) == 1) {
                    assign(Name.bast, 0)
                    assign(Name.wakeReceive, 1)
                }
            }
        }
    }

    static let receiveDaemon = Procedure(
        "recv_daemon", locals: ["ret": 2, "error": 2], source: "md-cluster.c: recv_daemon, called by md.c: md_thread"
    ) {
        loop {
            wait(idle: true) {
                until(.v(Name.stopReceive) == 1) { leave() }
                until(.v(Name.wakeReceive) == 1) { assign(Name.wakeReceive, 0) }
            }
            mutex_lock(Mutex.receive)
            call("dlm_lock_sync", "res" <- Name.message, "mode" <- .cr, result: "error")
            call("process_recvd_msg", result: "ret")
            when_(.v("ret") == 0) {
                atomic {
                    require(
                        (.v(Name.type) == Message.metadataUpdated).implies(.v(Name.reloaded) == 1),
                        "I7.reload", "I7: METADATA_UPDATED is followed by md_reload_sb before ack is given")
                    assign(Name.handled, 1)
                    assign(Name.reloaded, 0)
                    call("dlm_lock_sync_now", "res" <- Name.ack, "mode" <- .nl)
                }
                call("dlm_lock_sync", "res" <- Name.message, "mode" <- .pr, result: "error")
                call("dlm_lock_sync", "res" <- Name.ack, "mode" <- .cr, result: "error")
            }
            call("dlm_lock_sync", "res" <- Name.message, "mode" <- .nl, result: "error")
            atomic {
                assign(Name.handled, 0)
                mutex_unlock(Mutex.receive)
            }
        }
    }

    /// Asked at the beginning of each handler.
    static func isFor(_ type: Int) -> Statement {
        require(.v(Name.type) == type, "I7.type", "I7: a message is handled by the procedure for its type")
    }

    static func isAbout(_ device: Device) -> Statement {
        require(.v(Name.device) == device.number, "I7.device", "I7: a message is handled for the device that it names")
    }

    static let processReceivedMessage = Procedure(
        "process_recvd_msg", locals: ["ret": 2, "type": 8], source: "md-cluster.c: process_recvd_msg"
    ) {
        atomic {
            require(
                !Expression.v(Name.from).equals(.v("$self") + 1) && .v(Name.from) != 0,
                "WARN_ON.process_recvd_msg", "WARN_ON in process_recvd_msg: a node received its own message")
            require(.granted(Name.message, .cr), "lvb.read", "the LVB of message is read while the lock is CR")
            // Its ack stays held.
            when_(Expression.v(Name.from).equals(.v("$self") + 1)) { return_(1) }
            assign("type", .v(Name.type))
        }
        when_(.v("type") == Message.metadataUpdated) { call("process_metadata_update") }
        when_(.v("type") == Message.resyncing) { call("process_suspend_info") }
        when_(.v("type") == Message.newDisk) { call("process_add_new_disk", result: "ret") }
        when_(.v("type") == Message.remove) { call("process_remove_disk") }
        when_(.v("type") == Message.reAdd) { call("process_readd_disk") }
        when_(.v("type") == Message.changeCapacity) {
            atomic {
                isFor(Message.changeCapacity)
                assign(Name.capacity, .v(Name.size))
            }
        }
        return_(.v("ret"))
    }

    static let processMetadataUpdate = Procedure(
        "process_metadata_update", locals: ["got_lock": 2, "ret": 2], source: "md-cluster.c: process_metadata_update"
    ) {
        isFor(Message.metadataUpdated)
        call("dlm_lock_sync", "res" <- Name.noNewDev, "mode" <- .cr, result: "ret")
        when_(.v(Name.threadGone) == 1) {
            call("dlm_lock_sync", "res" <- Name.noNewDev, "mode" <- .nl, result: "ret")
            return_()
        }
        wait_event(Queue.thread) {
            until(!.locked(Mutex.reconfig)) { mutex_trylock(Mutex.reconfig, result: "got_lock") }
            until(.v(Bit.holding) == 1)
        }
        call("md_reload_sb")
        when_(.v("got_lock") == 1) { call("mddev_unlock") }
    }

    static let processSuspendInfo = Procedure("process_suspend_info", source: "md-cluster.c: process_suspend_info") {
        isFor(Message.resyncing)
        when_(.v(Name.high) == 0) {
            atomic {
                assign(Flag.remote, 0)
                assign(Name.window, 0)
                assign(Flag.needed, 1)
                call("md_wakeup_thread")
            }
        } else: {
            atomic {
                assign(Flag.remote, 1)
                assign(Name.window, 1)
            }
        }
    }

    /// What the user's confirmation becomes if it never comes: the wait ends after 5 seconds.
    static let processAddNewDisk = Procedure("process_add_new_disk", source: "md-cluster.c: process_add_new_disk") {
        isFor(Message.newDisk)
        atomic {
            assign(Name.newDiskAnswer, 0)
            assign(Bit.waitingForNewDisk, 1)
            // One at a time: who is still at the last disk's answers for this one.
            when_(!.running(Name.confirm)) { start(Name.confirm) }
        }
        wait {
            until(.v(Name.newDiskAnswer) == 1)
            onTimeout()
        }
        assign(Bit.waitingForNewDisk, 0)
        return_(0)
    }

    static let processRemoveDisk = Procedure("process_remove_disk", source: "md-cluster.c: process_remove_disk") {
        isFor(Message.remove)
        for device in Device.all {
            when_(.v(Name.device) == device.number) {
                atomic {
                    isAbout(device)
                    when_(.v(device.state) != Device.absent) {
                        assign(device.clusterRemove, 1)
                        assign(Flag.needed, 1)
                        call("md_wakeup_thread")
                    }
                }
            }
        }
    }

    static let processReAddDisk = Procedure("process_readd_disk", source: "md-cluster.c: process_readd_disk") {
        isFor(Message.reAdd)
        for device in Device.all {
            when_(.v(Name.device) == device.number) {
                atomic {
                    isAbout(device)
                    when_(.v(device.state) == Device.faulty || .v(device.state) == Device.faultyOut) {
                        assign(device.state, Device.active)
                    }
                }
            }
        }
    }
}
