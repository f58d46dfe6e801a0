// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import ProtocolTrace

@testable import Conformance

/// Writes the traces that md-cluster.c would leave, for the tests: one true clock, a clock offset per node, and one
/// function per thing that happens. Every test either judges such a trace, or one that it has bent.
struct Cluster {
    var nodes: [NodeID]
    /// True time, nanoseconds.
    var now: UInt64 = 1_000_000_000
    var events: [NodeID: [KernelEvent]] = [:]
    var offsets: [NodeID: UInt64] = [:]
    var joined: Set<NodeID> = []
    static let lockspace: UInt32 = 0x5eed
    static let recv = "md0_cluster_rec"

    init(_ count: Int) {
        nodes = (1...count).map { NodeID($0) }
        for node in nodes {
            events[node] = []
            offsets[node] = UInt64(node.rawValue) * 3_000_000_000
        }
    }

    var traces: [NodeTrace] {
        nodes.map {
            NodeTrace(node: $0, events: events[$0]!, clockOffset: Double(offsets[$0]!) / 1e9)
        }
    }

    static func pid(_ comm: String) -> Int {
        comm == recv ? 200 : comm == "md0_raid1" ? 100 : comm == "md0_resync" ? 300 : 400
    }

    static func lock(_ resource: LockResource) -> UInt32 {
        switch resource {
        case .token: 1
        case .message: 2
        case .ack: 3
        case .noNewDev: 4
        case .resync: 5
        default: UInt32(10 + (resource.bitmapSlot ?? 0))
        }
    }

    mutating func add(_ node: NodeID, _ comm: String, _ body: KernelEvent.Body) {
        now += 100_000
        events[node]!.append(
            KernelEvent(
                node: node, index: events[node]!.count, time: now + offsets[node]!, cpu: 0, pid: Self.pid(comm),
                comm: comm,
                body: body))
    }

    mutating func dlm(
        _ node: NodeID, _ comm: String, _ kind: DLMEvent.Kind, _ resource: LockResource, _ mode: LockMode?,
        flags: UInt32 = 0,
        status: Int32? = nil
    ) {
        add(
            node, comm,
            .dlm(
                DLMEvent(
                    kind: kind, lockspace: Self.lockspace, lock: Self.lock(resource), resource: resource, mode: mode,
                    flags: flags, status: status)))
    }

    mutating func ask(_ node: NodeID, _ comm: String, _ resource: LockResource, _ mode: LockMode, flags: UInt32 = 4) {
        dlm(node, comm, .lockStart, resource, mode, flags: flags)
        dlm(node, comm, .lockEnd, resource, mode, flags: flags, status: 0)
    }

    mutating func grant(_ node: NodeID, _ resource: LockResource, status: Int32 = 0) {
        dlm(node, "kworker/u2:1", .ast, resource, nil, status: status)
    }

    /// dlm_lock_sync
    mutating func sync(_ node: NodeID, _ comm: String, _ resource: LockResource, _ mode: LockMode, flags: UInt32 = 4) {
        ask(node, comm, resource, mode, flags: flags)
        grant(node, resource)
    }

    mutating func free(_ node: NodeID, _ comm: String, _ resource: LockResource) {
        dlm(node, comm, .unlockStart, resource, nil, flags: 0x20000)
        dlm(node, comm, .unlockEnd, resource, nil, flags: 0x20000, status: 0)
        grant(node, resource, status: -0x10002)
    }

    /// join() and load_bitmaps()
    mutating func join(_ node: NodeID) {
        for resource in [LockResource.message, .token, .noNewDev] { sync(node, "mdadm", resource, .nl, flags: 0x400) }
        sync(node, "mdadm", .token, .ex)
        sync(node, "mdadm", .ack, .nl, flags: 0x400)
        sync(node, "mdadm", .ack, .cr)
        sync(node, "mdadm", .token, .nl)
        sync(node, "mdadm", .noNewDev, .cr)
        let own = LockResource.bitmap(slot: node.rawValue - 1)
        sync(node, "mdadm", own, .nl, flags: 0x408)
        sync(node, "mdadm", own, .pw, flags: 0xc)
        sync(node, "mdadm", .resync, .nl, flags: 0x400)
        joined.insert(node)
        gather(node)
        add(node, "mdadm", .entry(function: "mddev_unlock", arguments: [:]))
    }

    /// gather_all_resync_info() of one other slot, taken: PW refused, CR, NL.
    mutating func gather(_ node: NodeID) {
        for other in joined where other != node {
            let bitmap = LockResource.bitmap(slot: other.rawValue - 1)
            sync(node, "mdadm", bitmap, .nl, flags: 0x408)
            ask(node, "mdadm", bitmap, .pw, flags: 0xd)
            grant(node, bitmap, status: -11)
            sync(node, "mdadm", bitmap, .cr, flags: 0xd)
            sync(node, "mdadm", bitmap, .nl, flags: 0xd)
            free(node, "mdadm", bitmap)
        }
    }

    mutating func leave(_ node: NodeID) {
        let own = LockResource.bitmap(slot: node.rawValue - 1)
        for resource in [LockResource.message, .token, .ack, .noNewDev, .resync, own] { free(node, "mdadm", resource) }
        joined.remove(node)
    }

    enum Handling { case trylock, holding, deferred, none }

    /// process_metadata_update() up to the ack; `deferred` is the order before the patch.
    mutating func handle(_ node: NodeID, _ type: MessageType, _ handling: Handling) {
        guard type == .metadataUpdated else { return }
        sync(node, Self.recv, .noNewDev, .cr)
        switch handling {
        case .trylock:
            reload(node, Self.recv)
            add(node, Self.recv, .entry(function: "mddev_unlock", arguments: [:]))
        case .holding:
            reload(node, Self.recv)
        case .deferred, .none:
            break
        }
    }

    mutating func reload(_ node: NodeID, _ comm: String) {
        add(node, comm, .entry(function: "md_reload_sb", arguments: ["nr": 0]))
        add(node, comm, .function(name: "md_reload_sb", caller: "recv_daemon"))
        now += 2_000_000
        add(node, comm, .exit(function: "md_reload_sb", value: nil))
    }

    /// lock_token(), __sendmsg() to all joined nodes, and the token given back unless `keepToken`.
    mutating func message(
        _ sender: NodeID, _ type: MessageType = .metadataUpdated, by comm: String = "md0_raid1",
        handling: [NodeID: Handling] = [:], takeToken: Bool = true, keepToken: Bool = false, kprobes: Bool = true
    ) {
        if takeToken { sync(sender, comm, .token, .ex) }
        if kprobes {
            add(sender, comm, .entry(function: "__sendmsg", arguments: ["type": Int64(type.rawValue), "raid_slot": 0]))
        }
        sync(sender, comm, .message, .ex)
        sync(sender, comm, .message, .cw)
        ask(sender, comm, .ack, .ex)
        let receivers = joined.filter { $0 != sender }.sorted()
        for receiver in receivers {
            dlm(receiver, "kworker/u2:1", .bast, .ack, .ex)
            sync(receiver, Self.recv, .message, .cr)
            handle(receiver, type, handling[receiver] ?? .trylock)
            sync(receiver, Self.recv, .ack, .nl)
            ask(receiver, Self.recv, .message, .pr)
        }
        grant(sender, .ack)
        sync(sender, comm, .ack, .cr)
        sync(sender, comm, .message, .nl)
        if kprobes { add(sender, comm, .exit(function: "__sendmsg", value: 0)) }
        for receiver in receivers {
            grant(receiver, .message)
            sync(receiver, Self.recv, .ack, .cr)
            sync(receiver, Self.recv, .message, .nl)
            if type == .metadataUpdated, handling[receiver] == .deferred { reload(receiver, "md0_raid1") }
        }
        if !keepToken { sync(sender, comm, .token, .nl) }
    }

    /// metadata_update_start() and metadata_update_cancel()
    mutating func cancelledUpdate(_ node: NodeID) {
        sync(node, "md0_raid1", .token, .ex)
        sync(node, "md0_raid1", .token, .nl)
    }

    /// add_new_disk() of a disk that every node confirms or that one does not see, and the update that the md thread
    /// sends.
    mutating func addDisk(_ sender: NodeID, confirmed: Bool = true) {
        message(sender, .newDisk, by: "mdadm", keepToken: true)
        if confirmed {
            sync(sender, "mdadm", .noNewDev, .ex, flags: 5)
            sync(sender, "mdadm", .noNewDev, .cr)
            message(sender, by: "md0_raid1", takeToken: false)
        } else {
            ask(sender, "mdadm", .noNewDev, .ex, flags: 5)
            grant(sender, .noNewDev, status: -11)
            sync(sender, "mdadm", .token, .nl)
        }
    }

    /// resync_start(), one RESYNCING window, resync_finish()
    mutating func resync(_ node: NodeID) {
        sync(node, "md0_resync", .resync, .ex)
        let own = LockResource.bitmap(slot: node.rawValue - 1)
        sync(node, "md0_resync", own, .pw, flags: 0xc)
        message(node, .resyncing, by: "md0_resync")
        sync(node, "md0_raid1", own, .pw, flags: 0xc)
        message(node, .resyncing, by: "md0_raid1")
        sync(node, "md0_raid1", .resync, .nl)
    }

    /// Everything the automata know, in one run.
    static func everything(_ count: Int) -> Cluster {
        var cluster = Cluster(count)
        for node in cluster.nodes { cluster.join(node) }
        cluster.message(cluster.nodes[0])
        cluster.cancelledUpdate(cluster.nodes[1])
        cluster.message(cluster.nodes[1], handling: [cluster.nodes[0]: .holding])
        cluster.addDisk(cluster.nodes[0])
        cluster.addDisk(cluster.nodes[0], confirmed: false)
        cluster.resync(cluster.nodes[1])
        cluster.message(cluster.nodes[0], by: "mdadm", keepToken: true)
        cluster.message(cluster.nodes[0], .changeCapacity, by: "mdadm", takeToken: false)
        cluster.message(cluster.nodes[1], .bitmapNeedsSync, by: "mdadm")
        cluster.leave(cluster.nodes[1])
        cluster.message(cluster.nodes[0])
        return cluster
    }
}

let node1 = NodeID(1)
let node2 = NodeID(2)
let node3 = NodeID(3)
