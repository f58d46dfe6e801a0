// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import RunRecord

/// Finds for one thread who has to act before its wait can end.
struct WaitResolver {
    let moment: ClusterMoment
    let node: ClusterMoment.Node
    let thread: NodeSnapshot.Thread

    private var who: WaitGraph.Thread { WaitGraph.Thread(node: node.node, pid: thread.pid, comm: thread.comm) }
    private var frames: Frames { Frames(thread.stack) }

    var edges: [WaitGraph.Edge] {
        switch Self.wait(of: thread, on: node, in: moment) {
        case .dlm(let resources): lockEdges(resources)
        case .bitmap: bitmapEdges
        case .reconfigMutex: [mutexEdge("reconfig_mutex", owner: Self.reconfigOwner(on: node, but: thread, in: moment))]
        case .receiveMutex: [mutexEdge("recv_mutex", owner: receiveOwner)]
        case .sendLock: [sendLockEdge]
        case .metadataReload: [reloadEdge]
        case .threadEnd(let roles): endEdges(roles)
        case .superblock:
            [edge("waits for the superblock to be written", Self.actor(.raidDaemon, on: node), "which writes it")]
        case .idle: idleEdges
        case .elsewhere: []
        }
    }

    static func wait(of thread: NodeSnapshot.Thread, on node: ClusterMoment.Node, in moment: ClusterMoment)
        -> ThreadWait
    {
        let reads = moment.locks(of: .message).contains {
            $0.owner == node.node && $0.granted == .cr && $0.status == .granted
        }
        return ThreadWait(thread, readsMessage: reads)
    }

    // MARK: DLM locks

    private func lockEdges(_ resources: [LockResource]) -> [WaitGraph.Edge] {
        guard moment.hasLocks else { return guessedEdges(resources) }
        let pending = resources.flatMap { moment.locks(of: $0) }.first {
            $0.owner == node.node && $0.status != .granted
        }
        guard let pending else {
            let names = resources.map(\.rawValue).joined(separator: " or ")
            // The master has granted it, and the node's own copy of the lock does not know yet: a link is cut, or slow.
            if let copy = node.locks?.first(where: {
                $0.owner == node.node && !$0.fromMaster && resources.contains($0.resource) && $0.status != .granted
            }) {
                return [
                    edge(
                        "waits for DLM's answer", .progress, "on its way", call: "(\(copy.resource), \(copy.requested))"
                    )
                ]
            }
            return [nobody(.lostGrant, "waits for \(names), and DLM has nothing of it outstanding")]
        }
        return holderEdges(pending).map { edge in
            var edge = edge
            edge.age = pending.age
            return edge
        }
    }

    private func holderEdges(_ pending: LockRow) -> [WaitGraph.Edge] {
        let call = "(\(pending.resource), \(pending.requested))"
        let holders = moment.locks(of: pending.resource).filter {
            $0.owner != node.node && !$0.granted.isCompatible(with: pending.requested)
        }
        if holders.isEmpty {
            return [edge("", .progress, "that no lock stands in the way of", call: call)]
        }
        return holders.map { holder in
            let verb = holder.resource == .ack ? "has not let go of" : "holds"
            let why = "\(verb) \(holder.resource) \(holder.granted)"
            guard let peer = moment[holder.owner] else {
                if moment.dead.contains(holder.owner) {
                    return nobody(.deadNode, "waits for \(holder.owner), which is dead and \(why)", call: call)
                }
                return edge("", .progress, "\(holder.owner) \(why), and no snapshot of it exists", call: call)
            }
            let target = holderThread(of: holder, on: peer)
            return describe(target, on: peer, why, call)
        }
    }

    /// The thread of the holder's node that lets go of the lock in the end.
    private func holderThread(of lock: LockRow, on peer: ClusterMoment.Node) -> WaitGraph.Target {
        let isReceivers =
            (lock.resource == .ack && lock.granted == .cr)
            || (lock.resource == .message && (lock.granted == .cr || lock.granted == .pr))
        if isReceivers { return receiverTarget(on: peer) }
        switch lock.resource {
        case .resync:
            return peer.thread(.resync) == nil ? Self.actor(.raidDaemon, on: peer) : Self.actor(.resync, on: peer)
        default: return senderTarget(on: peer)
        }
    }

    private func receiverTarget(on peer: ClusterMoment.Node) -> WaitGraph.Target {
        guard let receiver = peer.thread(.recvDaemon) else { return .nobody(.missingThread) }
        if Self.wait(of: receiver, on: peer, in: moment) == .idle {
            // Before load_bitmaps a bast is only remembered: the joining thread has to get there first.
            let joining = peer.threads.first {
                Frames($0.stack).contains(["join", "load_bitmaps", "md_run", "do_md_run"])
            }
            return joining.map { .thread(Self.who($0, on: peer)) } ?? .nobody(.lostWakeup)
        }
        return .thread(Self.who(receiver, on: peer))
    }

    /// Who on a node has the token: a thread that is sending, or the md thread that ends what add_new_disk began.
    private func senderTarget(on peer: ClusterMoment.Node) -> WaitGraph.Target {
        let sending = peer.threads.filter { thread in
            let wait = Self.wait(of: thread, on: peer, in: moment)
            return wait != .sendLock && Frames(thread.stack).contains(Holds.sending.union(["md_update_sb", "join"]))
                && ThreadRole(comm: thread.comm) != .recvDaemon
        }
        // A message under way says more than a superblock being written.
        let best = sending.first { Frames($0.stack).contains(["__sendmsg", "unlock_comm"]) } ?? sending.first
        if let best { return .thread(Self.who(best, on: peer)) }
        if peer.state.map({ !$0.contains(.sendLockedAlready) }) == true { return .nobody(.abandoned) }
        return Self.actor(.raidDaemon, on: peer)
    }

    /// Without DLM's tables the stacks alone: a wait under metadata_update_start or lock_comm is for the token, one
    /// under __sendmsg for the acks.
    private func guessedEdges(_ resources: [LockResource]) -> [WaitGraph.Edge] {
        let others = moment.nodes.filter { $0.node != node.node }
        let note = "as the stacks say; DLM's lock tables were not read"
        if resources == [.token] {
            return others.filter { peer in peer.threads.contains { Frames($0.stack).contains(["__sendmsg"]) } }.map {
                edge("waits for", senderTarget(on: $0), "which is sending (\(note))", call: "(token, EX)")
            }
        }
        if frames.contains(["__sendmsg"]) {
            return others.filter { peer in
                peer.thread(.recvDaemon).map { Self.wait(of: $0, on: peer, in: moment) != .idle } ?? false
            }.map {
                edge("waits for", receiverTarget(on: $0), "which has not let go of ack (\(note))", call: "(ack, EX)")
            }
        }
        return []
    }

    private var bitmapEdges: [WaitGraph.Edge] {
        [edge("waits for a bitmap lock", .progress, "which its node holds as long as it is a member")]
    }

    // MARK: Within the node

    private var sendLockEdge: WaitGraph.Edge {
        let holder =
            node.threads.first { other in
                other.pid != thread.pid && ThreadRole(comm: other.comm) != .recvDaemon
                    && Self.wait(of: other, on: node, in: moment) != .sendLock
                    && Frames(other.stack).contains(Holds.sending)
            } ?? node.threads.first { $0.pid != thread.pid && Frames($0.stack).contains(["md_update_sb"]) }
        if let holder { return edge("waits for SEND_LOCK, held by", .thread(Self.who(holder, on: node)), "") }
        guard let state = node.state else { return edge("waits for SEND_LOCK", .progress, "whose holder is not seen") }
        if !state.contains(.sendLock) { return nobody(.lostWakeup, "waits for SEND_LOCK, which is clear") }
        if state.contains(.sendLockedAlready) {
            return edge("waits for SEND_LOCK, kept by add_new_disk for", Self.actor(.raidDaemon, on: node), "")
        }
        return nobody(.abandoned, "waits for SEND_LOCK, which is set, and no thread is sending")
    }

    /// process_metadata_update: the mutex, or the bit.
    private var reloadEdge: WaitGraph.Edge {
        let call = "waits for reconfig_mutex or HOLDING_MUTEX_FOR_RECVD"
        let raidThread = node.thread(.raidDaemon)
        if let state = node.state, let array = node.array {
            let bit = state.contains(.holdingMutexForRecvd)
            if bit || array.reconfigMutexOwner == nil {
                let truth = bit ? "HOLDING_MUTEX_FOR_RECVD is set" : "reconfig_mutex is free"
                if raidThread == nil {
                    return nobody(
                        .missingThread, "\(call): \(truth), but it sleeps on the wait queue of a md thread that is gone"
                    )
                }
                if isInMutexLock {
                    return mutexEdge(
                        "reconfig_mutex", owner: Self.reconfigOwner(on: node, but: thread, in: moment),
                        since: "in mutex_lock, whatever HOLDING_MUTEX_FOR_RECVD is")
                }
                return nobody(.lostWakeup, "\(call): \(truth), but nothing wakes it")
            }
        } else if raidThread == nil {
            return nobody(.missingThread, "\(call) on the wait queue of a md thread that is gone")
        }
        return mutexEdge(
            "reconfig_mutex", owner: Self.reconfigOwner(on: node, but: thread, in: moment),
            since: node.state == nil ? "HOLDING_MUTEX_FOR_RECVD not read" : "HOLDING_MUTEX_FOR_RECVD is clear")
    }

    /// A stack shows neither wait_event nor mutex_lock. The mutex says that somebody sleeps in mutex_lock; when nobody
    /// else can, it is this thread, and the kernel is one that takes the mutex here.
    private var isInMutexLock: Bool {
        guard node.array?.reconfigMutexOwner != nil, node.array?.reconfigMutexHasWaiters == true else { return false }
        return !node.threads.contains { other in
            guard other.pid != thread.pid, ThreadRole(comm: other.comm) != .resync else { return false }
            return switch Self.wait(of: other, on: node, in: moment) {
            case .reconfigMutex: true
            case .elsewhere: other.stack.contains { StackFrame($0)?.module == "md_mod" }
            default: false
            }
        }
    }

    private var receiveOwner: (thread: NodeSnapshot.Thread, known: Bool)? {
        if let array = node.array {
            return array.receiveMutexOwner.flatMap { owner in node.threads.first { $0.pid == owner } }.map {
                ($0, true)
            }
        }
        let receiver = node.thread(.recvDaemon)
        if let receiver, receiver.pid != thread.pid, Self.wait(of: receiver, on: node, in: moment) != .idle {
            return (receiver, false)
        }
        return node.threads.first { $0.pid != thread.pid && Frames($0.stack).contains(["__sendmsg", "unlock_comm"]) }
            .map { ($0, false) }
    }

    /// The owner of reconfig_mutex: as the kernel's memory says, else the thread that stands in a function which needs
    /// it.
    static func reconfigOwner(
        on node: ClusterMoment.Node, but thread: NodeSnapshot.Thread, in moment: ClusterMoment
    ) -> (thread: NodeSnapshot.Thread, known: Bool)? {
        if let array = node.array {
            return array.reconfigMutexOwner.flatMap { owner in node.threads.first { $0.pid == owner } }.map {
                ($0, true)
            }
        }
        let candidates = node.threads.filter { other in
            guard other.pid != thread.pid, wait(of: other, on: node, in: moment) != .reconfigMutex else { return false }
            let frames = Frames(other.stack)
            // The resync thread sends without the mutex.
            if ThreadRole(comm: other.comm) == .resync { return false }
            return frames.contains(Holds.reconfigMutex)
                || (frames.contains(["lock_comm", "__sendmsg", "kthread_stop"])
                    && frames.contains(["md_ioctl", "md_attr_store", "rdev_attr_store", "md_check_recovery"]))
        }
        return candidates.first.map { ($0, false) }
    }

    private func mutexEdge(
        _ name: String, owner: (thread: NodeSnapshot.Thread, known: Bool)?, since: String? = nil
    ) -> WaitGraph.Edge {
        let reason = since.map { " (\($0))" } ?? ""
        guard let owner else {
            let pid = name == "reconfig_mutex" ? node.array?.reconfigMutexOwner : node.array?.receiveMutexOwner
            let whose =
                pid.map { "held by pid \($0), which is not among the blocked threads" } ?? "whose owner is not seen"
            return edge("waits for \(name)", .progress, whose)
        }
        let how = owner.known || node.arrays != nil ? "" : ", as the stacks say"
        return edge("waits for \(name), held by", .thread(Self.who(owner.thread, on: node)), reason + how)
    }

    private func endEdges(_ roles: [ThreadRole]) -> [WaitGraph.Edge] {
        let targets = roles.compactMap { node.thread($0) }.filter { $0.pid != thread.pid }
        // Of several that could be meant, the one that is stuck.
        let stuck =
            targets.first { !WaitResolver(moment: moment, node: node, thread: $0).edges.isEmpty } ?? targets.first
        guard let stuck else { return [edge("waits for a thread to end", .progress, "that is not there any more")] }
        return [edge("waits for the end of", .thread(Self.who(stuck, on: node)), "")]
    }

    /// A md thread that sleeps for want of reconfig_mutex (md_check_recovery only tries it) waits for its owner, if it
    /// has to end what add_new_disk began.
    private var idleEdges: [WaitGraph.Edge] {
        guard ThreadRole(comm: thread.comm) == .raidDaemon, node.state?.contains(.sendLockedAlready) == true,
            let owner = Self.reconfigOwner(on: node, but: thread, in: moment)
        else { return [] }
        return [
            edge(
                "has to end what add_new_disk began, and waits for reconfig_mutex, held by",
                .thread(Self.who(owner.thread, on: node)), "")
        ]
    }

    // MARK: Words

    static func who(_ thread: NodeSnapshot.Thread, on node: ClusterMoment.Node) -> WaitGraph.Thread {
        WaitGraph.Thread(node: node.node, pid: thread.pid, comm: thread.comm)
    }

    private static func actor(_ role: ThreadRole, on node: ClusterMoment.Node) -> WaitGraph.Target {
        node.thread(role).map { .thread(who($0, on: node)) } ?? .nobody(.missingThread)
    }

    private func describe(_ target: WaitGraph.Target, on peer: ClusterMoment.Node, _ why: String, _ call: String)
        -> WaitGraph.Edge
    {
        switch target {
        case .thread: edge("waits for", target, "which \(why)", call: call)
        case .nobody(let kind):
            switch kind {
            case .lostWakeup, .lostGrant:
                nobody(kind, "waits for \(peer.node), which \(why), and whose receive thread sleeps", call: call)
            case .missingThread:
                nobody(kind, "waits for \(peer.node), which \(why), and whose thread for it is gone", call: call)
            case .abandoned, .deadNode:
                nobody(kind, "waits for \(peer.node), which \(why), and where no thread is sending", call: call)
            }
        case .progress: edge("waits for", target, why, call: call)
        }
    }

    private func nobody(_ kind: WaitGraph.Nobody, _ text: String, call: String = "") -> WaitGraph.Edge {
        WaitGraph.Edge(from: who, to: .nobody(kind), line: "\(title(call)) \(text)")
    }

    private func edge(_ verb: String, _ target: WaitGraph.Target, _ why: String, call: String = "") -> WaitGraph.Edge {
        if case .nobody(let kind) = target { return nobody(kind, "\(verb) \(kind.rawValue), \(why)", call: call) }
        var text = verb
        if case .thread(let thread) = target { text += " \(thread.node) \(thread.comm)" }
        if !why.isEmpty { text += why.hasPrefix(" ") || why.hasPrefix(",") ? why : ", \(why)" }
        return WaitGraph.Edge(from: who, to: target, line: "\(title(call)) \(text)")
    }

    /// "node1 md0_raid1: dlm_lock_sync(token, EX) <- metadata_update_start <- md_update_sb"
    private func title(_ call: String) -> String {
        var chain = frames.chain
        if !call.isEmpty, let end = chain.firstIndex(of: " ") {
            chain.insert(contentsOf: call, at: end)
        } else {
            chain += call
        }
        return "\(node.node) \(thread.comm): \(chain)"
    }
}
