// SPDX-License-Identifier: GPL-2.0

/// Faults that change nothing that anyone could notice, and why.
enum HarmlessMutants {
    struct Reason: Sendable {
        var text: String
        /// The step that does the same, as a fault: without both something must notice.
        var backup: String?
    }

    /// By the names of faults.
    static let reasons = Dictionary(
        uniqueKeysWithValues: noError + protocolPart + superblock + resync + membership + perDevice)

    private typealias List = [(String, Reason)]

    private static func because(_ reason: String, backedBy backup: String? = nil, _ names: String...) -> List {
        names.map { ($0, Reason(text: reason, backup: backup)) }
    }

    private static let membership =
        because(
            "raid1d is not woken before the array runs, and does nothing without reconfig_mutex",
            "do_md_run(0): swap: mutex_lock(reconfig_mutex) with wake_up_process(md0_raid1)",
            "do_md_run(0): swap: wake_up_process(md0_raid1) with join(0)()")
        + because(
            "raid1d needs reconfig_mutex, and mddev_unlock wakes it again",
            "do_md_run(0): swap: load_bitmaps(0) with MD_RECOVERY_NEEDED = 1",
            "do_md_run(0): swap: MD_RECOVERY_NEEDED = 1 with md_wakeup_thread()",
            "do_md_run(0): drop: md_wakeup_thread()", "do_md_run(0): swap: md_wakeup_thread() with md_update_sb()")
        + because("the superblocks were just read: there is nothing to write", "do_md_run(0): drop: md_update_sb()")
        + because("do_md_run sets it behind load_bitmaps", "gather_all_resync_info(0): drop: MD_RECOVERY_NEEDED = 1")
        + because(
            "who asks for no-new-dev in EX has sent NEWDISK before, which this node does not answer before it has joined",
            "join(0): swap: ret = dlm_lock_sync(token, NL) with ret = dlm_lock_sync(no-new-dev, CR)",
            "join(0): swap: ret = dlm_lock_sync(no-new-dev, CR) with ret = dlm_lock_sync(bitmap0000, PW)")
        + because(
            "the recovery thread looks at the one, recv_daemon at the other",
            "leave: swap: HOLDING_MUTEX_FOR_RECVD = 1 with recover.should_stop = 1")
        + because(
            "the recovery thread needs nothing of recv_daemon to end",
            "leave: swap: wait(!running(md0_recover)) with md_unregister_thread_recv()")
        + because(
            "nothing that begins a resync looks at MD_RESYNCING_REMOTE",
            "recover_bitmaps(0): swap: recovery_cp = 1 with MD_RESYNCING_REMOTE = 0")
        + because(
            "only a message of its own, sent before another node's crash, is refused: nobody waits for the answer",
            "recv_daemon: always: if (ret == 0)")
        + because(
            "once more through a superblock in which nothing has changed; who suspends waits for the end of that, too",
            "md_check_recovery: always: if (MD_ALLOW_SB_UPDATE == 1 && (MD_SB_CHANGE_DEVS == 1 || MD_SB_CHANGE_PENDING == 1))"
        )
        + because(
            "what was flagged before is still flagged, and mddev_unlock has raid1d look at it",
            "suspend_lo_store: drop: MD_RECOVERY_NEEDED = 1", "suspend_lo_store: drop: md_wakeup_thread()")
        + because(
            "when leave() begins, nobody of the node sends or receives: both are NL",
            "leave: drop: dlm_lock_sync_now(message, NL)", "leave: drop: dlm_lock_sync_now(token, NL)")
        + because(
            "resync_finish has given it up, or the wait for it was cancelled, which the model does in one step",
            "leave: drop: dlm_lock_sync_now(resync, NL)")

    private static let noError =
        because(
            "conversions without a time limit do not fail, so the other branch is never taken",
            "sendmsg: always: if (ret == 0)", "md_update_sb: always: if (ret == 0)",
            "update_size: always: if (error == 0)",
            "remove_disk: always: if (ret == 0)")
        + Device.all.flatMap {
            because(
                "conversions without a time limit do not fail, so the other branch is never taken",
                "state_store(\($0.name), re-add): always: if (ret == 0)")
        }

    private static let protocolPart =
        because(
            "who calls lock_comm(1) holds reconfig_mutex, so the bit is never set there",
            "lock_comm: always: if (HOLDING_MUTEX_FOR_RECVD == 0)")
        + because("set_bit is the thread's own", "lock_comm: swap: md_wakeup_thread() with set_bit = 1")
        + because(
            "whoever could see the bit needs reconfig_mutex, which the caller holds",
            "metadata_update_finish: swap: __sendmsg(METADATA_UPDATED, 0) with SEND_LOCKED_ALREADY = 0",
            "metadata_update_finish: swap: SEND_LOCKED_ALREADY = 0 with unlock_comm()",
            "metadata_update_cancel: swap: SEND_LOCKED_ALREADY = 0 with unlock_comm()",
            "add_new_disk: drop: wake_up(cinfo->wait)")
        + because(
            "metadata_update_start has cleared it: SEND_LOCK is set as long as the bit is",
            "metadata_update_finish: drop: SEND_LOCKED_ALREADY = 0")
        + because(
            "metadata_update_start has cleared it: SEND_LOCK is set as long as the bit is",
            backedBy: "metadata_update_start: drop: SEND_LOCKED_ALREADY = 0",
            "metadata_update_cancel: drop: SEND_LOCKED_ALREADY = 0")
        + because(
            "metadata_update_finish or metadata_update_cancel follows and clears it",
            backedBy: "metadata_update_cancel: drop: SEND_LOCKED_ALREADY = 0",
            "metadata_update_start: drop: SEND_LOCKED_ALREADY = 0")
        + because(
            "recv_daemon then waits a little longer for recv_mutex, whose holder waits for nothing",
            "unlock_comm: swap: mutex_unlock(recv_mutex) with ret = dlm_lock_sync(token, NL)")
        + because(
            "only a note for I7; md_reload_sb sets it before each time that it is asked for",
            "recv_daemon: drop: recv.reloaded = 0")
        + because("only a note for I3; it weakens the rule, not the protocol", "recv_daemon: drop: recv.handled = 0")
        + because(
            "only taken when the md thread is gone, which leave() makes impossible",
            "process_metadata_update: drop: ret = dlm_lock_sync(no-new-dev, NL)")
        + because(
            "one more pass at the beginning finds nothing to do",
            "raid1d: swap: wait(raid1d.should_stop == 1 || raid1d.THREAD_WAKEUP == 1) with md_check_recovery()")
        + because(
            "process_metadata_update looks at it, but leave() has ended recv_daemon before",
            "mddev_detach: swap: wait(!running(md0_raid1)) with mddev->thread.gone = 1",
            "mddev_detach: drop: mddev->thread.gone = 1")
        + because("the limit of 5 seconds ends the wait", "new_disk_ack: drop: newdisk_completion = 1")
        + because(
            "mddev_unlock wakes the thread too", "do_md_stop: drop: md_wakeup_thread()",
            "action_store(resync): drop: md_wakeup_thread()", "remove_disk: drop: md_wakeup_thread()")

    private static let superblock =
        because(
            "one more look at the superblock finds nothing to change",
            "md_check_recovery: always: if (MD_SB_CHANGE_DEVS == 1 || MD_SB_CHANGE_PENDING == 1)",
            "__md_stop_writes: always: if (MD_SB_CHANGE_DEVS == 1 || MD_SB_CHANGE_PENDING == 1)")
        + because(
            "what is to be written is looked at behind both",
            "md_update_sb: swap: MD_SB_CHANGE_DEVS = 0 with ret = metadata_update_start()")
        + because(
            "raid1d finds MD_SB_CHANGE_DEVS and comes again; I/O that waits for MD_SB_CHANGE_PENDING is left out",
            "md_update_sb: always: if (MD_SB_CHANGE_DEVS == 0)")
        + because(
            "MD_RECOVERY_NEEDED and the other one of the two flags are set too; I/O that waits for them is left out",
            "md_error: drop: MD_SB_CHANGE_DEVS = 1", "md_error: drop: MD_SB_CHANGE_PENDING = 1")
        + because("only makes a resync go on that is begun anew otherwise", "md_error: drop: MD_RECOVERY_INTR = 1")
        + because("a device that is gone has no role", "remove_disk: drop: MD_SB_CHANGE_DEVS = 1")
        + because(
            "a faulty device that leaves its slot has the same role as before",
            "md_check_recovery: drop: removed = 1", "md_check_recovery: always: if (removed == 1)",
            "md_check_recovery: drop: MD_SB_CHANGE_DEVS = 1", "md_check_recovery: drop: removed = 0")
        + because("the same size is announced once more", "update_size_store: always: if (dev_sectors == 0)")
        + because(
            "md_update_sb has sent METADATA_UPDATED already",
            "update_size: drop: __sendmsg(METADATA_UPDATED, 0)",
            "update_size: swap: __sendmsg(METADATA_UPDATED, 0) with __sendmsg(CHANGE_CAPACITY, 0)")
        + because(
            "this node's capacity is its own affair",
            "update_size: swap: __sendmsg(CHANGE_CAPACITY, 0) with capacity = dev_sectors",
            "update_size: swap: capacity = dev_sectors with unlock_comm()")

    private static let resync =
        because(
            "the node that has the resync lock is told of nobody else's resync",
            "resync_finish: drop: MD_RESYNCING_REMOTE = 0")
        + because(
            "the others stop keeping clear before somebody goes on with the resync; there is no I/O to be hurt",
            "resync_finish: always: if (MD_CLOSING == 0)", "do_md_stop: drop: MD_CLOSING = 1",
            "do_md_stop: swap: MD_CLOSING = 1 with mutex_lock(reconfig_mutex)")
        + because(
            "nothing waits for a remote resync's end: recovery onto a spare is left out",
            "process_suspend_info: drop: MD_RECOVERY_NEEDED = 1")
        + because(
            "setting MD_RECOVERY_DONE is the last thing that the thread does",
            "md_check_recovery: drop: wait(!running(md0_resync))",
            "md_check_recovery: swap: wait(!running(md0_resync)) with md_reap_sync_thread()")
        + because(
            "md_check_recovery and md_reap_sync_thread both clear it",
            "md_check_recovery: drop: MD_RECOVERY_DONE = 0", "md_reap_sync_thread: drop: MD_RECOVERY_DONE = 0")
        + because(
            "md_do_sync has set MD_SB_CHANGE_DEVS, so raid1d's next pass does it",
            "md_reap_sync_thread: drop: md_update_sb()")
        + because(
            "resync_finish once more does nothing: the window is over, the lock is NL",
            "md_reap_sync_thread: drop: MD_CLUSTER_RESYNC_LOCKED = 0", "md_reap_sync_thread: always: if (locked == 1)")
        + because(
            "\"flag recovery needed just to double check\" (md.c)", "md_reap_sync_thread: drop: MD_RECOVERY_NEEDED = 1")
        + because(
            "md_reap_sync_thread writes the superblock in any case", "md_do_sync: drop: MD_SB_CHANGE_DEVS = 1",
            "md_do_sync: drop: MD_SB_CHANGE_PENDING = 1")
        + because(
            "a resync has one window: an interrupt comes before it or too late to matter",
            "md_do_sync: always: if (MD_RECOVERY_INTR == 0)")
        + because(
            "the resync ends by itself", "do_md_stop: always: if (MD_RECOVERY_RUNNING == 1)",
            "do_md_stop: drop: MD_RECOVERY_INTR = 1")
        + because("the others look for bits and find none", "leave: always: if (recovery_cp == 1)")

    private static let perDevice =
        Device.all.flatMap { device -> List in
            because(
                "REMOVE is sent only for what is there", "process_remove_disk: always: if (\(device.state) != 3)")
                + because(
                    "RE_ADD is sent only for what is faulty",
                    "process_readd_disk: always: if (\(device.state) == 1 || \(device.state) == 2)")
                + because(
                    "the flag stays set, as in docs/findings.md, so the rule that tells is left out; the device is gone",
                    "md_check_recovery: drop: \(device.clusterRemove) = 0")
                + because(
                    "does what the reference forgets (docs/findings.md)",
                    "md_check_recovery: always: if (\(device.state) == 2 || \(device.state) == 4)")
                + because(
                    "what is neither working nor faulty has no role", "md_update_sb: always: if (\(device.state) == 0)")
                + because(
                    "this is the variant remove-eaten; the reference forgets too, so the rule that tells is left out",
                    "hot_remove_disk(\(device.name)): drop: wait(MD_RECOVERY_NEEDED == 0 || timeout)",
                    "hot_remove_disk(\(device.name)): swap: wait(MD_RECOVERY_NEEDED == 0 || timeout) with mutex_lock(reconfig_mutex)"
                )
                + because(
                    "recovery onto the device is left out",
                    "state_store(\(device.name), re-add): drop: MD_RECOVERY_NEEDED = 1",
                    "md_add_new_disk(\(device.name)): drop: MD_RECOVERY_NEEDED = 1")
                + because(
                    "mddev_unlock wakes the thread too",
                    "state_store(\(device.name), re-add): drop: md_wakeup_thread()",
                    "md_add_new_disk(\(device.name)): drop: md_wakeup_thread()")
        }
        + because(
            "a removal is then forgotten more often than in docs/findings.md, so the rule that tells is left out",
            "process_remove_disk: drop: MD_RECOVERY_NEEDED = 1")
}
