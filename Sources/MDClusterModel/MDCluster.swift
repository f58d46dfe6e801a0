// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import ModelChecker
import ProcedureModel

/// The reference model of md-cluster: nodes that run an array with two mirrors, as a program and as something to
/// explore.
///
///     let machine = try Machine(MDCluster.program(variant: "v5.11", nodes: 2, workload: Workload("fail", nodes: 2)))
///     let result = Search(machine).run()
public enum MDCluster {
    /// The program of a variant. Throws if there is no such variant.
    public static func program(variant: String, nodes: Int, workload: Workload) throws(ModelError) -> Program {
        guard (2...4).contains(nodes) else { throw .unsupportedNodes(nodes) }
        guard let change = Variants.all.first(where: { $0.name == variant }) else {
            throw .unknownVariant(variant, known: Variants.all.map(\.name))
        }
        var program = reference(nodes: nodes, workload: workload)
        program.name = variant
        change.apply(&program)
        return program
    }

    /// What Linux 6.1 has: `v5.11`.
    static func reference(nodes: Int, workload: Workload) -> Program {
        var program = Program(name: "v5.11", nodes: nodes)
        addVariables(to: &program, workload)
        program.locks = [
            .init(Name.token), .init(Name.message, releasedBy: Name.receive),
            .init(Name.ack, initial: .cr, blockedSets: Name.bast, releasedBy: Name.receive),
            .init(Name.noNewDev, initial: .cr), .init(Name.resyncLock, releasedBy: Name.raid1d),
        ]
        program.mutexes = [Mutex.reconfig, Mutex.receive]
        program.queues = [Queue.cinfo, Queue.thread]
        let everyone = Set(0..<nodes)
        let usesAdd = workload.uses("add")
        program.threads = [
            .init(Name.receive, procedure: "recv_daemon", runsOn: everyone),
            .init(Name.raid1d, procedure: "raid1d", runsOn: everyone),
            .init(Name.resync, procedure: "md_do_sync"),
            .init(Name.dlm, procedure: "ack_bast", runsOn: everyone),
            .init(Name.confirm, procedure: "new_disk_ack", existsOn: usesAdd ? everyone : []),
        ]
        program.procedures =
            Communication.procedures + Receiver.procedures + RaidThread.procedures + Operations.procedures
        addProcesses(to: &program, workload)
        if !usesAdd {
            // Without the confirming process the handler is never called; it must still compile.
            program.threads.removeAll { $0.name == Name.confirm }
            program.replace(Procedure("process_add_new_disk") { return_(0) })
        }
        if workload.uses("delay") {
            program.shared.append(.init(Name.delay))
            program.procedures.append(Operations.delay)
        }
        if workload.uses("suspend") { Suspend.add(to: &program) }
        let membership = Membership(workload, nodes: nodes)
        membership.add(to: &program, workload: workload)
        program.rules = Rules.all(nodes: nodes, membership)
        if !membership.usesCrash {
            let isAwaited = Expression.any(everyone.sorted().map { .on($0, .converting(Name.ack)) })
            program.insert(
                [require(isAwaited, "I11.looks", "I11: recv_daemon looks at the message once for each BAST")],
                into: "recv_daemon"
            ) { $0 == call("dlm_lock_sync", "res" <- Name.message, "mode" <- .cr, result: "error") }
        }
        return program
    }

    private static func addVariables(to program: inout Program, _ workload: Workload) {
        program.shared = [
            .init(Name.type, values: 8), .init(Name.from, values: program.nodes + 1, holdsNode: true),
            .init(Name.device),
            .init(Name.high),
            .init(Name.diskSize),
        ]
        // A device that is added first was not there before.
        let added = Set(
            workload.processes.enumerated().flatMap { node, list in
                list.contains { $0.first == "add" } ? [node % 2] : []
            })
        let flags = [
            Bit.waitingForNewDisk, Bit.sendLock, Bit.sendLockedAlready, Bit.holding, Flag.needed, Flag.running,
            Flag.done,
            Flag.interrupted, Flag.frozen, Flag.remote, Flag.changeDevs, Flag.changePending, Flag.closing,
            Flag.resyncLocked,
            Name.wakeRaid1d, Name.stopRaid1d, Name.wakeReceive, Name.stopReceive, Name.bast, Name.handled,
            Name.reloaded,
            Name.threadGone, Name.dirty, Name.window, Name.ownWindow, Name.newDiskAnswer, Name.size, Name.capacity,
        ]
        program.perNode =
            flags.map { .init($0) } + [
                .init(Name.joined, initial: 1)
            ]
        for device in Device.all {
            let isAbsent = added.contains(device.number)
            program.shared.append(.init(device.role))
            program.perNode.append(
                .init(device.state, values: Device.states, initial: isAbsent ? Device.absent : Device.active))
            program.perNode.append(.init(device.clusterRemove))
        }
    }

    /// The programs that the nodes run, by name "mdadm on node1".
    private static func addProcesses(to program: inout Program, _ workload: Workload) {
        for (node, processes) in workload.processes.enumerated() {
            for (index, operations) in processes.enumerated() {
                let thread = index == 0 ? Name.mdadm : "\(Name.mdadm)\(index + 1)"
                let name = "\(thread) on node\(node + 1)"
                program.procedures.append(
                    Procedure(name) {
                        for operation in operations { call(Operations.procedure(for: operation, node: node)) }
                    })
                program.threads.append(.init(thread, procedure: name, runsOn: [node], existsOn: [node]))
            }
        }
    }
}
