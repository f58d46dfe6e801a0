// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import ProcedureModel

/// A version of md-cluster: the reference model with some procedures changed.
public struct Variant: Sendable {
    public var name: String
    /// What it changes, and what is known of it.
    public var summary: String
    /// Where its fault is shown soonest: nodes and workload. Nil if no fault is known.
    public var trial: Trial?
    let apply: @Sendable (inout Program) -> Void

    public struct Trial: Sendable, Hashable {
        public var nodes: Int
        public var workload: String
        /// What the search must answer: "deadlock", or how the name of the broken rule begins.
        public var fault: String
    }

    init(
        _ name: String, _ summary: String, nodes: Int = 2, workload: String = "", fault: String = "",
        _ apply: @escaping @Sendable (inout Program) -> Void
    ) {
        self.name = name
        self.summary = summary
        trial = fault.isEmpty ? nil : Trial(nodes: nodes, workload: workload, fault: fault)
        self.apply = apply
    }
}

public enum Variants {
    public static let all: [Variant] = [
        Variant("v5.11", "what Linux 6.1 has") { _ in },
        Variant(
            "async", "before the patch: METADATA_UPDATED only sets a flag for raid1d", workload: "fail",
            fault: "I7"
        ) { program in
            program.perNode.append(.init(Flag.reloadSuperblock))
            program.replace(
                Procedure("process_metadata_update", locals: ["ret": 2], source: "md-cluster.c before v4.12") {
                    call("dlm_lock_sync", "res" <- Name.noNewDev, "mode" <- .cr, result: "ret")
                    atomic {
                        assign(Flag.reloadSuperblock, 1)
                        call("md_wakeup_thread")
                    }
                })
            program.insert(
                [
                    when_(.v(Flag.reloadSuperblock) == 1) {
                        atomic {
                            assign(Flag.reloadSuperblock, 0)
                            call("md_reload_sb")
                            assign(Name.reloaded, 0)
                        }
                    }
                ], into: "md_check_recovery", afterFirst: { $0 == when_(.v("got") == 0) { return_() } })
            program.change("md_check_recovery") { statement in
                if case .ifElse(let condition, let then, let other) = statement, condition == RaidThread.nothingToDo {
                    return [.ifElse(condition && .v(Flag.reloadSuperblock) == 0, then, other)]
                }
                return [statement]
            }
        },
        Variant(
            "naive-sync", "the handler always takes reconfig_mutex", workload: "fail", fault: "deadlock"
        ) { program in
            program.replace(
                Procedure("process_metadata_update", locals: ["ret": 2], source: "md-cluster.c, without the new bit") {
                    call("dlm_lock_sync", "res" <- Name.noNewDev, "mode" <- .cr, result: "ret")
                    mutex_lock(Mutex.reconfig)
                    call("md_reload_sb")
                    call("mddev_unlock")
                })
        },
        Variant(
            "no-holding-in-start", "metadata_update_start does not set HOLDING_MUTEX_FOR_RECVD", workload: "fail",
            fault: "deadlock"
        ) { program in
            program.change("metadata_update_start") { statement in
                if case .atomic(let body) = statement, body.contains(assign(Bit.holding, 1)) { return [] }
                return [statement]
            }
        },
        Variant(
            "no-holding-on-stop", "leave() does not set HOLDING_MUTEX_FOR_RECVD", workload: "fail/stop",
            fault: "deadlock"
        ) { program in program.change("leave") { $0 == assign(Bit.holding, 1) ? [] : [$0] } },
        Variant(
            "no-wakeup", "HOLDING_MUTEX_FOR_RECVD is set and nobody is woken", workload: "fail", fault: "deadlock"
        ) { program in
            for name in ["metadata_update_start", "lock_comm"] {
                program.change(name) { $0 == call("md_wakeup_thread") ? [] : [$0] }
            }
        },
        Variant(
            "v4.12", "the patch as first merged: the bit is set in lock_token, after the wait for SEND_LOCK",
            workload: "fail/resync,fail,remove", fault: "deadlock"
        ) { program in
            program.replace(
                Procedure(
                    "lock_token", parameters: ["mddev_locked"], locals: ["error": 2, "set_bit": 2],
                    source: "md-cluster.c: lock_token of v4.12"
                ) {
                    when_(.v("$mddev_locked") == 1) {
                        when_(.v(Bit.holding) == 0) {
                            assign(Bit.holding, 1)
                            call("md_wakeup_thread")
                            assign("set_bit", 1)
                        }
                    }
                    call("dlm_lock_sync", "res" <- Name.token, "mode" <- .ex, result: "error")
                    when_(.v("set_bit") == 1) { assign(Bit.holding, 0) }
                    when_(.v("error") != 0) { return_(1) }
                    mutex_lock(Mutex.receive)
                    return_(0)
                })
            program.replace(
                Procedure(
                    "lock_comm", parameters: ["mddev_locked"], locals: ["rv": 2],
                    source: "md-cluster.c: lock_comm of v4.12"
                ) {
                    wait_event(Queue.cinfo) { until(.v(Bit.sendLock) == 0) { assign(Bit.sendLock, 1) } }
                    call("lock_token", "mddev_locked" <- "$mddev_locked", result: "rv")
                    return_(.v("rv"))
                })
            program.change("metadata_update_start") { statement in
                statement == call("lock_token", result: "ret")
                    ? [call("lock_token", "mddev_locked" <- 1, result: "ret")] : [statement]
            }
        },
        timeLimit,
        Variant(
            "stop-order", "__md_stop ends the md thread before leave()", workload: "fail/stop", fault: "nobody sleeps"
        ) { program in
            program.replace(
                Procedure("__md_stop", source: "md.c: __md_stop after e151db8ecfb0") {
                    call("mddev_detach")
                    call("leave")
                })
        },
        Variant(
            "cr-cw", "the sender keeps CR on message and receivers ask for EX", nodes: 3, workload: "fail//",
            fault: "DLM refuses"
        ) { program in
            program.change("__sendmsg") { statement in
                guard case .atomic(let body) = statement else { return [statement] }
                return [
                    .atomic(
                        body.map { inner in
                            inner == call("dlm_lock_sync_now", "res" <- Name.message, "mode" <- .cw)
                                ? call("dlm_lock_sync_now", "res" <- Name.message, "mode" <- .cr) : inner
                        })
                ]
            }
            program.change("recv_daemon") { statement in
                statement == call("dlm_lock_sync", "res" <- Name.message, "mode" <- .pr, result: "error")
                    ? [call("dlm_lock_sync", "res" <- Name.message, "mode" <- .ex, result: "error")] : [statement]
            }
        },
        Variant(
            "newdisk-nack", "the handler of NEWDISK fails when nobody confirms, and ack stays held", workload: "add/",
            fault: "deadlock"
        ) { program in letNewDiskFail(&program) },
        Variant(
            "remove-eaten", "HOT_REMOVE_DISK does not wait for MD_RECOVERY_NEEDED", workload: "fail,remove/",
            fault: "I10"
        ) { program in
            for device in Device.all {
                program.change("hot_remove_disk(\(device.name))") { statement in
                    if case .wait = statement { return [] }
                    return [statement]
                }
            }
        },
        Variant(
            "resync-lock-early", "resync_finish gives the resync lock up before its last message", workload: "resync/",
            fault: "I12"
        ) { program in
            program.change("resync_finish") { statement in
                if case .call("dlm_lock_sync", _, _) = statement { return [] }
                if case .ifElse = statement {
                    return [call("dlm_lock_sync", "res" <- Name.resyncLock, "mode" <- .nl, result: "ret"), statement]
                }
                return [statement]
            }
        },
    ]

    static func letNewDiskFail(_ program: inout Program) {
        guard program.threads.contains(where: { $0.name == Name.confirm }) else { return }
        program.change("process_add_new_disk") { statement in
            guard case .wait(let alternatives, let idle) = statement else { return [statement] }
            return [
                .wait(
                    alternatives.map { alternative in
                        var changed = alternative
                        if alternative.isTimeout {
                            changed.effects = [assign(Bit.waitingForNewDisk, 0), return_(1)]
                        }
                        return changed
                    }, idle: idle)
            ]
        }
    }
}
