// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol

/// The words of md-cluster.c, one automaton per role. Each line follows the function named above it.
extension WordAutomaton {
    /// Everything but the receive thread, on token, message, ack and no-new-dev: MD_CLUSTER_SEND_LOCK makes it one
    /// sequence a node, over thread changes too (`add_new_disk` begins what the md thread's `metadata_update_finish`
    /// ends).
    static let sender = WordAutomaton(
        role: "sender", start: "unborn", rest: ["unborn", "idle", "gone"],
        [
            // join()
            "unborn: message NL (new) -> join1",
            "join1: token NL (new) -> join2",
            "join2: no-new-dev NL (new) -> join3",
            "join3: token EX -> join4",
            "join4: ack NL (new) -> join5",
            "join5: ack CR -> join6",
            "join6: token NL -> join7",
            "join7: no-new-dev CR -> idle",
            // join() that fails: the error path frees what there is.
            "join1: message unlock -> unborn",
            "join2: message unlock -> failed",
            "join3: message unlock -> failed",
            "join4: message unlock -> failed",
            "join5: message unlock -> failed",
            "join7: message unlock -> failed",
            "failed: token unlock -> failed | ack unlock -> failed | no-new-dev unlock -> unborn",
            // lock_token() of lock_comm() and metadata_update_start()
            "idle: token EX -> token",
            // metadata_update_cancel(), or unlock_comm() after a message
            "token: token NL -> idle",
            // __sendmsg()
            "token: message EX -> message written",
            "message written: message CW -> message offered",
            "message offered: ack EX -> acknowledged",
            "acknowledged: ack CR -> ack back",
            "ack back: message NL -> token",
            // add_new_disk(), after its NEWDISK: EX with NOQUEUE, and CR when it was granted
            "token: no-new-dev EX -> asked for no-new-dev",
            "asked for no-new-dev: no-new-dev CR -> token | no-new-dev refused -> refused",
            // a node that does not see the disk: unlock_comm()
            "refused: token NL -> idle",
            // leave()
            "idle: message unlock -> leave1",
            "leave1: token unlock -> leave2",
            "leave2: ack unlock -> leave3",
            "leave3: no-new-dev unlock -> gone",
            "gone: message NL (new) -> join1",
        ])

    /// The state of `receiver` in which process_add_new_disk() waits for the answer.
    static let reading: State = "reading"

    /// recv_daemon() and the process_ functions that it calls.
    static let receiver = WordAutomaton(
        role: "receiver", start: "idle", rest: ["idle"],
        [
            "idle: message CR -> reading",
            // process_metadata_update(); NL when the array has no thread (f150e753cb8d)
            "reading: no-new-dev CR -> reloading",
            "reloading: no-new-dev NL -> read",
            "reading: ack NL -> acked",
            "reloading: ack NL -> acked",
            "read: ack NL -> acked",
            // process_recvd_msg() refused the message: the ack stays
            "reading: message NL -> idle",
            "acked: message PR -> waited",
            "waited: ack CR -> ack back",
            "ack back: message NL -> idle",
        ])

    /// `resync`: resync_start() and resync_finish().
    static let resync = WordAutomaton(
        role: "resync", start: "unborn", rest: ["unborn", "idle", "held", "cancelled"],
        [
            "unborn: resync NL (new) -> idle",
            "idle: resync EX -> held",
            "held: resync NL -> idle",
            "held: resync cancel -> cancelled",
            // The grant may win against the cancel: the lock is EX or NL then.
            "cancelled: resync EX -> held | resync NL -> idle",
            "idle: resync unlock -> unborn",
            "cancelled: resync unlock -> unborn",
        ])

    /// One lkb of a bitmap lock: the node's own for life (join, resync_info_update), another slot's for a moment
    /// (gather_all_resync_info, cluster_check_sync_size, resize_bitmaps, lock_all_bitmaps, recover_bitmaps).
    static func bitmap(_ resource: LockResource) -> WordAutomaton {
        let name = resource.rawValue
        return WordAutomaton(
            role: name, start: "unborn", rest: ["unborn", "new", "held", "cancelled", "refused"],
            [
                "unborn: \(name) NL (new) -> new",
                // gather_all_resync_info() frees the lock of its own slot unused.
                "new: \(name) PW -> held | \(name) unlock -> unborn",
                "held: \(name) PW -> held | \(name) unlock -> unborn | \(name) cancel -> cancelled",
                "cancelled: \(name) unlock -> unborn",
                "held: \(name) refused -> refused",
                "refused: \(name) unlock -> unborn",
                // read_resync_info()
                "refused: \(name) CR -> reading",
                "reading: \(name) NL -> read",
                "read: \(name) unlock -> unborn",
            ])
    }
}
