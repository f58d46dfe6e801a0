// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import RunRecord
import Testing

@testable import Conformance

private let recv = Cluster.recv

@Suite struct HangCheckTests {
    /// node2 sends METADATA_UPDATED and waits for node1's ack; node1's md thread waits for the token with
    /// reconfig_mutex held, and its receive thread for that mutex.
    private func noHoldingInStart(memory: Bool) -> MomentBuilder {
        var cluster = MomentBuilder([node1, node2], memory: memory)
        cluster.thread(
            node1, "md0_raid1",
            "dlm_lock_sync <- metadata_update_start <- md_update_sb <- md_check_recovery <- raid1d <- md_thread")
        cluster.thread(node1, recv, "recv_daemon <- md_thread")
        cluster.mutex(node1, reconfig: "md0_raid1", receive: recv, state: .sendLock)
        cluster.thread(
            node2, "md0_raid1",
            "dlm_lock_sync <- __sendmsg <- metadata_update_finish <- md_update_sb <- md_check_recovery <- raid1d <- md_thread"
        )
        cluster.idle(node2, recv)
        cluster.mutex(node2, reconfig: "md0_raid1", receive: "md0_raid1", state: .sendLock)
        cluster.lock(node1, .token, .nl, asks: .ex)
        cluster.lock(node2, .token, .ex)
        cluster.lock(node1, .ack, .cr)
        cluster.lock(node2, .ack, .cr, asks: .ex)
        cluster.lock(node1, .message, .cr)
        cluster.lock(node2, .message, .cw)
        return cluster
    }

    @Test(arguments: [true, false]) func withoutTheBitTheCycleIsNamed(memory: Bool) {
        let result = HangCheck.result(noHoldingInStart(memory: memory).twice, hung: true)
        #expect(result.answer == .fails)
        #expect(result.findings.count == 1)
        #expect(result.findings[0].text == "3 threads of node1, node2 wait for each other in a cycle")
        #expect(
            result.findings[0].details == [
                "node1 md0_raid1: dlm_lock_sync(token, EX) <- metadata_update_start <- md_update_sb <- md_check_recovery <- raid1d "
                    + "waits for node2 md0_raid1, which holds token EX",
                "node2 md0_raid1: dlm_lock_sync(ack, EX) <- __sendmsg <- metadata_update_finish <- md_update_sb <- md_check_recovery "
                    + "waits for node1 md0_cluster_rec, which has not let go of ack CR",
                "node1 md0_cluster_rec: recv_daemon waits for reconfig_mutex, held by node1 md0_raid1 "
                    + (memory
                        ? "(HOLDING_MUTEX_FOR_RECVD is clear)"
                        : "(HOLDING_MUTEX_FOR_RECVD not read), as the stacks say"),
            ])
    }

    @Test func withoutLockTablesTheStacksAreEnough() {
        var cluster = noHoldingInStart(memory: false)
        for index in cluster.moment.nodes.indices { cluster.moment.nodes[index].locks = nil }
        let result = HangCheck.result(cluster.twice, hung: true)
        #expect(result.answer == .fails)
        #expect(result.findings[0].details.count == 3)
        #expect(result.findings[0].details[0].contains("as the stacks say; DLM's lock tables were not read"))
        #expect(result.seen[0].hasSuffix("DLM's lock tables were not read"))
    }

    @Test func aCycleSeenOnceIsNotDecided() {
        let first = noHoldingInStart(memory: true)
        let once = HangCheck.result([first.moment], hung: true)
        #expect(once.answer == .notDecided)
        #expect(once.findings[0].text.contains("seen in the snapshots \"hang-1\" only"))

        // A second set in which the threads got on: other stacks.
        var moved = first.twice
        moved[1].nodes[0].threads[0].stack = [
            "__schedule+0x1/0x2", "md_super_wait+0x1/0x2 [md_mod]", "md_update_sb+0x1/0x2 [md_mod]",
        ]
        let second = HangCheck.result(moved, hung: true)
        #expect(second.answer == .notDecided)
        #expect(second.findings[0].text.hasPrefix("the run stood still"))
        #expect(
            second.findings[0].details.contains("node1 md0_raid1-100: md_super_wait <- md_update_sb <- kthread")
                == false)
        #expect(second.findings[0].details.contains("node1 md0_raid1-100: md_super_wait <- md_update_sb"))
    }

    /// The watchdog suspected something, and the run went on to its end.
    @Test func aSuspicionThatCameToNothingIsOver() {
        var sets = noHoldingInStart(memory: true).twice
        for place in sets[1].nodes[0].locks!.indices { sets[1].nodes[0].locks![place].age = 0.01 }
        var quiet = MomentBuilder([node1, node2], memory: true).moment
        quiet.label = "final"
        #expect(HangCheck.result(sets + [quiet], hung: false).answer == .holds)
        #expect(HangCheck.result(sets + [quiet], hung: true).answer == .notDecided)
        // But one that two sets confirmed is not, even if a timeout in the kernel ended it.
        quiet.time = 60
        #expect(HangCheck.result(noHoldingInStart(memory: true).twice + [quiet], hung: false).answer == .fails)
    }

    /// The same stacks, but the lock was asked for anew: a thread that sends one message after the other.
    @Test func aNewRequestWithTheSameStackIsNoHang() {
        var sets = noHoldingInStart(memory: true).twice
        for place in sets[1].nodes[0].locks!.indices { sets[1].nodes[0].locks![place].age = 0.01 }
        #expect(HangCheck.result(sets, hung: true).answer == .notDecided)
    }

    /// bca5b0658020: the resync thread has SEND_LOCK and waits for the token, mdadm has reconfig_mutex and waits for
    /// SEND_LOCK with the bit clear.
    @Test(arguments: [true, false]) func theDeadlockOfV412IsNamed(memory: Bool) {
        var cluster = MomentBuilder([node1, node2], memory: memory)
        cluster.thread(
            node1, "md0_raid1",
            "dlm_lock_sync <- __sendmsg <- metadata_update_finish <- md_update_sb <- md_check_recovery <- raid1d <- md_thread"
        )
        cluster.idle(node1, recv)
        cluster.mutex(node1, reconfig: "md0_raid1", receive: "md0_raid1", state: .sendLock)
        cluster.thread(
            node2, "md0_resync",
            "dlm_lock_sync <- lock_comm <- resync_info_update <- raid1_sync_request <- md_do_sync <- md_thread")
        cluster.thread(node2, "mdadm", "lock_comm <- remove_disk <- md_ioctl <- blkdev_ioctl")
        cluster.thread(node2, recv, "recv_daemon <- md_thread")
        cluster.idle(node2, "md0_raid1")
        cluster.mutex(node2, reconfig: "mdadm", receive: recv, state: .sendLock)
        cluster.lock(node1, .token, .ex)
        cluster.lock(node2, .token, .nl, asks: .ex)
        cluster.lock(node1, .ack, .cr, asks: .ex)
        cluster.lock(node2, .ack, .cr)
        cluster.lock(node1, .message, .cw)
        cluster.lock(node2, .message, .cr)
        let result = HangCheck.result(cluster.twice, hung: true)
        #expect(result.answer == .fails)
        #expect(result.findings.map(\.text) == ["4 threads of node1, node2 wait for each other in a cycle"])
        let lines = result.findings[0].details
        #expect(lines[0].contains("node1 md0_raid1: dlm_lock_sync(ack, EX) <- __sendmsg"))
        #expect(lines[1].hasPrefix("node2 md0_cluster_rec: recv_daemon waits for reconfig_mutex, held by node2 mdadm"))
        #expect(
            lines[2].hasPrefix(
                "node2 mdadm: lock_comm <- remove_disk <- md_ioctl <- blkdev_ioctl waits for SEND_LOCK, held by node2 md0_resync"
            ))
        #expect(lines[3].hasSuffix("waits for node1 md0_raid1, which holds token EX"))
    }

    /// A handler that takes the mutex outright: mddev_lock in recv_daemon.
    @Test(arguments: [true, false]) func theNaiveHandlerIsNamed(memory: Bool) {
        var cluster = noHoldingInStart(memory: memory)
        cluster.moment.nodes[0].threads.removeAll { $0.comm == recv }
        cluster.thread(node1, recv, "__mutex_lock.constprop.0 <- recv_daemon <- md_thread")
        let result = HangCheck.result(cluster.twice, hung: true)
        #expect(result.answer == .fails)
        #expect(
            result.findings[0].details.last?.hasPrefix(
                "node1 md0_cluster_rec: __mutex_lock <- recv_daemon waits for reconfig_mutex, held by node1 md0_raid1")
                == true)
    }

    /// mddev_detach before leave(): the wait queue that recv_daemon sleeps on belongs to a thread that is gone.
    @Test(arguments: [true, false]) func theWrongStopOrderIsNamed(memory: Bool) {
        var cluster = MomentBuilder([node1, node2], memory: memory)
        cluster.thread(
            node1, "mdadm",
            "dlm_lock_sync <- lock_comm <- resync_bitmap <- leave <- md_bitmap_destroy <- __md_stop <- do_md_stop <- md_ioctl"
        )
        cluster.thread(node1, recv, "recv_daemon <- md_thread")
        cluster.mutex(node1, reconfig: "mdadm", receive: recv, state: .sendLock, .holdingMutexForRecvd)
        cluster.thread(node2, "md0_raid1", "dlm_lock_sync <- __sendmsg <- metadata_update_finish <- md_update_sb")
        cluster.idle(node2, recv)
        cluster.mutex(node2, reconfig: "md0_raid1", receive: "md0_raid1", state: .sendLock)
        cluster.lock(node1, .token, .nl, asks: .ex)
        cluster.lock(node2, .token, .ex)
        cluster.lock(node1, .ack, .cr)
        cluster.lock(node2, .ack, .cr, asks: .ex)
        let result = HangCheck.result(cluster.twice, hung: true)
        #expect(result.answer == .fails)
        #expect(result.findings.map(\.text) == ["node1 md0_cluster_rec waits for a thread that no longer exists"])
        #expect(result.findings[0].details.count == 3)
        #expect(result.findings[0].details[2].contains("a md thread that is gone"))
    }

    /// The bit is set but nobody wakes the receive thread: its condition is true and it sleeps.
    @Test func aLostWakeUpIsNamed() {
        var cluster = noHoldingInStart(memory: true)
        cluster.mutex(node1, reconfig: "md0_raid1", receive: recv, state: .sendLock, .holdingMutexForRecvd)
        let result = HangCheck.result(cluster.twice, hung: true)
        #expect(result.answer == .fails)
        #expect(result.findings.map(\.text) == ["node1 md0_cluster_rec waits for a lost wake-up"])
        #expect(
            result.findings[0].details.last?.hasSuffix("HOLDING_MUTEX_FOR_RECVD is set, but nothing wakes it") == true)
        #expect(result.findings[0].details.first?.contains("waits for node2 md0_raid1, which holds token EX") == true)
    }

    /// Stacks are alike in mutex_lock and in wait_event; the mutex knows that somebody sleeps for it.
    @Test func aReceiverInMutexLockWaitsForTheOwnerWhateverTheBitIs() {
        var cluster = noHoldingInStart(memory: true)
        cluster.mutex(
            node1, reconfig: "md0_raid1", hasWaiters: true, receive: recv, state: .sendLock, .holdingMutexForRecvd)
        let alone = HangCheck.result(cluster.twice, hung: true)
        #expect(alone.findings.map(\.text) == ["3 threads of node1, node2 wait for each other in a cycle"])
        #expect(alone.findings[0].details.contains { $0.contains("held by node1 md0_raid1 (in mutex_lock") })
        // Somebody else sleeps for it: then nothing says that the receiver does.
        cluster.thread(node1, "mdadm", "__mutex_lock <- state_store <- rdev_attr_store")
        let two = HangCheck.result(cluster.twice, hung: true)
        #expect(two.findings.contains { $0.text == "node1 md0_cluster_rec waits for a lost wake-up" })
    }

    @Test func aFreeMutexIsALostWakeUp() {
        var cluster = noHoldingInStart(memory: true)
        cluster.mutex(node1, receive: recv, state: .sendLock)
        let result = HangCheck.result(cluster.twice, hung: true)
        #expect(result.findings[0].details.last?.hasSuffix("reconfig_mutex is free, but nothing wakes it") == true)
    }

    @Test func aReceiveThreadThatSleepsThroughABastIsALostWakeUp() {
        var cluster = noHoldingInStart(memory: true)
        cluster.moment.nodes[0].threads.removeAll { $0.comm == recv }
        cluster.idle(node1, recv)
        let result = HangCheck.result(cluster.twice, hung: true)
        #expect(result.answer == .fails)
        #expect(
            result.findings[0].details.last?.contains(
                "waits for node1, which has not let go of ack CR, and whose receive thread sleeps") == true)
    }

    /// DLM's recovery takes its time, and the run went on to its end.
    @Test func aWaitForADeadNodeThatEndedIsNoHang() {
        var cluster = MomentBuilder([node1], memory: true)
        cluster.moment.dead = [node2]
        cluster.thread(node1, "md0_raid1", "dlm_lock_sync <- __sendmsg <- metadata_update_finish <- md_update_sb")
        cluster.lock(node1, .ack, .cr, asks: .ex)
        cluster.lock(node2, .ack, .cr)
        var quiet = MomentBuilder([node1], memory: true).moment
        (quiet.label, quiet.time, quiet.dead) = ("final", 60, [node2])
        let over = HangCheck.result(cluster.twice + [quiet], hung: false)
        #expect(over.answer == .holds && over.findings == [])
        #expect(over.seen.contains { $0.hasSuffix("it came to an end)") })
        #expect(HangCheck.result(cluster.twice + [quiet], hung: true).answer == .fails)
        var still = cluster.moment
        (still.label, still.time) = ("final", 60)
        still.nodes[0].locks?[0].age = 60
        #expect(HangCheck.result(cluster.twice + [still], hung: false).answer == .fails)
    }

    @Test func aDeadNodeIsNamed() {
        var cluster = MomentBuilder([node1], memory: true)
        cluster.moment.dead = [node2]
        cluster.thread(node1, "md0_raid1", "dlm_lock_sync <- __sendmsg <- metadata_update_finish <- md_update_sb")
        cluster.lock(node1, .ack, .cr, asks: .ex)
        cluster.lock(node2, .ack, .cr)
        let result = HangCheck.result(cluster.twice, hung: true)
        #expect(result.answer == .fails)
        #expect(result.findings.map(\.text) == ["node1 md0_raid1 waits for a dead node"])
        #expect(
            result.findings[0].details == [
                "node1 md0_raid1: dlm_lock_sync(ack, EX) <- __sendmsg <- metadata_update_finish <- md_update_sb waits for node2, which is dead and has not let go of ack CR"
            ])
    }

    /// Two nodes each hold what the other wants, with three nodes: only the blocked receiver is in the cycle.
    @Test func aThirdNodeThatAckedIsNotInTheCycle() {
        var cluster = noHoldingInStart(memory: true)
        cluster.moment.nodes.append(ClusterMoment.Node(node: node3, threads: [], locks: [], arrays: nil))
        cluster.thread(node3, recv, "dlm_lock_sync <- recv_daemon <- md_thread")
        cluster.lock(node3, .ack, .nl)
        cluster.lock(node3, .message, .cr, asks: .pr)
        let result = HangCheck.result(cluster.twice, hung: true)
        #expect(result.findings.map(\.text) == ["3 threads of node1, node2 wait for each other in a cycle"])
    }

    /// The other node's resync: in D state for as long as it takes, and no hang.
    @Test func theWaitForARunningResyncIsNoHang() {
        var cluster = MomentBuilder([node1, node2], memory: true)
        cluster.thread(node1, "md0_resync", "raise_barrier <- raid1_sync_request <- md_do_sync <- md_thread")
        cluster.thread(node2, "md0_resync", "dlm_lock_sync_interruptible <- resync_start <- md_do_sync <- md_thread")
        for node in [node1, node2] {
            cluster.idle(node, "md0_raid1")
            cluster.idle(node, recv)
        }
        cluster.lock(node1, .resync, .ex)
        cluster.lock(node2, .resync, .nl, asks: .ex)
        for hung in [false, true] {
            let result = HangCheck.result(cluster.twice, hung: hung)
            #expect(result.answer == (hung ? .notDecided : .holds))
            #expect(result.seen[0] == "\"hang-1\": 6 threads on 2 nodes, 1 wait for others, 0 cycles")
        }
        // The same wait with the holder running on a CPU.
        cluster.moment.nodes[0].threads[0].state = "R"
        #expect(HangCheck.result(cluster.twice, hung: false).answer == .holds)
    }

    @Test func aResyncLockWithoutAThreadBehindItIsAHang() {
        var cluster = MomentBuilder([node1, node2], memory: true)
        cluster.thread(node2, "md0_resync", "dlm_lock_sync_interruptible <- resync_start <- md_do_sync <- md_thread")
        cluster.lock(node1, .resync, .ex)
        cluster.lock(node2, .resync, .nl, asks: .ex)
        let result = HangCheck.result(cluster.twice, hung: true)
        #expect(result.answer == .fails)
        #expect(result.findings[0].text == "node2 md0_resync waits for a thread that no longer exists")
    }

    /// bb8bf15bd6f7: a sysfs writer waits in kthread_stop for the resync thread, which waits for the superblock, which
    /// the md thread cannot write without the mutex.
    @Test func stoppingAThreadThatNeedsTheMutexIsACycle() {
        var cluster = MomentBuilder([node1], memory: true)
        cluster.thread(
            node1, "mdadm",
            "kthread_stop <- md_unregister_thread <- md_reap_sync_thread <- action_store <- md_attr_store")
        cluster.thread(node1, "md0_resync", "md_write_start <- md_do_sync <- md_thread")
        cluster.thread(node1, "md0_raid1", "__mutex_lock <- md_check_recovery <- raid1d <- md_thread")
        cluster.mutex(node1, reconfig: "mdadm")
        let result = HangCheck.result(cluster.twice, hung: true)
        #expect(result.answer == .fails)
        #expect(result.findings.map(\.text) == ["3 threads of node1 wait for each other in a cycle"])
    }

    /// The stack was read, then the grant came, then the lock tables were read: only two sets tell that from a lost
    /// grant.
    @Test func aGrantThatDidNotWakeItsThreadTakesTwoSets() {
        var cluster = MomentBuilder([node1, node2], memory: true)
        cluster.thread(
            node1, "md0_raid1", "dlm_lock_sync <- metadata_update_start <- md_update_sb <- md_check_recovery <- raid1d")
        cluster.lock(node1, .token, .ex)
        cluster.moment.label = "final"
        #expect(HangCheck.result([cluster.moment], hung: false).answer == .holds)
        cluster.moment.label = "hang-1"
        let result = HangCheck.result(cluster.twice, hung: true)
        #expect(result.answer == .fails)
        #expect(result.findings[0].text == "node1 md0_raid1 waits for a grant that did not wake it")
    }

    /// The master has granted it, and the link to it is cut: the node's own copy still asks.
    @Test func aGrantOnItsWayIsNoLostOne() {
        var cluster = MomentBuilder([node1, node2], memory: true)
        cluster.thread(
            node2, "md0_raid1", "dlm_lock_sync <- metadata_update_start <- md_update_sb <- md_check_recovery <- raid1d")
        cluster.lock(node2, .token, .ex)
        #expect(HangCheck.result(cluster.twice, hung: true).answer == .fails)
        cluster.copy(node2, .token, .nl, asks: .ex)
        let result = HangCheck.result(cluster.twice, hung: true)
        #expect(result.answer == .notDecided)
        #expect(
            WaitGraph(cluster.moment).edges.map(\.line).filter { $0.hasSuffix("DLM's answer, on its way") }.count == 1)
    }

    @Test func anAbandonedSendLockIsNamed() {
        var cluster = MomentBuilder([node1], memory: true)
        cluster.thread(
            node1, "md0_raid1", "metadata_update_start <- md_update_sb <- md_check_recovery <- raid1d <- md_thread")
        cluster.mutex(node1, reconfig: "md0_raid1", state: .sendLock, .holdingMutexForRecvd)
        let result = HangCheck.result(cluster.twice, hung: true)
        #expect(result.answer == .fails)
        #expect(result.findings[0].text == "node1 md0_raid1 waits for a lock that no thread holds")
        #expect(result.findings[0].details[0].hasSuffix("waits for SEND_LOCK, which is set, and no thread is sending"))
    }

    @Test func aQuietClusterHoldsAndNoSnapshotsDoNot() {
        var cluster = MomentBuilder([node1, node2], memory: false)
        for node in [node1, node2] {
            cluster.idle(node, "md0_raid1")
            cluster.idle(node, recv)
        }
        cluster.moment.label = "final"
        let result = HangCheck.result([cluster.moment], hung: false)
        #expect(result.answer == .holds)
        #expect(result.findings.isEmpty)
        #expect(
            result.seen == [
                "\"final\": 4 threads on 2 nodes, 0 waits for others, 0 cycles; mutex owners and cinfo->state inferred from stacks"
            ])
        #expect(HangCheck.result([], hung: false).answer == .notDecided)
    }

    @Test func clonesAndGarbageInStacks() {
        #expect(
            Frames(["lock_comm.isra.0+0x1/0x2 [md_cluster]", "", "+0x1", "md_ioctl+0x1/0x2"]).names == [
                "lock_comm", "md_ioctl",
            ])
        #expect(Frames([String(repeating: "x", count: 100_000)]).names.isEmpty)
        #expect(Frames(["__schedule+0x1/0x2", "schedule+0x1/0x2"]).chain == "")
    }
}
