// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import ProcedureModel

/// The reference model as a recorded kernel is held against it.
///
/// md-cluster.c's procedures, the DLM and the mutexes are those of the reference, with the variant's changes. What
/// calls them, md.c and user space, is replaced by the most general caller that md.c's locking permits: it may do
/// anything that md.c does there at any time, and what it did do is said by the recorded calls. Nothing begins: no node
/// has joined.
///
/// Each procedure that a trace can show has steps without effect at its entry and its returns. A step is known by the
/// innermost procedure of its place, and its label is that procedure with its arguments (`TraceLabel`): it is printed
/// exactly as the event is, "enter lock_comm(1)", "dlm_lock_start(token, EX)", "return __sendmsg(0)".
public enum ObservedProgram {
    /// - Parameters:
    ///   - processes: how many processes of a node can be inside md at once.
    ///   - hasDeath: a node may die: DLM gives its locks to others.
    public static func make(
        variant: String, nodes: Int, processes: Int, hasDeath: Bool = false
    ) throws(ModelError) -> Program {
        // A workload with an addition has the confirming process, which some variants change.
        var program = try MDCluster.program(
            variant: variant, nodes: nodes, workload: Workload("add", nodes: nodes))
        program.name = variant
        program.rules = []
        program.procedures = program.procedures.map { Instrumentation.withoutRules($0) }
        program.procedures += Marker.procedures
        GeneralCaller.install(in: &program, processes: processes, hasDeath: hasDeath)
        for index in program.procedures.indices { Instrumentation.apply(to: &program.procedures[index]) }
        if program.procedure(named: "dlm_lock_sync")?.parameters.contains("late") ?? false {
            Variants.nameFlags(&program)
        }
        program.perNode.append(.init(Marker.variable, values: 1))
        return program
    }

    /// Name of the thread that stands for the `number`th process, from 0.
    public static func process(_ number: Int) -> String { "process\(number + 1)" }
    public static let raid1d = Name.raid1d
    public static let receive = Name.receive
    public static let resync = Name.resync
    public static let callback = Name.dlm

    /// Variables and mutexes of a node whose values a snapshot of a kernel shows too.
    public static let waitingForNewDisk = Bit.waitingForNewDisk
    public static let sendLock = Bit.sendLock
    public static let sendLockedAlready = Bit.sendLockedAlready
    public static let holding = Bit.holding
    public static let isMember = Name.joined
    public static let resyncedByOther = Flag.remote
    public static let reconfigMutex = Mutex.reconfig
    public static let receiveMutex = Mutex.receive

    /// Functions whose entry and return a trace can show, and which of their arguments are compared, in this order.
    public static let arguments: [String: [String]] = [
        "join": [], "leave": [], "lock_comm": ["mddev_locked"], "unlock_comm": [], "metadata_update_start": [],
        "metadata_update_finish": [], "metadata_update_cancel": [], "__sendmsg": ["type", "raid_slot"],
        "recv_daemon": [],
        "update_size": [], "add_new_disk": [], "new_disk_ack": ["ack"], "remove_disk": [], "gather_bitmaps": [],
        "resync_start": [], "resync_info_update": ["hi"], "resync_finish": [], "md_reload_sb": ["nr"],
        "mddev_unlock": [], "md_wakeup_thread": [], "md_check_recovery": [], "load_bitmaps": [],
        "resync_start_notify": [],
    ]
    /// Functions that return nothing; what a return probe reads is no value.
    public static let voidFunctions: Set<String> = [
        "unlock_comm", "metadata_update_cancel", "recv_daemon", "update_size", "md_reload_sb",
    ]
    /// Device numbers that are told apart in a message and in md_reload_sb.
    public static let deviceNumbers = 16
}

/// Steps that stand for an event of a trace.
public enum Marker {
    static let variable = "trace"

    public static func isOne(_ procedure: String) -> Bool { TraceMark(procedure: procedure) != nil }

    static let procedures: [Procedure] = TraceMark.all.map { mark in
        Procedure(mark.procedure, parameters: mark.parameters, source: "the trace") { assign(variable, 0) }
    }

    static func show(_ mark: TraceMark, _ values: [Argument.Value] = []) -> Statement {
        .call(
            mark.procedure, zip(mark.parameters, values).map { Argument(name: $0, value: $1) }, result: nil)
    }

    static func enter(_ function: String, _ values: Argument.Value...) -> Statement { show(.enter(function), values) }
    static func returned(_ function: String, _ value: Int) -> Statement { show(.returned(function), [.number(value)]) }
    static func start(_ resource: String, _ mode: Argument.Value, _ kind: String) -> Statement {
        show(.lockStart, [.symbol(resource), mode, .symbol(kind)])
    }
    static func ast(_ resource: String, _ status: String) -> Statement {
        show(.ast, [.symbol(resource), .symbol(status)])
    }
    /// The thread goes on, and the answer has not come for 30 seconds.
    static func gaveUp(_ resource: String) -> Statement { show(.lockTimeout, [.symbol(resource)]) }
    /// dlm_lock refused at once.
    static func lockEnd(_ resource: String, _ status: String) -> Statement {
        show(.lockEnd, [.symbol(resource), .symbol(status)])
    }
    static func unlock(_ resource: String, _ kind: String) -> Statement {
        show(.unlockStart, [.symbol(resource), .symbol(kind)])
    }
}
