// SPDX-License-Identifier: GPL-2.0

/// Faults that change nothing that anyone could notice, and why. A name or its end is looked for.
enum HarmlessMutants {
    static func reason(for name: String) -> String? {
        exact[name] ?? endings.first { name.hasSuffix($0.ending) }?.reason
    }

    private static let endings: [(ending: String, reason: String)] = [
        ("always: if (ret == 0)", "conversions without a time limit do not fail, so the other branch is never taken"),
        ("always: if (error == 0)", "conversions without a time limit do not fail, so the other branch is never taken"),
    ]

    private static let exact: [String: String] = [
        "lock_comm: always: if (HOLDING_MUTEX_FOR_RECVD == 0)":
            "who calls lock_comm(1) holds reconfig_mutex, so the bit is never set there",
        "lock_comm: swap: md_wakeup_thread() with set_bit = 1": "set_bit is the thread's own",
        "recv_daemon: drop: recv.reloaded = 0":
            "only a note for I7; md_reload_sb sets it before each time that it is asked for",
        "recv_daemon: drop: recv.handled = 0": "only a note for I3; it weakens the rule, not the protocol",
        "recv_daemon: swap: recv.handled = 0 with error = dlm_lock_sync(ack, CR)": "only a note for I3",
        "process_metadata_update: drop: ret = dlm_lock_sync(no-new-dev, NL)":
            "only taken when the md thread is gone, which leave() makes impossible",
        "metadata_update_finish: swap: SEND_LOCKED_ALREADY = 0 with unlock_comm()":
            "whoever could see the bit needs reconfig_mutex, which the caller holds",
        "metadata_update_start: drop: SEND_LOCKED_ALREADY = 0":
            "metadata_update_finish or metadata_update_cancel follows and clears it",
        "unlock_comm: swap: mutex_unlock(recv_mutex) with ret = dlm_lock_sync(token, NL)":
            "recv_daemon then waits a little longer for recv_mutex, whose holder waits for nothing",
        "raid1d: swap: wait(raid1d.should_stop == 1 || raid1d.THREAD_WAKEUP == 1) with md_check_recovery()":
            "one more pass at the beginning finds nothing to do",
    ]
}
