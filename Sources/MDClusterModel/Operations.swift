// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import ProcedureModel

/// drivers/md/md.c: what ioctls and writes to sysfs do.
enum Operations {
    /// The operations that a workload is made of, by the name that the command line uses.
    static let names = [
        "fail", "remove", "sysfs-remove", "re-add", "add", "grow", "stop", "resync", "suspend", "join", "crash",
        "delay",
    ]

    static let procedures: [Procedure] =
        Device.all.flatMap { [fail($0), remove($0), sysfsRemove($0), reAdd($0), add($0)] } + [
            resize, stop, stopWrites, leave, removeDisk, addNewDisk, updateSize, confirm, detach, startResync,
        ] + unregister

    /// The procedure that an operation of a node is.
    static func procedure(for name: String, node: Int) -> String {
        let device = Device.of(node: node).name
        switch name {
        case "fail": return "set_disk_faulty(\(device))"
        case "remove": return "hot_remove_disk(\(device))"
        case "sysfs-remove": return "state_store(\(device), remove)"
        case "re-add": return "state_store(\(device), re-add)"
        case "add": return "md_add_new_disk(\(device))"
        case "grow": return "update_size_store"
        case "resync": return "action_store(resync)"
        case "suspend": return "suspend_lo_store"
        case "join": return "do_md_run(\(node))"
        case "crash": return "crash(\(node))"
        case "delay": return "delay"
        default: return "do_md_stop"
        }
    }

    /// No mutex: the device is only marked.
    static func fail(_ device: Device) -> Procedure {
        Procedure("set_disk_faulty(\(device.name))", source: "md.c: set_disk_faulty, md_error") {
            atomic {
                when_(.v(device.state) == Device.active) {
                    assign(device.state, Device.faulty)
                    call("md_error")
                }
            }
        }
    }

    static func remove(_ device: Device) -> Procedure {
        Procedure("hot_remove_disk(\(device.name))", source: "md.c: md_ioctl HOT_REMOVE_DISK, hot_remove_disk") {
            // wait_event_interruptible_timeout(resync_wait, !NEEDED, 5 s)
            wait {
                until(.v(Flag.needed) == 0)
                onTimeout()
            }
            mutex_lock(Mutex.reconfig)
            call("remove_disk", "state" <- device.state, "arg" <- device.number)
            call("mddev_unlock")
        }
    }

    static func sysfsRemove(_ device: Device) -> Procedure {
        Procedure("state_store(\(device.name), remove)", source: "md.c: state_store \"remove\"") {
            mutex_lock(Mutex.reconfig)
            call("remove_disk", "state" <- device.state, "arg" <- device.number)
            call("mddev_unlock")
        }
    }

    static let removeDisk = Procedure(
        "remove_disk", parameters: ["state", "arg"], locals: ["ret": 2],
        source: "md.c: hot_remove_disk, md-cluster.c: remove_disk"
    ) {
        atomic { when_(.v("$state") == Device.faulty) { assign("$state", Device.faultyOut) } }
        when_(.v("$state") == Device.faultyOut || .v("$state") == Device.spare) {
            call("sendmsg", "type" <- Message.remove, "arg" <- "$arg", "mddev_locked" <- 1, result: "ret")
            when_(.v("ret") == 0) {
                atomic {
                    assign("$state", Device.absent)
                    assign(Flag.changeDevs, 1)
                    call("md_wakeup_thread")
                }
            }
        }
    }

    static func reAdd(_ device: Device) -> Procedure {
        Procedure(
            "state_store(\(device.name), re-add)", locals: ["ret": 2],
            source: "md.c: state_store \"re-add\", md-cluster.c: gather_bitmaps"
        ) {
            mutex_lock(Mutex.reconfig)
            when_(.v(device.state) == Device.faultyOut) {
                call("sendmsg", "type" <- Message.reAdd, "arg" <- device.number, "mddev_locked" <- 1, result: "ret")
                when_(.v("ret") == 0) {
                    atomic {
                        assign(device.state, Device.active)
                        assign(Flag.changeDevs, 1)
                        assign(Flag.needed, 1)
                        call("md_wakeup_thread")
                    }
                }
            }
            call("mddev_unlock")
        }
    }

    static func add(_ device: Device) -> Procedure {
        Procedure("md_add_new_disk(\(device.name))", locals: ["ret": 2], source: "md.c: md_add_new_disk, CLUSTER_ADD") {
            mutex_lock(Mutex.reconfig)
            when_(.v(device.state) == Device.absent) {
                call("add_new_disk", "arg" <- device.number, result: "ret")
                when_(.v("ret") == 0) {
                    atomic {
                        assign(device.state, Device.spare)
                        assign(Flag.changeDevs, 1)
                        assign(Flag.needed, 1)
                        call("md_wakeup_thread")
                    }
                }
            }
            call("mddev_unlock")
        }
    }

    /// Returns with SEND_LOCK, the token and recv_mutex held: raid1d's md_update_sb gives them up.
    static let addNewDisk = Procedure(
        "add_new_disk", parameters: ["arg"], locals: ["ret": 3, "error": 2], source: "md-cluster.c: add_new_disk"
    ) {
        call("lock_comm", "mddev_locked" <- 1, result: "error")
        when_(.v("error") != 0) { return_(1) }
        call("__sendmsg", "type" <- Message.newDisk, "arg" <- "$arg")
        Statement.convert(Name.noNewDev, .ex, noQueue: true, result: "ret")
        when_(.v("ret") != 0) {
            call("unlock_comm")
            return_(1)
        }
        call("dlm_lock_sync", "res" <- Name.noNewDev, "mode" <- .cr, result: "error")
        atomic {
            assign(Bit.sendLockedAlready, 1)
            wake_up(Queue.cinfo)
        }
        return_(0)
    }

    /// The other nodes' user space: it may see the new device, or not, or be too late.
    static let confirm = Procedure(
        "new_disk_ack", locals: ["ret": 2], source: "md.c: md_add_new_disk CANDIDATE, md-cluster.c: new_disk_ack"
    ) {
        choose([
            [],
            [
                mutex_lock(Mutex.reconfig),
                when_(.v(Bit.waitingForNewDisk) == 1) {
                    choose([
                        // CLUSTERED_DISK_NACK
                        [],
                        [call("dlm_lock_sync", "res" <- Name.noNewDev, "mode" <- .nl, result: "ret")]
                            + Device.all.map(bind),
                    ])
                    assign(Name.newDiskAnswer, 1)
                } else: {
                    require(
                        !.inside(thread: Name.receive, procedure: "process_add_new_disk"),
                        "threads.confirm",
                        "a confirmation is refused only when nobody waits for one (WAITING_FOR_NEWDISK)")
                },
                call("mddev_unlock"),
            ],
        ])
    }

    private static func bind(_ device: Device) -> Statement {
        atomic {
            when_(.v(Name.device) == device.number && .v(device.state) == Device.absent) {
                assign(device.state, Device.spare)
            }
        }
    }

    static let resize = Procedure("update_size_store", source: "md.c: size_store, update_size") {
        mutex_lock(Mutex.reconfig)
        when_(.v(Name.size) == 0) {
            assign(Name.size, 1)
            call("update_size")
        }
        call("mddev_unlock")
    }

    static let updateSize = Procedure("update_size", locals: ["error": 2], source: "md-cluster.c: update_size") {
        call("md_update_sb")
        call("lock_comm", "mddev_locked" <- 1, result: "error")
        when_(.v("error") == 0) {
            call("__sendmsg", "type" <- Message.metadataUpdated, "arg" <- 0)
            call("__sendmsg", "type" <- Message.changeCapacity, "arg" <- 0)
            assign(Name.capacity, .v(Name.size))
            call("unlock_comm")
        }
    }

    static let startResync = Procedure("action_store(resync)", source: "md.c: action_store") {
        mutex_lock(Mutex.reconfig)
        atomic {
            assign(Name.dirty, 1)
            assign(Flag.needed, 1)
            call("md_wakeup_thread")
        }
        call("mddev_unlock")
    }

    /// Something takes longer than the time limit of v6.11: whoever waits for a lock next gives up.
    static let delay = Procedure("delay", source: "a slow disk, a node that is being fenced") {
        assign(Name.delay, 1)
    }

    static let stop = Procedure("do_md_stop", source: "md.c: md_ioctl STOP_ARRAY, do_md_stop") {
        assign(Flag.closing, 1)
        mutex_lock(Mutex.reconfig)
        atomic {
            assign(Flag.frozen, 1)
            when_(.v(Flag.running) == 1) { assign(Flag.interrupted, 1) }
            call("md_wakeup_thread")
        }
        call("mddev_unlock")
        wait(.v(Flag.running) == 0 && !.running(Name.resync))
        mutex_lock(Mutex.reconfig)
        call("__md_stop_writes")
        call("__md_stop")
        call("mddev_unlock")
    }

    static let stopWrites = Procedure("__md_stop_writes", source: "md.c: __md_stop_writes") {
        when_(.v(Flag.changeDevs) == 1 || .v(Flag.changePending) == 1) { call("md_update_sb") }
    }

    static let detach = Procedure("__md_stop", source: "md.c: __md_stop") {
        call("leave")
        call("mddev_detach")
    }

    static let leave = Procedure("leave", locals: ["ret": 2], source: "md-cluster.c: leave") {
        when_(.v(Name.dirty) == 1) {
            call("sendmsg", "type" <- Message.bitmapNeedsSync, "arg" <- 0, "mddev_locked" <- 1, result: "ret")
        }
        assign(Bit.holding, 1)
        call("md_unregister_thread_recv")
        atomic {
            assign(Name.joined, 0)
            for lock in [Name.message, Name.token, Name.ack, Name.noNewDev, Name.resyncLock] {
                call("dlm_lock_sync_now", "res" <- lock, "mode" <- .nl)
            }
        }
    }

    /// kthread_stop wakes the thread wherever it sleeps, so that it looks at its condition again.
    static let unregister: [Procedure] = [
        Procedure("md_unregister_thread_recv", source: "md.c: md_unregister_thread(&cinfo->recv_thread)") {
            atomic {
                assign(Name.stopReceive, 1)
                wake_up(Queue.thread)
            }
            wait(!.running(Name.receive))
        },
        Procedure("mddev_detach", source: "md.c: mddev_detach") {
            assign(Name.stopRaid1d, 1)
            wait(!.running(Name.raid1d))
            assign(Name.threadGone, 1)
        },
    ]
}
