// SPDX-License-Identifier: GPL-2.0
import ProcedureModel

/// A small workload with what must come of it: what a mutation trial looks at beyond the rules that hold for every
/// workload.
public struct MutationWorkload: Sendable {
    public var text: String
    public var nodes: Int
    /// No more states than these are looked at: enough for what this workload is to show.
    public var states: Int
    /// Whether it is explored with reduction, and without asking whether the system can come to rest: for large ones.
    public var isReduced: Bool
    /// The procedures whose faults it is for; all if there is none.
    var procedures: Set<String>
    /// Rules that are left out, by how their names begin: known findings of the reference itself (docs/findings.md).
    var without: [RuleID]
    /// Locks that nodes hold at first, and for ever if nobody gives them up.
    var held: [Program.Held]
    /// Other values that shared variables have at first.
    var shared: [String: Int]
    var outcome: @Sendable (_ nodes: Range<Int>) -> [Program.Rule]

    init(
        _ text: String, nodes: Int = 2, states: Int = .max, isReduced: Bool = false, for procedures: Set<String> = [],
        without: [RuleID] = [], held: [Program.Held] = [],
        shared: [String: Int] = [:],
        _ outcome: @escaping @Sendable (Range<Int>) -> [Program.Rule] = { _ in [] }
    ) {
        self.text = text
        self.nodes = nodes
        self.states = states
        self.isReduced = isReduced
        self.procedures = procedures
        self.without = without
        self.held = held
        self.shared = shared
        self.outcome = outcome
    }

    public var name: String { nodes == 2 ? text : "\(text) on \(nodes) nodes" }

    /// The reference with this workload and all that must hold of it; nothing may run in circles.
    public func program() throws -> Program {
        var program = try MDCluster.program(variant: "v5.11", nodes: nodes, workload: Workload(text, nodes: nodes))
        for id in without { _ = program.removeRules(id) }
        program.held += held
        for (name, value) in shared {
            guard let index = program.shared.firstIndex(where: { $0.name == name }) else { continue }
            program.shared[index].initial = value
        }
        program.rules += outcome(0..<nodes)
        program.mustComeToRest = !isReduced
        return program
    }

    private static func atRest(_ name: String, _ nodes: Range<Int>, _ condition: Expression) -> Program.Rule {
        .init(.atEnd, "at rest \(name)", .all(nodes.map { .on($0, condition) }))
    }
    /// When all that node `by` was to do is done.
    private static func happens(_ name: String, _ nodes: Range<Int>, by: Int = 0, _ condition: Expression)
        -> Program.Rule
    {
        .init(.sometimes, name, .all(nodes.map { .on($0, condition) }) && .on(by, !.running(Name.mdadm)))
    }

    private static let b = Device.all[0]
    private static let c = Device.all[1]

    /// docs/findings.md, "A removal is forgotten".
    private static let forgotten: [RuleID] = ["I10.rest.agree", "I10.rest.removal"]

    private static func sometimes(_ name: String, _ condition: Expression) -> Program.Rule {
        .init(.sometimes, name, condition)
    }
    private static func always(_ name: String, _ condition: Expression) -> Program.Rule {
        .init(.always, name, condition)
    }

    /// Node 1 has joined as it should.
    private static func isBack(_ nodes: Range<Int>, recovers: Bool = false) -> [Program.Rule] {
        [
            atRest("node1 has joined", 0..<1, .v(Name.joined) == 1 && .v(Bit.alreadyInCluster) == 1),
            atRest("node1 has its locks", 0..<1, .granted(Membership.bitmap(0), .pw) && .granted(Name.noNewDev, .cr)),
            atRest(
                "its threads run", 0..<1,
                .running(Name.raid1d) && .running(Name.receive) && .running(Name.dlm)
                    && (recovers ? .running(Name.recover) : .always)),
        ]
    }

    /// With another node that holds the resync lock all the time.
    private static let resyncsElsewhere = Program.Held(lock: Name.resyncLock, node: 1, mode: .ex)

    /// Node 2 resyncs.
    private static let recoverer = Expression.on(1, .inside(thread: Name.resync, procedure: "resync_info_update"))

    public static let all: [MutationWorkload] = [
        MutationWorkload("fail/") {
            [
                atRest("b is out", $0, .v(b.state) == Device.faultyOut && .v(b.role) == 1),
                atRest("c is not", $0, .v(c.state) == Device.active && .v(c.role) == 0),
            ]
        },
        MutationWorkload("/fail") {
            [
                atRest("c is out", $0, .v(c.state) == Device.faultyOut && .v(c.role) == 1),
                atRest("b is not", $0, .v(b.state) == Device.active && .v(b.role) == 0),
            ]
        },
        MutationWorkload("fail,stop/", isReduced: true) { _ in
            [.init(.atEnd, "at rest the superblocks say it", .v(b.role) == 1)]
        },
        MutationWorkload("fail", isReduced: true) {
            [
                atRest("b is out", $0, .v(b.state) == Device.faultyOut && .v(b.role) == 1),
                atRest("c is out", $0, .v(c.state) == Device.faultyOut && .v(c.role) == 1),
            ]
        },
        MutationWorkload("stop/") { _ in [atRest("node1 has left", 0..<1, .v(Name.joined) == 0)] },
        MutationWorkload("grow/") { [atRest("all have the new size", $0, .v(Name.capacity) == 1)] },
        MutationWorkload("grow", isReduced: true) { [atRest("all have the new size", $0, .v(Name.capacity) == 1)] },
        MutationWorkload("resync/") { _ in
            [
                happens("the other keeps clear", 1..<2, .v(Name.window) == 1 && .v(Flag.remote) == 1),
                happens("it resyncs", 0..<1, .v(Name.dirty) == 1),
            ]
        },
        MutationWorkload("add/") {
            [
                happens("b is a spare", $0, .v(b.state) == Device.spare),
                happens("b is refused", $0, .v(b.state) == Device.absent),
                atRest("no-new-dev of node1 is CR", 0..<1, .granted(Name.noNewDev, .cr)),
            ]
        },
        MutationWorkload("/add") { [happens("c is a spare", $0, by: 1, .v(c.state) == Device.spare)] },
        MutationWorkload("add,add/"), MutationWorkload("/add,add"),
        MutationWorkload("add,grow/") { [atRest("no-new-dev is CR", $0, .granted(Name.noNewDev, .cr))] },
        MutationWorkload("add,fail/"), MutationWorkload("/add,fail"),
        MutationWorkload("add,remove/", without: forgotten), MutationWorkload("/add,remove", without: forgotten),
        MutationWorkload("fail,remove/", isReduced: true, without: forgotten) {
            [
                happens("b is gone", $0, .v(b.state) == Device.absent),
                atRest("b is gone from node1", 0..<1, .v(b.state) == Device.absent),
            ]
        },
        MutationWorkload("/fail,remove", isReduced: true, without: forgotten) {
            [
                happens("c is gone", $0, by: 1, .v(c.state) == Device.absent),
                atRest("c is gone from node2", 1..<2, .v(c.state) == Device.absent),
            ]
        },
        MutationWorkload("fail,sysfs-remove/", isReduced: true, without: forgotten) { _ in
            [atRest("b is gone from node1", 0..<1, .v(b.state) == Device.absent)]
        },
        MutationWorkload("/fail,sysfs-remove", isReduced: true, without: forgotten) { _ in
            [atRest("c is gone from node2", 1..<2, .v(c.state) == Device.absent)]
        },
        MutationWorkload("fail,remove,remove/", isReduced: true, without: forgotten),
        MutationWorkload("remove/") { [atRest("b is still there", $0, .v(b.state) == Device.active)] },
        MutationWorkload("/remove") { [atRest("c is still there", $0, .v(c.state) == Device.active)] },
        MutationWorkload("re-add/") { [atRest("nothing was said", $0, .v(Name.from) == 0)] },
        MutationWorkload("/re-add") { [atRest("nothing was said", $0, .v(Name.from) == 0)] },
        MutationWorkload("fail,fail/"), MutationWorkload("/fail,fail"), MutationWorkload("grow,grow/"),
        MutationWorkload("fail,re-add/", isReduced: true), MutationWorkload("/fail,re-add", isReduced: true),
        MutationWorkload("fail/stop", isReduced: true), MutationWorkload("stop/resync", isReduced: true),
        // A confirmation that comes too late.
        MutationWorkload("grow/add", isReduced: true) {
            [
                atRest(
                    "no-new-dev is CR, or c is a spare", $0, .granted(Name.noNewDev, .cr) || .v(c.state) == Device.spare
                )
            ]
        },
        MutationWorkload("fail,resync/", states: 200_000),
        MutationWorkload("resync,fail/", isReduced: true, for: ["md_check_recovery", "md_do_sync", "md_error"]) { _ in
            [
                sometimes(
                    "while a resync runs, raid1d has seen that something is needed",
                    .on(0, .v(Flag.running) == 1 && .v(Flag.interrupted) == 1 && .v(Flag.needed) == 0))
            ]
        },
        MutationWorkload("resync+grow/", isReduced: true),
        // Elsewhere a resync goes on: this one waits for the lock until the array is stopped.
        MutationWorkload(
            "resync,stop/", for: ["md_do_sync", "dlm_lock_sync_interruptible"],
            without: ["I8.rest.locks", "I12.rest"], held: [resyncsElsewhere]),
        MutationWorkload("resync,stop/", isReduced: true, without: ["I12.rest"]) { _ in
            [
                atRest("the other has it done", 1..<2, .v(Name.dirty) == 0 && .v(Name.joined) == 1),
                sometimes("the other takes over", .on(1, .v(Name.dirty) == 1)),
                always(
                    "who takes over keeps clear of nobody's window",
                    recoverer.implies(.on(1, .v(Flag.remote) == 0 && .v(Name.window) == 0))),
                always(
                    "the other is told no sooner than node1 stops",
                    Expression.on(1, .v(Membership.recoveryMap(0))).implies(
                        .on(0, .v(Flag.closing) == 1 || .v(Name.joined) == 0))),
            ]
        },
        MutationWorkload("/resync,stop", for: ["__recover_slot", "leave"], without: ["I12.rest"]) { _ in
            [sometimes("node1 takes over", .on(0, .v(Name.dirty) == 1))]
        },
        // The other node resyncs, and its lock becomes free only by its end.
        MutationWorkload(
            "resync,stop/crash", isReduced: true, for: ["leave"], without: ["I12.rest", "WARN_ON"],
            held: [resyncsElsewhere]),
        MutationWorkload("crash/") { _ in [always("nothing is left to resync", .on(1, .v(Name.dirty) == 0))] },
        MutationWorkload("resync,crash/", without: ["I12.rest", "WARN_ON.process_recvd_msg"]) { _ in
            [sometimes("the other takes over", .on(1, .v(Name.dirty) == 1))]
        },
        MutationWorkload("crash/crash/", nodes: 3, for: ["recover_bitmaps", "crash(0)", "dlm_recover_purge"]) { _ in
            [
                sometimes("node3 hears of node1", .on(2, .v(Membership.recoveryMap(0)) == 1)),
                sometimes("node3 hears of node2", .on(2, .v(Membership.recoveryMap(1)) == 1)),
            ]
        },
        MutationWorkload("join/") {
            isBack($0) + [
                atRest("all devices are used", $0, .v(b.state) == Device.active && .v(c.state) == Device.active)
            ]
        },
        MutationWorkload("stop,join/") { isBack($0) },
        MutationWorkload("crash,join/stop") {
            isBack($0, recovers: true) + [always("nothing is left to resync", .on(0, .v(Name.dirty) == 0))]
        },
        MutationWorkload("join,resync/stop", isReduced: true, for: ["gather_all_resync_info(0)"]) {
            isBack($0) + [
                always(
                    "node1 finds no bits",
                    Expression.on(0, .inside(thread: Name.mdadm, procedure: "do_md_run(0)")).implies(
                        .on(0, .v(Name.dirty) == 0)))
            ]
        },
        MutationWorkload("grow,stop,join/") {
            isBack($0) + [atRest("all have the new size", $0, .v(Name.capacity) == 1)]
        },
        MutationWorkload("fail,stop,join/", isReduced: true) { isBack($0) },
        MutationWorkload("join/fail", isReduced: true, without: ["I10"]) {
            isBack($0) + [
                sometimes(
                    "node1 finds c faulty", .on(0, .v(c.state) == Device.faultyOut && .v(Bit.alreadyInCluster) == 0))
            ]
        },
        MutationWorkload("join/resync", isReduced: true) { isBack($0) },
        // All nodes have been away, and node 1 has left bits behind.
        MutationWorkload(
            "join,crash/", isReduced: true, without: ["I12.rest", "WARN_ON.process_recvd_msg"],
            shared: [Membership.bits(0): 1]
        ) { _ in
            [
                sometimes("node1 has its own bits", .on(0, .v(Name.dirty) == 1) && .v(Membership.bits(0)) == 0),
                sometimes("node1 goes on with its own resync", .on(0, .running(Name.resync))),
            ]
        },
        MutationWorkload(
            "join/resync,stop", isReduced: true, for: ["gather_all_resync_info(0)", "load_bitmaps"],
            without: ["D13.rest.left", "I12.rest"]
        ) {
            isBack($0, recovers: true) + [
                sometimes(
                    "node1 finds what node2 has left",
                    .on(0, .v(Name.dirty) == 1 && .inside(thread: Name.mdadm, procedure: "gather_all_resync_info(0)")))
            ]
        },
        // The deadlocks of v4.12 and of a sleeper that is woken too early, with two threads of a node that want to
        // send.
        MutationWorkload("fail/resync,fail", states: 500_000, for: ["metadata_update_start"]),
        MutationWorkload("grow/resync,grow", isReduced: true, for: ["lock_comm"]),
        MutationWorkload("suspend+fail/", isReduced: true) { _ in
            [
                sometimes("the array is suspended", .on(0, .v(Flag.suspended) == 1)),
                sometimes(
                    "raid1d writes the superblock while the array is suspended",
                    .on(0, .v(Flag.suspended) == 1 && .inside(thread: Name.raid1d, procedure: "md_update_sb"))),
            ]
        },
        MutationWorkload("suspend/fail", isReduced: true),
    ]
}
