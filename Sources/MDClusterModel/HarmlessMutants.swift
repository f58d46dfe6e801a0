// SPDX-License-Identifier: GPL-2.0
import ProcedureModel

/// Faults that change nothing that anyone could notice, and why. `mdlab model mutate` prints the identity of a fault
/// that is in need of a reason.
enum HarmlessMutants {
    struct Reason: Sendable {
        var text: String
        /// The step that does the same, as a fault: without both something must notice.
        var backup: MutantIdentity?
    }

    static let reasons = Dictionary(
        uniqueKeysWithValues: noError + protocolPart + superblock + resync + membership + perDevice)

    private typealias List = [(MutantIdentity, Reason)]

    private static func because(
        _ reason: String, backedBy backup: MutantIdentity? = nil, _ places: [MutantIdentity]...
    ) -> List {
        places.joined().map { ($0, Reason(text: reason, backup: backup)) }
    }

    private static func at(_ procedure: String, _ changes: String...) -> [MutantIdentity] {
        changes.map { MutantIdentity(procedure: procedure, change: $0) }
    }

    private static let membership =
        because(
            "raid1d is not woken before the array runs, and does nothing without reconfig_mutex",
            at(
                "do_md_run(0)", "(swap (lock reconfig_mutex) (start md0_raid1))",
                "(swap (start md0_raid1) (call |join(0)|))"))
        + because(
            "raid1d needs reconfig_mutex, and mddev_unlock wakes it again",
            at(
                "do_md_run(0)", "(swap (call load_bitmaps (slot 0)) (set MD_RECOVERY_NEEDED 1))",
                "(swap (set MD_RECOVERY_NEEDED 1) (call md_wakeup_thread))", "(drop (call md_wakeup_thread))",
                "(swap (call md_wakeup_thread) (call md_update_sb))"))
        + because(
            "the superblocks were just read: there is nothing to write",
            at("do_md_run(0)", "(drop (call md_update_sb))"))
        + because(
            "do_md_run sets it behind load_bitmaps",
            at("gather_all_resync_info(0)", "(drop (set MD_RECOVERY_NEEDED 1))"))
        + because(
            "who asks for no-new-dev in EX has sent NEWDISK before, which this node does not answer before it has joined",
            at(
                "join(0)",
                "(swap (let ret (call dlm_lock_sync (res token) (mode 0))) (let ret (call dlm_lock_sync (res no-new-dev) (mode 1))))",
                "(swap (let ret (call dlm_lock_sync (res no-new-dev) (mode 1))) (let ret (call dlm_lock_sync (res bitmap0000) (mode 4))))"
            ))
        + because(
            "the recovery thread looks at the one, recv_daemon at the other",
            at("leave", "(swap (set HOLDING_MUTEX_FOR_RECVD 1) (set recover.should_stop 1))"))
        + because(
            "the recovery thread needs nothing of recv_daemon to end",
            at("leave", "(swap (wait (not (running md0_recover))) (call md_unregister_thread_recv))"))
        + because(
            "nothing that begins a resync looks at MD_RESYNCING_REMOTE",
            at("recover_bitmaps(0)", "(swap (set recovery_cp 1) (set MD_RESYNCING_REMOTE 0))"))
        + because(
            "only a message of its own, sent before another node's crash, is refused: nobody waits for the answer",
            at("recv_daemon", "(always (= ret 0))"))
        + because(
            "once more through a superblock in which nothing has changed; who suspends waits for the end of that, too",
            at(
                "md_check_recovery",
                "(always (and (= MD_ALLOW_SB_UPDATE 1) (or (= MD_SB_CHANGE_DEVS 1) (= MD_SB_CHANGE_PENDING 1))))"))
        + because(
            "what was flagged before is still flagged, and mddev_unlock has raid1d look at it",
            at("suspend_lo_store", "(drop (set MD_RECOVERY_NEEDED 1))", "(drop (call md_wakeup_thread))"))
        + because(
            "when leave() begins, nobody of the node sends or receives: both are NL",
            at(
                "leave", "(drop (call dlm_lock_sync_now (res message) (mode 0)))",
                "(drop (call dlm_lock_sync_now (res token) (mode 0)))"))
        + because(
            "resync_finish has given it up, or the wait for it was cancelled, which the model does in one step",
            at("leave", "(drop (call dlm_lock_sync_now (res resync) (mode 0)))"))

    private static let noError =
        because(
            "conversions without a time limit do not fail, so the other branch is never taken",
            at("sendmsg", "(always (= ret 0))"),
            at("md_update_sb", "(always (= ret 0))"),
            at("update_size", "(always (= error 0))"),
            at("remove_disk", "(always (= ret 0))"))
        + Device.all.flatMap {
            because(
                "conversions without a time limit do not fail, so the other branch is never taken",
                at("state_store(\($0.name), re-add)", "(always (= ret 0))"))
        }

    private static let protocolPart =
        because(
            "who calls lock_comm(1) holds reconfig_mutex, so the bit is never set there",
            at("lock_comm", "(always (= HOLDING_MUTEX_FOR_RECVD 0))"))
        + because(
            "set_bit is the thread's own", at("lock_comm", "(swap (call md_wakeup_thread) (set set_bit 1))"))
        + because(
            "whoever could see the bit needs reconfig_mutex, which the caller holds",
            at(
                "metadata_update_finish", "(swap (call __sendmsg (type 0) (arg 0)) (set SEND_LOCKED_ALREADY 0))",
                "(swap (set SEND_LOCKED_ALREADY 0) (call unlock_comm))"),
            at("metadata_update_cancel", "(swap (set SEND_LOCKED_ALREADY 0) (call unlock_comm))"),
            at("add_new_disk", "(drop (wake-up cinfo->wait))"))
        + because(
            "metadata_update_start has cleared it: SEND_LOCK is set as long as the bit is",
            at("metadata_update_finish", "(drop (set SEND_LOCKED_ALREADY 0))"))
        + because(
            "metadata_update_start has cleared it: SEND_LOCK is set as long as the bit is",
            backedBy: MutantIdentity(procedure: "metadata_update_start", change: "(drop (set SEND_LOCKED_ALREADY 0))"),
            at("metadata_update_cancel", "(drop (set SEND_LOCKED_ALREADY 0))"))
        + because(
            "metadata_update_finish or metadata_update_cancel follows and clears it",
            backedBy: MutantIdentity(procedure: "metadata_update_cancel", change: "(drop (set SEND_LOCKED_ALREADY 0))"),
            at("metadata_update_start", "(drop (set SEND_LOCKED_ALREADY 0))"))
        + because(
            "recv_daemon then waits a little longer for recv_mutex, whose holder waits for nothing",
            at("unlock_comm", "(swap (unlock recv_mutex) (let ret (call dlm_lock_sync (res token) (mode 0))))"))
        + because(
            "only a note for I7; md_reload_sb sets it before each time that it is asked for",
            at("recv_daemon", "(drop (set recv.reloaded 0))"))
        + because(
            "only a note for I3; it weakens the rule, not the protocol",
            at("recv_daemon", "(drop (set recv.handled 0))"))
        + because(
            "only taken when the md thread is gone, which leave() makes impossible",
            at("process_metadata_update", "(drop (let ret (call dlm_lock_sync (res no-new-dev) (mode 0))))"))
        + because(
            "one more pass at the beginning finds nothing to do",
            at("raid1d", "(swap (rest (= raid1d.should_stop 1) (= raid1d.THREAD_WAKEUP 1)) (call md_check_recovery))"))
        + because(
            "process_metadata_update looks at it, but leave() has ended recv_daemon before",
            at(
                "mddev_detach", "(swap (wait (not (running md0_raid1))) (set mddev->thread.gone 1))",
                "(drop (set mddev->thread.gone 1))"))
        + because(
            "the limit of 5 seconds ends the wait", at("new_disk_ack", "(drop (set newdisk_completion 1))"))
        + because(
            "mddev_unlock wakes the thread too", at("do_md_stop", "(drop (call md_wakeup_thread))"),
            at("action_store(resync)", "(drop (call md_wakeup_thread))"),
            at("remove_disk", "(drop (call md_wakeup_thread))"))

    private static let superblock =
        because(
            "one more look at the superblock finds nothing to change",
            at("md_check_recovery", "(always (or (= MD_SB_CHANGE_DEVS 1) (= MD_SB_CHANGE_PENDING 1)))"),
            at("__md_stop_writes", "(always (or (= MD_SB_CHANGE_DEVS 1) (= MD_SB_CHANGE_PENDING 1)))"))
        + because(
            "what is to be written is looked at behind both",
            at("md_update_sb", "(swap (set MD_SB_CHANGE_DEVS 0) (let ret (call metadata_update_start)))"))
        + because(
            "raid1d finds MD_SB_CHANGE_DEVS and comes again; I/O that waits for MD_SB_CHANGE_PENDING is left out",
            at("md_update_sb", "(always (= MD_SB_CHANGE_DEVS 0))"))
        + because(
            "MD_RECOVERY_NEEDED and the other one of the two flags are set too; I/O that waits for them is left out",
            at("md_error", "(drop (set MD_SB_CHANGE_DEVS 1))", "(drop (set MD_SB_CHANGE_PENDING 1))"))
        + because(
            "only makes a resync go on that is begun anew otherwise", at("md_error", "(drop (set MD_RECOVERY_INTR 1))"))
        + because(
            "a device that is gone has no role", at("remove_disk", "(drop (set MD_SB_CHANGE_DEVS 1))"))
        + because(
            "a faulty device that leaves its slot has the same role as before",
            at(
                "md_check_recovery", "(drop (set removed 1))", "(always (= removed 1))",
                "(drop (set MD_SB_CHANGE_DEVS 1))", "(drop (set removed 0))"))
        + because(
            "the same size is announced once more", at("update_size_store", "(always (= dev_sectors 0))"))
        + because(
            "md_update_sb has sent METADATA_UPDATED already",
            at(
                "update_size", "(drop (call __sendmsg (type 0) (arg 0)))",
                "(swap (call __sendmsg (type 0) (arg 0)) (call __sendmsg (type 6) (arg 0)))"))
        + because(
            "this node's capacity is its own affair",
            at(
                "update_size", "(swap (call __sendmsg (type 6) (arg 0)) (set capacity dev_sectors))",
                "(swap (set capacity dev_sectors) (call unlock_comm))"))

    private static let resync =
        because(
            "the node that has the resync lock is told of nobody else's resync",
            at("resync_finish", "(drop (set MD_RESYNCING_REMOTE 0))"))
        + because(
            "the others stop keeping clear before somebody goes on with the resync; there is no I/O to be hurt",
            at("resync_finish", "(always (= MD_CLOSING 0))"),
            at("do_md_stop", "(drop (set MD_CLOSING 1))", "(swap (set MD_CLOSING 1) (lock reconfig_mutex))"))
        + because(
            "nothing waits for a remote resync's end: recovery onto a spare is left out",
            at("process_suspend_info", "(drop (set MD_RECOVERY_NEEDED 1))"))
        + because(
            "setting MD_RECOVERY_DONE is the last thing that the thread does",
            at(
                "md_check_recovery", "(drop (wait (not (running md0_resync))))",
                "(swap (wait (not (running md0_resync))) (call md_reap_sync_thread))"))
        + because(
            "md_check_recovery and md_reap_sync_thread both clear it",
            at("md_check_recovery", "(drop (set MD_RECOVERY_DONE 0))"),
            at("md_reap_sync_thread", "(drop (set MD_RECOVERY_DONE 0))"))
        + because(
            "md_do_sync has set MD_SB_CHANGE_DEVS, so raid1d's next pass does it",
            at("md_reap_sync_thread", "(drop (call md_update_sb))"))
        + because(
            "resync_finish once more does nothing: the window is over, the lock is NL",
            at("md_reap_sync_thread", "(drop (set MD_CLUSTER_RESYNC_LOCKED 0))", "(always (= locked 1))"))
        + because(
            "\"flag recovery needed just to double check\" (md.c)",
            at("md_reap_sync_thread", "(drop (set MD_RECOVERY_NEEDED 1))"))
        + because(
            "md_reap_sync_thread writes the superblock in any case",
            at("md_do_sync", "(drop (set MD_SB_CHANGE_DEVS 1))", "(drop (set MD_SB_CHANGE_PENDING 1))"))
        + because(
            "a resync has one window: an interrupt comes before it or too late to matter",
            at("md_do_sync", "(always (= MD_RECOVERY_INTR 0))"))
        + because(
            "the resync ends by itself",
            at("do_md_stop", "(always (= MD_RECOVERY_RUNNING 1))", "(drop (set MD_RECOVERY_INTR 1))"))
        + because(
            "the others look for bits and find none", at("leave", "(always (= recovery_cp 1))"))

    private static let perDevice =
        Device.all.flatMap { device -> List in
            because(
                "REMOVE is sent only for what is there",
                at("process_remove_disk", "(always (not (= \(device.state) 3)))"))
                + because(
                    "RE_ADD is sent only for what is faulty",
                    at("process_readd_disk", "(always (or (= \(device.state) 1) (= \(device.state) 2)))"))
                + because(
                    "the flag stays set, as in docs/findings.md, so the rule that tells is left out; the device is gone",
                    at("md_check_recovery", "(drop (set \(device.clusterRemove) 0))"))
                + because(
                    "does what the reference forgets (docs/findings.md)",
                    at("md_check_recovery", "(always (or (= \(device.state) 2) (= \(device.state) 4)))"))
                + because(
                    "what is neither working nor faulty has no role",
                    at("md_update_sb", "(always (= \(device.state) 0))"))
                + because(
                    "this is the variant remove-eaten; the reference forgets too, so the rule that tells is left out",
                    at(
                        "hot_remove_disk(\(device.name))", "(drop (wait (= MD_RECOVERY_NEEDED 0) (timeout 1)))",
                        "(swap (wait (= MD_RECOVERY_NEEDED 0) (timeout 1)) (lock reconfig_mutex))"))
                + because(
                    "recovery onto the device is left out",
                    at("state_store(\(device.name), re-add)", "(drop (set MD_RECOVERY_NEEDED 1))"),
                    at("md_add_new_disk(\(device.name))", "(drop (set MD_RECOVERY_NEEDED 1))"))
                + because(
                    "mddev_unlock wakes the thread too",
                    at("state_store(\(device.name), re-add)", "(drop (call md_wakeup_thread))"),
                    at("md_add_new_disk(\(device.name))", "(drop (call md_wakeup_thread))"))
        }
        + because(
            "a removal is then forgotten more often than in docs/findings.md, so the rule that tells is left out",
            at("process_remove_disk", "(drop (set MD_RECOVERY_NEEDED 1))"))
}
