// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import ProcedureModel

/// md.c and user space as the most general caller of md-cluster.c.
///
/// It takes and drops reconfig_mutex, and calls what md.c calls under it; which call comes next is free. md.c's own
/// state (devices, roles, sizes, the superblock) is not there, so that it cannot forbid what a kernel did for reasons
/// that only that state knows.
enum GeneralCaller {
    static func install(in program: inout Program, processes: Int, hasDeath: Bool) {
        let reference = program
        let everyone = Set(0..<program.nodes)
        program.shared.append(.init(Name.raidSlot, values: ObservedProgram.deviceNumbers))
        program.perNode.append(.init(Name.goodDevice, values: ObservedProgram.deviceNumbers))
        program.perNode += [.init(Name.inCluster), .init(Name.pending)]
        for index in program.shared.indices where program.shared[index].name == Name.type {
            program.shared[index].values = Message.types
        }
        for index in program.locks.indices { program.locks[index].initial = .nl }
        for index in program.perNode.indices where program.perNode[index].name == Name.joined {
            program.perNode[index].initial = 0
        }
        let isLimited = reference.procedure(named: "dlm_lock_sync").map(hasTimeLimit) ?? false
        for procedure in replacements(reference, isLimited: isLimited) { program.replace(procedure) }
        for index in program.perNode.indices where program.perNode[index].name == Name.ownWindow {
            program.perNode[index].values = unknown + 1
        }
        for index in program.procedures.indices where program.procedures[index].name == "resync_info_update" {
            withUnknownWindow(&program.procedures[index])
        }
        for name in Name.forgotten { program.replace(Procedure(name) {}) }
        program.threads = [
            .init(Name.receive, procedure: "recv_daemon"), .init(Name.raid1d, procedure: "raid1d", runsOn: everyone),
            .init(Name.resync, procedure: "md_do_sync", runsOn: everyone),
            .init(Name.dlm, procedure: "ack_bast", runsOn: everyone),
        ]
        for number in 0..<processes {
            program.threads.append(
                .init(ObservedProgram.process(number), procedure: "process", runsOn: everyone))
        }
        if hasDeath {
            program.procedures.append(death(program.locks.map(\.name)))
            program.threads.append(.init("power", procedure: "power cut", runsOn: everyone))
        }
        let used = reachable(in: program)
        program.procedures = program.procedures.filter { used.contains($0.name) || Marker.isOne($0.name) }
    }

    /// The node is gone at once; when DLM has recovered, its locks are free.
    private static func death(_ locks: [String]) -> Procedure {
        Procedure("power cut", source: "fs/dlm/recoverd.c: ls_recover") {
            wait(.always, idle: true)
            Marker.show(.death)
            atomic { crash() }
            for lock in locks {
                Statement.cancel(lock)
                Statement.convertTo(lock, .constant(0), noQueue: false, result: nil)
            }
        }
    }

    private static func reachable(in program: Program) -> Set<String> {
        var found = Set<String>()
        func visit(_ name: String) {
            guard found.insert(name).inserted, let procedure = program.procedure(named: name) else { return }
            for statement in procedure.body {
                _ = statement.replacing { inner in
                    if case .call(let callee, _, _) = inner {
                        visit(callee == "dlm_lock_sync_now" ? "dlm_lock_sync" : callee)
                    }
                    return [inner]
                }
            }
        }
        for thread in program.threads { visit(thread.procedure) }
        return found
    }

    private static func hasTimeLimit(_ procedure: Procedure) -> Bool {
        var found = false
        for statement in procedure.body {
            _ = statement.replacing { inner in
                if case .wait(let alternatives, _) = inner, alternatives.contains(where: \.isTimeout) { found = true }
                return [inner]
            }
        }
        return found
    }

    static func replacements(_ reference: Program, isLimited: Bool) -> [Procedure] {
        let leaveSetsBit = reference.procedure(named: "leave")?.body.contains(assign(Bit.holding, 1)) ?? false
        let isAsynchronous = reference.perNode.contains { $0.name == Flag.reloadSuperblock }
        let detachesFirst = reference.procedure(named: "__md_stop")?.body.first == call("mddev_detach")
        let saysStart = reference.procedure(named: "resync_start_notify") != nil
        return dlm(isLimited: isLimited) + callbacks + [
            ackBast, updateSuperblock, raid1d(isAsynchronous: isAsynchronous), resyncThread(saysStart: saysStart),
            process(detachesFirst: detachesFirst), updateSize(isLimited: isLimited), join, loadBitmaps,
            leaveCluster(setsBit: leaveSetsBit),
        ]
    }

    private static let ackBast =
        Procedure("ack_bast", source: "md-cluster.c: ack_bast") {
            loop {
                wait(idle: true) { until(.v(Name.bast) == 1) { assign(Name.bast, 0) } }
                Statement.call("dlm_bast", ["res" <- Name.ack], result: nil)
                atomic {
                    when_(.v(Name.inCluster) == 1) {
                        assign(Name.wakeReceive, 1)
                    } else: {
                        assign(Name.pending, 1)
                    }
                }
            }
        }

    private static let updateSuperblock =
        Procedure("md_update_sb", locals: ["ret": 2], source: "md.c: md_update_sb") {
            loop {
                call("metadata_update_start", result: "ret")
                choose([
                    [when_(.v("ret") == 0) { call("metadata_update_cancel") }, return_()],
                    [
                        when_(.v("ret") == 0) { call("metadata_update_finish") },
                        choose([[return_()], []]),
                    ],
                ])
            }
        }

    private static func raid1d(isAsynchronous: Bool) -> Procedure {
        Procedure("raid1d", locals: ["got": 2], source: "raid1.c: raid1d, md.c: md_check_recovery") {
            loop {
                wait(.always, idle: true)
                Marker.enter("md_check_recovery")
                choose([
                    [],
                    [
                        mutex_trylock(Mutex.reconfig, result: "got"),
                        when_(.v("got") == 1) {
                            loop {
                                choose(
                                    [
                                        [leave()], [call("md_update_sb")], [call("resync_finish")],
                                        [call("update_size")],
                                    ]
                                        + (isAsynchronous
                                            ? [
                                                [
                                                    wait(.v(Flag.reloadSuperblock) == 1),
                                                    assign(Flag.reloadSuperblock, 0), call("md_reload_sb"),
                                                ]
                                            ] : []))
                            }
                            call("mddev_unlock")
                        },
                    ],
                    // MD_ALLOW_SB_UPDATE: for a thread that has suspended the array and holds the mutex
                    [call("md_update_sb")],
                ])
            }
        }
    }

    private static func resyncThread(saysStart: Bool) -> Procedure {
        Procedure("md_do_sync", locals: ["ret": 2], source: "md.c: md_do_sync, raid1.c, raid10.c") {
            loop {
                wait(.always, idle: true)
                choose(
                    [
                        [call("resync_start", result: "ret")],
                        [call("resync_info_update", "hi" <- 1, "mddev_locked" <- 0, result: "ret")],
                        [call("resync_info_update", "hi" <- 0, "mddev_locked" <- 0, result: "ret")],
                        [call("resync_info_update", "hi" <- 0, "mddev_locked" <- 1, result: "ret")],
                        [mutex_lock(Mutex.reconfig), call("mddev_unlock")],
                    ]
                        + (saysStart ? [[call("resync_start_notify", result: "ret")]] : []))
            }
        }
    }

    private static func process(detachesFirst: Bool) -> Procedure {
        Procedure("process", locals: ["ret": 2], source: "md.c: ioctls, writes to sysfs, work items") {
            loop {
                wait(.always, idle: true)
                mutex_lock(Mutex.reconfig)
                loop {
                    choose([
                        [leave()], [call("md_update_sb")], [call("remove_disk", result: "ret")],
                        [call("gather_bitmaps", result: "ret")], [call("add_new_disk", "arg" <- 0, result: "ret")],
                        [call("add_new_disk_cancel")],
                        [call("new_disk_ack", "ack" <- 0, result: "ret")],
                        [call("new_disk_ack", "ack" <- 1, result: "ret")], [call("update_size")],
                        [
                            call(
                                "sendmsg", "type" <- Message.bitmapResize, "arg" <- 0,
                                "mddev_locked" <- 0, result: "ret")
                        ],
                        // md_bitmap_load follows, unless something fails between them
                        [call("join"), choose([[call("load_bitmaps")], []])],
                        (detachesFirst ? [assign(Name.threadGone, 1)] : []) + [call("leave")],
                        [call("resync_finish")],
                    ])
                }
                call("mddev_unlock")
            }
        }
    }

    /// What md.c calls of md-cluster.c, without what they do to md's own state.
    private static let callbacks = [
        Procedure("remove_disk", locals: ["ret": 2], source: "md-cluster.c: remove_disk") {
            call("sendmsg", "type" <- Message.remove, "arg" <- 0, "mddev_locked" <- 1, result: "ret")
            return_(.v("ret"))
        },
        Procedure("gather_bitmaps", locals: ["ret": 2], source: "md-cluster.c: gather_bitmaps") {
            call("sendmsg", "type" <- Message.reAdd, "arg" <- 0, "mddev_locked" <- 1, result: "ret")
            return_(.v("ret"))
        },
        Procedure("add_new_disk_cancel", source: "md-cluster.c: add_new_disk_cancel") {
            assign(Bit.sendLockedAlready, 0)
            call("unlock_comm")
        },
        Procedure("new_disk_ack", parameters: ["ack"], locals: ["ret": 2], source: "md-cluster.c: new_disk_ack") {
            when_(.v(Bit.waitingForNewDisk) == 0) { return_(1) }
            when_(.v("$ack") == 1) { call("dlm_lock_sync", "res" <- Name.noNewDev, "mode" <- .nl, result: "ret") }
            assign(Name.newDiskAnswer, 1)
            return_(0)
        },
        Procedure("process_suspend_info", source: "md-cluster.c: process_suspend_info") {
            assign(Flag.remote, .v(Name.high))
        },
    ]

    private static func updateSize(isLimited: Bool) -> Procedure {
        Procedure("update_size", locals: ["error": 2], source: "md-cluster.c: update_size") {
            call("md_update_sb")
            call("lock_comm", "mddev_locked" <- 1, result: "error")
            when_(.v("error") != 0) { return_() }
            choose([
                // no good device
                [],
                [
                    call(
                        "__sendmsg", "type" <- Message.metadataUpdated, "arg" <- 0,
                        result: isLimited ? "error" : nil),
                    when_(.v("error") != 0) {
                        call("unlock_comm")
                        return_()
                    },
                    choose([
                        [call("__sendmsg", "type" <- Message.changeCapacity, "arg" <- 0)],
                        [call("__sendmsg", "type" <- Message.metadataUpdated, "arg" <- 0)],
                    ]),
                ],
            ])
            call("unlock_comm")
        }
    }

    /// A lock is asked for, and the thread goes on when its AST has come.
    private static func dlm(isLimited: Bool) -> [Procedure] {
        let ask: [Statement] = [
            Marker.start("$res", .symbol("$mode"), "-"),
            Statement.convertTo("$res", .v("$mode"), noQueue: false, result: "error"),
            // One request of this lock waits already: -EBUSY.
            when_(.v("error") == 1) {
                Marker.lockEnd("$res", "-16")
                return_(1)
            },
            // conversion_deadlock_detect: the answer is -EDEADLK.
            when_(.v("error") != 0) {
                Marker.ast("$res", "-35")
                return_(1)
            },
        ]
        let answer = [wait(!.converting("$res")), Marker.ast("$res", "granted"), return_(0)]
        // Its answer comes when nobody waits any more, and then ends the next wait on that lock, whose own answer comes
        // late too.
        let limited: [Statement] = [
            choose([
                answer, [Marker.gaveUp("$res"), assign("$late", 1), return_(1)], [wait(.v("$late") == 1), return_(0)],
            ])
        ]
        return [
            Procedure(
                "dlm_lock_sync", parameters: ["res", "mode"] + (isLimited ? ["late"] : []), locals: ["error": 4],
                source: "md-cluster.c: dlm_lock_sync"
            ) {
                ask
                isLimited ? limited : answer
            },
            Procedure(
                "dlm_lock_sync_interruptible", parameters: ["res", "mode"], locals: ["error": 4],
                source: "md-cluster.c: dlm_lock_sync_interruptible"
            ) {
                ask
                choose([
                    answer,
                    [Marker.unlock("$res", "CANCEL"), Statement.cancel("$res"), return_(1)],
                ])
            },
        ]
    }

    private static func newLock(_ resource: String) -> [Statement] {
        [Marker.start(resource, .number(0), "new"), Marker.ast(resource, "granted")]
    }

    /// kzalloc clears cinfo. A lock that is not there counts as NL.
    static let join = Procedure("join", locals: ["error": 2], source: "md-cluster.c: join") {
        atomic {
            for bit in [
                Bit.waitingForNewDisk, Bit.sendLock, Bit.sendLockedAlready, Bit.holding, Name.inCluster, Name.pending,
                Name.stopReceive, Name.wakeReceive, Name.threadGone,
            ] { assign(bit, 0) }
            assign(Name.joined, 1)
            start(Name.receive)
        }
        newLock(Name.message)
        newLock(Name.token)
        newLock(Name.noNewDev)
        call("dlm_lock_sync", "res" <- Name.token, "mode" <- .ex, result: "error")
        newLock(Name.ack)
        call("dlm_lock_sync", "res" <- Name.ack, "mode" <- .cr, result: "error")
        call("dlm_lock_sync", "res" <- Name.token, "mode" <- .nl, result: "error")
        call("dlm_lock_sync", "res" <- Name.noNewDev, "mode" <- .cr, result: "error")
        newLock(Name.resyncLock)
        // The LVB of the bitmap lock is gone when nobody has held the lock; else it is what was last written.
        when_(.v(Name.ownWindow) == 1) { assign(Name.ownWindow, unknown) }
    }

    /// Of `ownWindow`: 0 or 1. Only resync_info_update asks, so the choice is made there, where its next event tells.
    static let unknown = 2

    static func withUnknownWindow(_ procedure: inout Procedure) {
        procedure.body.insert(
            when_(.v(Name.ownWindow) == unknown) {
                choose([[assign(Name.ownWindow, 0)], [assign(Name.ownWindow, 1)]])
            },
            at: 0)
    }

    static let loadBitmaps = Procedure("load_bitmaps", source: "md-cluster.c: load_bitmaps") {
        atomic {
            assign(Name.inCluster, 1)
            when_(.v(Name.pending) == 1) {
                assign(Name.pending, 0)
                assign(Name.wakeReceive, 1)
            }
        }
    }

    static func leaveCluster(setsBit: Bool) -> Procedure {
        Procedure("leave", locals: ["ret": 2], source: "md-cluster.c: leave") {
            when_(.v(Name.joined) == 0) { return_(0) }
            choose([
                [],
                [
                    call(
                        "sendmsg", "type" <- Message.bitmapNeedsSync, "arg" <- 0, "mddev_locked" <- 1, result: "ret")
                ],
            ])
            setsBit ? [assign(Bit.holding, 1)] : []
            call("md_unregister_thread_recv")
            assign(Name.joined, 0)
            for lock in [Name.message, Name.token, Name.ack, Name.noNewDev, Name.resyncLock] {
                Marker.unlock(lock, "FORCEUNLOCK")
                Statement.cancel(lock)
                Statement.convertTo(lock, .constant(0), noQueue: false, result: nil)
                // After a request that was taken back, what its answer set is still set, and lockres_free does not
                // wait.
                lock == Name.resyncLock
                    ? choose([[Marker.ast(lock, "unlocked")], []]) : Marker.ast(lock, "unlocked")
            }
        }
    }
}

extension Name {
    static let raidSlot = "message.raid_slot of METADATA_UPDATED"
    static let goodDevice = "good_device_nr"
    static let inCluster = "ALREADY_IN_CLUSTER"
    static let pending = "PENDING_RECV_EVENT"
    /// What handlers do to devices is not compared.
    static let forgotten = ["process_remove_disk", "process_readd_disk", "md_error"]
}
