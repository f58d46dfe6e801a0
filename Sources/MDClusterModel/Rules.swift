// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import ProcedureModel

/// What must hold of the protocol. The numbers are those of docs/model.md; I6 and I7 are checked in the procedures.
enum Rules {
    /// Asked in dlm_lock_sync: whoever is refused goes on without the lock (recv_daemon: "lock PR on msg failed return
    /// -35").
    static let refused = Program.RuleName(
        "dlm.refused", "DLM refuses no conversion with -EDEADLK: no two locks of a resource wait for each other")

    /// Asked in __recover_slot, which starts the recovery thread if there is none.
    static let recoveryThreadIsBack = Program.RuleName(
        "threads.recovery", "nobody starts the recovery thread again that leave() has ended")

    static func all(nodes: Int, _ membership: Membership) -> [Program.Rule] {
        let book = RuleBook(nodes: nodes, membership: membership)
        return book.messages + book.resync + book.atRest + Device.all.flatMap(book.atRest) + book.join
            + membership.dirty.flatMap(book.leftBehind)
    }
}

/// The rules for so many nodes.
private struct RuleBook {
    let nodes: Int
    let membership: Membership

    private var everyone: [Int] { Array(0..<nodes) }
    private func others(_ node: Int) -> [Int] { everyone.filter { $0 != node } }
    private func each(_ condition: (Int) -> Expression) -> Expression { .all(everyone.map(condition)) }
    private func eachPair(_ condition: (Int, Int) -> Expression) -> Expression {
        .all(everyone.flatMap { left in others(left).map { condition(left, $0) } })
    }
    private func joined(_ node: Int) -> Expression { .on(node, .v(Name.joined)) }
    /// The array runs: a node that still joins has no I/O.
    private func runs(_ node: Int) -> Expression {
        membership.usesJoin ? joined(node) && .on(node, .v(Bit.alreadyInCluster)) : joined(node)
    }
    private func holds(_ node: Int, _ lock: String, _ mode: LockMode) -> Expression { .on(node, .granted(lock, mode)) }
    private var locks: [String] {
        [Name.token, Name.message, Name.ack, Name.noNewDev, Name.resyncLock] + membership.slots.map(Membership.bitmap)
    }
    private func waits(_ node: Int) -> Expression { .any(locks.map { .on(node, .converting($0)) }) }
    private func holdsBitmaps(_ node: Int) -> Expression {
        .all(membership.slots.map { holds(node, Membership.bitmap($0), $0 == node ? .pw : .nl) })
    }

    /// What always holds of messages and of the locks that carry them.
    var messages: [Program.Rule] {
        [
            Program.Rule(
                .always, "I1.token", "I1: at most one node holds token EX",
                eachPair { !holds($0, Name.token, .ex) || !holds($1, Name.token, .ex) }),
            Program.Rule(
                .always, "I2.holders", "I2: who holds message EX or CW, or ack EX, holds token EX",
                each {
                    (holds($0, Name.message, .ex) || holds($0, Name.message, .cw) || holds($0, Name.ack, .ex))
                        .implies(holds($0, Name.token, .ex))
                }),
            Program.Rule(
                .always, "I3.ack", "I3: when ack EX is granted, every other node has handled the message",
                eachPair {
                    (holds($0, Name.ack, .ex) && joined($1)).implies(.on($1, .v(Name.handled)))
                }),
            Program.Rule(
                .always, "I4.send", "I4: SEND_LOCKED_ALREADY means that SEND_LOCK, token EX and recv_mutex are held",
                each { node in
                    Expression.on(node, .v(Bit.sendLockedAlready)).implies(
                        .on(node, .v(Bit.sendLock)) && holds(node, Name.token, .ex) && .on(node, .locked(Mutex.receive))
                    )
                }),
            Program.Rule(
                .always, "I5.holding", "I5: HOLDING_MUTEX_FOR_RECVD means that reconfig_mutex is held",
                each { node in
                    (Expression.on(node, .v(Bit.holding)) && joined(node)).implies(.on(node, .locked(Mutex.reconfig)))
                }),
        ]
    }

    /// What always holds of resyncs and threads.
    var resync: [Program.Rule] {
        [
            Program.Rule(
                .always, "I12.window", "I12: at most one node resyncs, and the others keep clear of its window",
                eachPair { left, right in
                    let told = Expression.on(left, .v(Name.ownWindow)) && joined(left) && !.on(left, .v(Flag.closing))
                    let sending =
                        Expression.on(left, .inside(thread: Name.resync, procedure: "resync_info_update"))
                        || .on(left, .inside(thread: Name.raid1d, procedure: "resync_info_update"))
                    return (!holds(left, Name.resyncLock, .ex) || !holds(right, Name.resyncLock, .ex))
                        && (told && !sending && runs(right)).implies(.on(right, .v(Name.window)))
                }),
            Program.Rule(
                .always, "I12.announced", "I12: a node that has announced a window holds the resync lock",
                each { node in
                    (Expression.on(node, .v(Name.ownWindow)) && joined(node) && !.on(node, .v(Flag.closing))).implies(
                        holds(node, Name.resyncLock, .ex))
                }),
            Program.Rule(
                .always, "I12.announces", "I12: only a node with the resync lock announces a window",
                each { node in
                    Expression.on(node, .inside(thread: Name.resync, procedure: "resync_info_update"))
                        .implies(holds(node, Name.resyncLock, .ex))
                }),
            Program.Rule(
                .always, "D13.begin", "D13: a resync is begun only by a node that has something left to resync",
                each { node in
                    Expression.on(node, .inside(thread: Name.resync, procedure: "resync_start"))
                        .implies(.on(node, .v(Name.dirty)))
                }),
            Program.Rule(
                .always, "threads.queue", "nobody sleeps on the wait queue of a thread that is gone",
                each { node in !(.on(node, .v(Name.threadGone)) && .on(node, .sleeping(Name.receive, Queue.thread))) }),
        ]
    }

    var atRest: [Program.Rule] {
        [
            Program.Rule(
                .atEnd,
                "I8.rest.locks",
                "I8: at rest token, message and resync are NL, ack is CR, the own bitmap PW, and nothing is held or waited for",
                each { node in
                    joined(node).implies(
                        holds(node, Name.token, .nl) && holds(node, Name.message, .nl)
                            && holds(node, Name.resyncLock, .nl)
                            && holds(node, Name.ack, .cr) && !waits(node) && holdsBitmaps(node)
                            && .on(node, .v(Bit.sendLock) == 0)
                            && .on(node, .v(Bit.holding) == 0)
                            && !.on(node, .locked(Mutex.reconfig)) && !.on(node, .locked(Mutex.receive)))
                }),
            Program.Rule(
                .atEnd, "I11.rest.bast", "I11: at rest no BAST is left without a look at the message",
                each { node in
                    let pending: Expression = membership.usesJoin ? .on(node, .v(Bit.pendingRecvEvent)) : .constant(0)
                    return joined(node).implies(
                        .on(node, .v(Name.bast) == 0 && .v(Name.wakeReceive) == 0) && !pending)
                }),
            Program.Rule(
                .atEnd, "I8.rest.no-new-dev", "I8: at rest no-new-dev is CR, or NL on a node that has confirmed a disk",
                each { joined($0).implies(!holds($0, Name.noNewDev, .ex)) }),
            Program.Rule(
                .atEnd, "I8.left", "I8: a node that has left holds no lock and waits for none",
                each { node in
                    (!joined(node)).implies(
                        .all(locks.map { holds(node, $0, .nl) }) && !waits(node)
                            && !.on(node, .locked(Mutex.reconfig)) && !.on(node, .locked(Mutex.receive)))
                }),
            Program.Rule(
                .atEnd, "flags.rest", "at rest nothing is flagged to be done",
                each { node in
                    joined(node).implies(
                        .all(
                            [
                                Flag.needed, Flag.running, Flag.done, Flag.changeDevs, Flag.changePending,
                                Bit.waitingForNewDisk,
                            ].map { .on(node, .v($0) == 0) }))
                }),
            Program.Rule(
                .atEnd, "I10.rest.size",
                "I10: at rest all nodes agree on the array's size, and it is the capacity that they show",
                eachPair { left, right in
                    (joined(left) && joined(right)).implies(
                        Expression.on(left, .v(Name.size)).equals(.on(right, .v(Name.size)))
                            && Expression.on(left, .v(Name.size)).equals(.on(left, .v(Name.capacity))))
                }),
            Program.Rule(
                .atEnd, "I12.rest.window", "I12: at rest nobody keeps clear of a window",
                each { joined($0).implies(.on($0, .v(Name.window) == 0 && .v(Name.ownWindow) == 0)) }),
            Program.Rule(
                .atEnd, "I12.rest.remote", "I12: at rest nobody thinks that another node resyncs",
                each { joined($0).implies(.on($0, .v(Flag.remote) == 0)) }),
            Program.Rule(
                .atEnd, "D13.rest.dirty", "D13: at rest no node that runs has anything left to resync",
                each { joined($0).implies(.on($0, .v(Name.dirty) == 0)) }),
        ]
    }

    func atRest(_ device: Device) -> [Program.Rule] {
        func isOf(_ node: Int, _ states: Int...) -> Expression {
            .any(states.map { .on(node, .v(device.state) == $0) })
        }
        return [
            Program.Rule(
                .atEnd, RuleID("I10.rest.role.\(device.name)"),
                "I10: at rest nobody uses device \(device.name) if the superblocks say that it is faulty",
                each { node in
                    (Expression.v(device.role) == 1 && joined(node)).implies(!isOf(node, Device.active))
                }),
            Program.Rule(
                .atEnd, RuleID("I10.rest.slot.\(device.name)"),
                "I10: at rest device \(device.name) is out of its slot if it is faulty",
                each { joined($0).implies(!isOf($0, Device.faulty)) }),
            Program.Rule(
                .atEnd, RuleID("I10.rest.agree.\(device.name)"),
                "I10: at rest all nodes agree on device \(device.name)",
                eachPair { left, right in
                    (joined(left) && joined(right)).implies(
                        (isOf(left, Device.active) && isOf(right, Device.active))
                            || (isOf(left, Device.faulty, Device.faultyOut)
                                && isOf(right, Device.faulty, Device.faultyOut))
                            || (isOf(left, Device.absent) && isOf(right, Device.absent))
                            || (isOf(left, Device.spare) && isOf(right, Device.spare)))
                }),
            Program.Rule(
                .atEnd, RuleID("I10.rest.removal.\(device.name)"),
                "I10: at rest no removal of device \(device.name) is pending",
                each { joined($0).implies(.on($0, .v(device.clusterRemove) == 0)) }),
        ]
    }

    var join: [Program.Rule] {
        guard membership.usesJoin else { return [] }
        return [
            Program.Rule(
                .always, "threads.handled-early", "no message is handled before the array runs (ALREADY_IN_CLUSTER)",
                each { node in
                    Expression.on(node, .inside(thread: Name.receive, procedure: "process_recvd_msg"))
                        .implies(.on(node, .v(Bit.alreadyInCluster)))
                })
        ]
    }

    /// What holds of the bits that a node leaves behind in its bitmap.
    func leftBehind(_ slot: Int) -> [Program.Rule] {
        var rules = [
            Program.Rule(
                .always, "D13.taken", "D13: bits of node\(slot + 1) are taken over only when they were left behind",
                each { node in
                    Expression.on(
                        node, .inside(thread: Name.recover, procedure: "recover_bitmaps(\(slot))")
                    ).implies(.on(node, .v(Membership.recoveryMap(slot))))
                })
        ]
        if !membership.usesJoin {
            rules.append(
                Program.Rule(
                    .always, "D13.left-early", "D13: node\(slot + 1) has left no bits behind as long as it runs",
                    joined(slot).implies(.v(Membership.bits(slot)) == 0)))
        }
        rules.append(
            Program.Rule(
                .atEnd, "D13.rest.left",
                "D13: at rest somebody has taken over the bits that node\(slot + 1) left behind",
                Expression.any(everyone.map(joined)).implies(.v(Membership.bits(slot)) == 0)))
        return rules
    }
}
