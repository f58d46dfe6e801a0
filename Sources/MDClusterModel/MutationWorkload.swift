// SPDX-License-Identifier: GPL-2.0
import ProcedureModel

/// A small workload with what must come of it: what a mutation trial looks at beyond the rules that hold for every workload.
public struct MutationWorkload: Sendable {
    public var text: String
    public var nodes: Int
    /// No more states than these are looked at: enough for what this workload is to show.
    public var states: Int
    /// Rules that are left out, by how their names begin: known findings of the reference itself (docs/findings.md).
    var without: [String]
    var outcome: @Sendable (_ nodes: Range<Int>) -> [Program.Rule]

    init(
        _ text: String, nodes: Int = 2, states: Int = .max, without: [String] = [],
        _ outcome: @escaping @Sendable (Range<Int>) -> [Program.Rule] = { _ in [] }
    ) {
        self.text = text
        self.nodes = nodes
        self.states = states
        self.without = without
        self.outcome = outcome
    }

    public var name: String { nodes == 2 ? text : "\(text) on \(nodes) nodes" }

    /// The reference with this workload and all that must hold of it; nothing may run in circles.
    public func program() throws -> Program {
        var program = try MDCluster.program(variant: "v5.11", nodes: nodes, workload: Workload(text, nodes: nodes))
        for beginning in without { _ = program.removeRules(beginning: beginning) }
        program.rules += outcome(0..<nodes)
        program.mustComeToRest = true
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
    private static let forgotten = ["b", "c"].flatMap {
        ["I10: at rest all nodes agree on device \($0)", "I10: at rest no removal of device \($0)"]
    }

    private static func isBack(_ nodes: Range<Int>) -> [Program.Rule] {
        [
            atRest("all have joined", nodes, .v(Name.joined) == 1 && .v(Bit.alreadyInCluster) == 1),
            atRest("node1 has its bitmap", 0..<1, .granted(Membership.bitmap(0), .pw) && .granted(Name.noNewDev, .cr)),
            atRest("its threads run", 0..<1, .running(Name.raid1d) && .running(Name.receive) && .running(Name.dlm)),
        ]
    }

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
        MutationWorkload("fail,stop/") { _ in [.init(.atEnd, "at rest the superblocks say it", .v(b.role) == 1)] },
        MutationWorkload("fail,resync/", states: 200_000), MutationWorkload("resync/join"),
        MutationWorkload("fail") {
            [
                atRest("b is out", $0, .v(b.state) == Device.faultyOut && .v(b.role) == 1),
                atRest("c is out", $0, .v(c.state) == Device.faultyOut && .v(c.role) == 1),
            ]
        },
        MutationWorkload("stop/") { _ in [atRest("node1 has left", 0..<1, .v(Name.joined) == 0)] },
        MutationWorkload("grow/") { [atRest("all have the new size", $0, .v(Name.capacity) == 1)] },
        MutationWorkload("grow") { [atRest("all have the new size", $0, .v(Name.capacity) == 1)] },
        MutationWorkload("resync/") { nodes in
            [
                happens("the other keeps clear", 1..<2, .v(Name.window) == 1 && .v(Flag.remote) == 1),
                happens("it is known from whom", 1..<2, .v(Name.windowFrom) == 1),
                happens("it resyncs", 0..<1, .v(Name.dirty) == 1),
                atRest("nobody is named", nodes, .v(Name.windowFrom) == 0),
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
        MutationWorkload("add,grow/") { [atRest("no-new-dev is CR", $0, .granted(Name.noNewDev, .cr))] },
        MutationWorkload("add,fail/"), MutationWorkload("/add,fail"),
        MutationWorkload("add,remove/", without: forgotten), MutationWorkload("/add,remove", without: forgotten),
        MutationWorkload("fail,remove/", without: forgotten) {
            [
                happens("b is gone", $0, .v(b.state) == Device.absent),
                atRest("b is gone from node1", 0..<1, .v(b.state) == Device.absent),
            ]
        },
        MutationWorkload("/fail,remove", without: forgotten) {
            [
                happens("c is gone", $0, by: 1, .v(c.state) == Device.absent),
                atRest("c is gone from node2", 1..<2, .v(c.state) == Device.absent),
            ]
        },
        MutationWorkload("fail,sysfs-remove/", without: forgotten),
        MutationWorkload("/fail,sysfs-remove", without: forgotten),
        MutationWorkload("fail,remove,remove/", without: forgotten),
        MutationWorkload("remove/") { [atRest("b is still there", $0, .v(b.state) == Device.active)] },
        MutationWorkload("/remove") { [atRest("c is still there", $0, .v(c.state) == Device.active)] },
        MutationWorkload("re-add/"),
        MutationWorkload("/re-add"),
        MutationWorkload("fail,fail/"), MutationWorkload("/fail,fail"), MutationWorkload("grow,grow/"),
        MutationWorkload("fail,re-add/"), MutationWorkload("/fail,re-add"),
        MutationWorkload("fail/stop"), MutationWorkload("resync/stop"), MutationWorkload("grow/add"),
        MutationWorkload("resync+grow/"),
        MutationWorkload("resync,stop/", without: ["I12: at rest"]) {
            _ in [atRest("the other has it done", 1..<2, .v(Name.dirty) == 0 && .v(Name.joined) == 1)]
        },
        MutationWorkload("resync,crash/", without: ["I12: at rest", "WARN_ON in process_recvd_msg"]),
        MutationWorkload("crash/"), MutationWorkload("crash,join/stop"), MutationWorkload("join/") { isBack($0) },
        // v4.12's deadlock needs 480,000 states.
        MutationWorkload("fail/resync,fail", states: 500_000),
        MutationWorkload("stop,join/") { isBack($0) }, MutationWorkload("suspend+fail/"),
        MutationWorkload("suspend/fail"),
    ]
}
