// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import ProcedureModel

/// Nodes that come and go: joining, crashing, and what the others do about the bits that a node leaves behind. A slot
/// is a node's number from 0.
///
/// A bitmap lock is modelled for the slots whose node comes or goes; for the others it is held for ever and known to
/// be.
struct Membership {
    let nodes: Int
    /// Slots whose node comes or goes.
    let slots: [Int]
    /// Slots that can leave bits behind.
    let dirty: [Int]
    let usesJoin: Bool
    let usesCrash: Bool

    init(_ workload: Workload, nodes: Int) {
        self.nodes = nodes
        func does(_ node: Int, _ operation: String) -> Bool { workload.uses(operation, on: node) }
        let resyncs = workload.uses("resync")
        usesJoin = workload.uses("join")
        usesCrash = workload.uses("crash")
        dirty = (0..<nodes).filter { resyncs && (does($0, "stop") || does($0, "crash")) || does($0, "crash") }
        let joins = usesJoin
        slots = (0..<nodes).filter {
            does($0, "join") || does($0, "crash") || does($0, "stop") && (resyncs || joins)
        }
    }

    static func bitmap(_ slot: Int) -> String { "bitmap000\(slot)" }
    /// Bits on the disk of a slot whose node has gone.
    static func bits(_ slot: Int) -> String { "bitmap000\(slot).bits" }
    static func recoveryMap(_ slot: Int) -> String { "recovery_map.\(slot)" }
    /// DLM has recovered from the loss of the slot's node; the others are told by recover_slot.
    static func isDown(_ slot: Int) -> String { "dlm.down.\(slot)" }
    static func isTold(_ slot: Int) -> String { "recover_slot.\(slot)" }

    func others(than node: Int) -> [Int] { (0..<nodes).filter { $0 != node } }

    /// Adds all that the workload needs, and nothing if it needs nothing.
    func add(to program: inout Program, workload: Workload) {
        for slot in slots {
            program.locks.append(.init(Self.bitmap(slot)))
            program.held.append(.init(lock: Self.bitmap(slot), node: slot, mode: .pw))
        }
        for slot in dirty {
            program.shared.append(.init(Self.bits(slot)))
            program.perNode.append(.init(Self.recoveryMap(slot)))
            if workload.uses("crash", on: slot) {
                program.shared.append(.init(Self.isDown(slot)))
                program.perNode.append(.init(Self.isTold(slot)))
            }
        }
        if !dirty.isEmpty {
            program.perNode.append(.init(Name.stopRecover))
            program.threads.append(.init(Name.recover, procedure: "recover_bitmaps", runsOn: Set(0..<nodes)))
            program.procedures.append(recoverBitmaps(workload))
            program.procedures += dirty.map(recover)
            program.procedures.append(recoverSlot)
            program.change("process_recvd_msg") { statement in
                guard statement == return_(.v("ret")) else { return [statement] }
                return [
                    when_(.v("type") == Message.bitmapNeedsSync) { ProcedureModel.call("__recover_slot") }, statement,
                ]
            }
        }
        if usesCrash { program.procedures += [Self.purge] + dirty.map { crashNode($0, program.locks.map(\.name)) } }
        program.absent = absent(workload)
        for index in program.threads.indices {
            if program.threads[index].name.hasPrefix(Name.mdadm) { continue }
            program.threads[index].runsOn.subtract(program.absent)
        }
        let crashing = dirty.filter { workload.uses("crash", on: $0) }
        let joining = slots.filter { workload.uses("join", on: $0) }
        if usesJoin {
            // The array of a node that leaves is gone; when it joins again everything begins anew.
            if let index = program.procedures.firstIndex(where: { $0.name == "do_md_stop" }) {
                program.procedures[index].body.append(crash())
            }
            program.perNode += [.init(Bit.alreadyInCluster, initial: 1), .init(Bit.pendingRecvEvent)]
            program.replace(ackBast)
            program.procedures += joining.flatMap {
                [run($0, program, told: crashing), join($0), loadBitmaps(joining), gather($0)]
            }.reduce(into: []) { list, item in if !list.contains(item) { list.append(item) } }
        }
        leaveBits(&program, workload)
    }

    /// Nodes whose first operation is to join.
    private func absent(_ workload: Workload) -> Set<Int> {
        Set((0..<nodes).filter { workload.processes[$0].contains { $0.first == "join" } })
    }

    // MARK: Going

    /// What a node that leaves in order adds to leave().
    private func leaveBits(_ program: inout Program, _ workload: Workload) {
        guard !slots.isEmpty, program.procedure(named: "leave") != nil else { return }
        let (slots, dirty) = (slots, dirty)
        let leaving = (0..<nodes).filter { workload.uses("stop", on: $0) }
        program.change("leave") { statement in
            switch statement {
            case .call("md_unregister_thread_recv", _, _):
                return dirty.isEmpty
                    ? [statement]
                    : [assign(Name.stopRecover, 1), wait(!.running(Name.recover)), statement]
            case .atomic(let body):
                let bits = dirty.filter(leaving.contains).map { slot in
                    let own = assign(Self.bits(slot), .v(Name.dirty))
                    return leaving == [slot] ? own : when_(.v("$self") == slot) { own }
                }
                // Its own, and what another function may still hold: unlock_all_bitmaps.
                let locks = slots.map { call("dlm_lock_sync_now", "res" <- Self.bitmap($0), "mode" <- .nl) }
                return [.atomic(body + bits + locks)]
            default: return [statement]
            }
        }
    }

    /// The node is gone at once; later DLM has recovered, its locks are free, and the others hear of it.
    private func crashNode(_ slot: Int, _ locks: [String]) -> Procedure {
        Procedure("crash(\(slot))", source: "fs/dlm/recoverd.c: ls_recover; the node itself does nothing any more") {
            atomic {
                assign(Self.bits(slot), .v(Name.dirty))
                crash()
            }
            atomic {
                for lock in locks { call("dlm_recover_purge", "lock" <- lock) }
                assign(Self.isDown(slot), 1)
            }
        }
    }

    private static let purge = Procedure(
        "dlm_recover_purge", parameters: ["lock"], source: "fs/dlm/lock.c: dlm_recover_purge"
    ) {
        atomic {
            Statement.cancel("$lock")
            call("dlm_lock_sync_now", "res" <- "$lock", "mode" <- .nl)
        }
    }

    // MARK: Taking over

    /// The callback recover_slot runs in DLM's context and only wakes this thread, so it is part of its wait.
    private func recoverBitmaps(_ workload: Workload) -> Procedure {
        let slots = dirty
        let told = slots.filter { workload.uses("crash", on: $0) }.map { slot in
            // A node does not hear of its own end.
            until(.v("$self") != slot && .v(Self.isDown(slot)) == 1 && .v(Self.isTold(slot)) == 0) {
                assign(Self.isTold(slot), 1)
                assign(Self.recoveryMap(slot), 1)
            }
        }
        return Procedure(
            "recover_bitmaps", source: "md-cluster.c: recover_bitmaps, recover_slot, called by md.c: md_thread"
        ) {
            loop {
                Statement.wait(
                    [until(.v(Name.stopRecover) == 1) { leave() }] + told
                        + slots.map { until(.v(Self.recoveryMap($0)) == 1) }, idle: true)
                for slot in slots.reversed() {
                    when_(.v(Self.recoveryMap(slot)) == 1) { call("recover_bitmaps(\(slot))") }
                }
            }
        }
    }

    private func recover(_ slot: Int) -> Procedure {
        Procedure(
            "recover_bitmaps(\(slot))", locals: ["ret": 2, "hi": 2], source: "md-cluster.c: recover_bitmaps"
        ) {
            call("dlm_lock_sync_interruptible", "res" <- Self.bitmap(slot), "mode" <- .pw, result: "ret")
            when_(.v("ret") == 0) {
                // md_bitmap_copy_from_slot(clear_bits): nobody else touches the slot while its lock is held.
                atomic {
                    require(
                        .granted(Self.bitmap(slot), .pw), "D13.lock",
                        "a slot's bits are taken over with its bitmap lock in PW")
                    assign("hi", .v(Self.bits(slot)))
                    assign(Self.bits(slot), 0)
                }
                assign(Name.window, 0)
                when_(.v("hi") == 1) {
                    assign(Name.dirty, 1)
                    assign(Flag.remote, 0)
                    atomic {
                        assign(Flag.needed, 1)
                        call("md_wakeup_thread")
                    }
                }
            }
            atomic {
                call("dlm_lock_sync_now", "res" <- Self.bitmap(slot), "mode" <- .nl)
                assign(Self.recoveryMap(slot), 0)
            }
        }
    }

    /// BITMAP_NEEDS_SYNC: the sender is about to leave its bits behind.
    private var recoverSlot: Procedure {
        Procedure("__recover_slot", source: "md-cluster.c: __recover_slot") {
            atomic {
                Statement.require(.v(Name.stopRecover) == 0, Rules.recoveryThreadIsBack)
                for slot in dirty {
                    let map = assign(Self.recoveryMap(slot), 1)
                    if dirty.count == 1 { map } else { when_(.v(Name.from) == slot + 1) { map } }
                }
            }
        }
    }

    // MARK: Coming

    /// ALREADY_IN_CLUSTER is not set before the array runs; a BAST that comes before is kept.
    private var ackBast: Procedure {
        Procedure("ack_bast", source: "md-cluster.c: ack_bast") {
            loop {
                wait(idle: true) {
                    until(.v(Name.bast) == 1) {
                        assign(Name.bast, 0)
                        when_(.v(Bit.alreadyInCluster) == 1) {
                            assign(Name.wakeReceive, 1)
                        } else: {
                            assign(Bit.pendingRecvEvent, 1)
                        }
                    }
                }
            }
        }
    }

    /// mdadm reads the superblocks, and then has the array run.
    private func run(_ slot: Int, _ program: Program, told: [Int]) -> Procedure {
        Procedure("do_md_run(\(slot))", source: "md.c: md_add_new_disk, md_run, do_md_run; md-bitmap.c: md_bitmap_load")
        {
            atomic {
                for device in Device.all {
                    // All that a crash or a stop has left is 0.
                    if program.initial(device.state) != 0 { assign(device.state, program.initial(device.state)) }
                    when_(.v(device.role) == 1) { assign(device.state, Device.faultyOut) }
                }
                assign(Name.size, .v(Name.diskSize))
                assign(Name.capacity, .v(Name.diskSize))
                for other in told where other != slot { assign(Self.isTold(other), .v(Self.isDown(other))) }
            }
            mutex_lock(Mutex.reconfig)
            start(Name.raid1d)
            call("join(\(slot))")
            call("load_bitmaps", "slot" <- slot)
            if dirty.contains(slot) {
                // md_bitmap_init_from_disk: its own bits of the last time.
                atomic {
                    when_(.v(Self.bits(slot)) == 1) {
                        assign(Self.bits(slot), 0)
                        assign(Name.dirty, 1)
                    }
                }
            }
            assign(Flag.needed, 1)
            call("md_wakeup_thread")
            // md_allow_write: clustered arrays are never clean while they run.
            call("md_update_sb")
            call("mddev_unlock")
        }
    }

    private func join(_ slot: Int) -> Procedure {
        Procedure("join(\(slot))", locals: ["ret": 2], source: "md-cluster.c: join") {
            atomic {
                start(Name.receive)
                start(Name.dlm)
                if !dirty.isEmpty { start(Name.recover) }
            }
            call("dlm_lock_sync", "res" <- Name.token, "mode" <- .ex, result: "ret")
            // While the token is held nobody else has ack in EX.
            atomic {
                call("dlm_lock_sync_now", "res" <- Name.ack, "mode" <- .cr)
                assign(Name.joined, 1)
            }
            call("dlm_lock_sync", "res" <- Name.token, "mode" <- .nl, result: "ret")
            call("dlm_lock_sync", "res" <- Name.noNewDev, "mode" <- .cr, result: "ret")
            call("dlm_lock_sync", "res" <- Self.bitmap(slot), "mode" <- .pw, result: "ret")
        }
    }

    private func loadBitmaps(_ joining: [Int]) -> Procedure {
        Procedure("load_bitmaps", parameters: ["slot"], source: "md-cluster.c: load_bitmaps") {
            if joining.count == 1 {
                call("gather_all_resync_info(\(joining[0]))")
            } else {
                for slot in joining { when_(.v("$slot") == slot) { call("gather_all_resync_info(\(slot))") } }
            }
            assign(Bit.alreadyInCluster, 1)
            when_(.v(Bit.pendingRecvEvent) == 1) {
                atomic {
                    assign(Bit.pendingRecvEvent, 0)
                    assign(Name.wakeReceive, 1)
                }
            }
        }
    }

    /// A slot whose lock is not to be had is of a node that runs: what it resyncs is in the lock's LVB.
    private func gather(_ slot: Int) -> Procedure {
        Procedure(
            "gather_all_resync_info(\(slot))", locals: ["ret": 3, "error": 2],
            source: "md-cluster.c: gather_all_resync_info, read_resync_info"
        ) {
            for other in others(than: slot) {
                let read = atomic {
                    if slots.contains(other) {
                        require(
                            .granted(Self.bitmap(other), .cr), "lvb.bitmap",
                            "the LVB of a bitmap lock is read while the lock is CR")
                    }
                    when_(.on(other, .v(Name.ownWindow)) == 1) { assign(Name.window, 1) }
                }
                if slots.contains(other) {
                    Statement.convert(Self.bitmap(other), .pw, noQueue: true, result: "ret")
                    when_(.v("ret") != 0) {
                        call("dlm_lock_sync", "res" <- Self.bitmap(other), "mode" <- .cr, result: "error")
                        read
                    } else: {
                        if dirty.contains(other) {
                            atomic {
                                when_(.v(Self.bits(other)) == 1) {
                                    assign(Name.dirty, 1)
                                    assign(Flag.needed, 1)
                                }
                            }
                        }
                    }
                    call("dlm_lock_sync", "res" <- Self.bitmap(other), "mode" <- .nl, result: "error")
                } else {
                    read
                }
            }
        }
    }
}

extension Program {
    fileprivate func initial(_ variable: String) -> Int { perNode.first { $0.name == variable }?.initial ?? 0 }
}
