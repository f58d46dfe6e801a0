// SPDX-License-Identifier: GPL-2.0
import ProcedureModel

/// A small workload with what must come of it: what a mutation trial looks at beyond the rules that hold for every workload.
public struct MutationWorkload: Sendable {
    public var text: String
    public var nodes: Int
    /// Rules that are left out, by how their names begin: known findings of the reference itself (docs/findings.md).
    var without: [String]
    var outcome: @Sendable (_ nodes: Range<Int>) -> [Program.Rule]

    init(
        _ text: String, nodes: Int = 2, without: [String] = [],
        _ outcome: @escaping @Sendable (Range<Int>) -> [Program.Rule] = { _ in [] }
    ) {
        self.text = text
        self.nodes = nodes
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

    public static let all: [MutationWorkload] = [
        MutationWorkload("fail/") { [atRest("b is out", $0, .v(b.state) == Device.faultyOut && .v(b.role) == 1)] },
        MutationWorkload("/fail") { [atRest("c is out", $0, .v(c.state) == Device.faultyOut && .v(c.role) == 1)] },
        MutationWorkload("stop/") { _ in [atRest("node1 has left", 0..<1, .v(Name.joined) == 0)] },
        MutationWorkload("grow/") { [atRest("all have the new size", $0, .v(Name.capacity) == 1)] },
        MutationWorkload("grow") { [atRest("all have the new size", $0, .v(Name.capacity) == 1)] },
        MutationWorkload("resync/") { [atRest("nobody is dirty", $0, .v(Name.dirty) == 0)] },
        MutationWorkload("add/") { [happens("b is a spare", $0, .v(b.state) == Device.spare)] },
        MutationWorkload("add,fail/"),
        MutationWorkload("fail,remove/", without: ["I10"]) {
            [
                happens("b is gone", $0, .v(b.state) == Device.absent),
                atRest("b is gone from node1", 0..<1, .v(b.state) == Device.absent),
            ]
        },
        MutationWorkload("/fail,remove", without: ["I10"]) {
            [happens("c is gone", $0, by: 1, .v(c.state) == Device.absent)]
        },
        MutationWorkload("fail,re-add/"), MutationWorkload("/fail,re-add"),
        MutationWorkload("fail/stop"), MutationWorkload("resync/stop"), MutationWorkload("grow/add"),
        MutationWorkload("resync+grow/"), MutationWorkload("resync+stop/"), MutationWorkload("fail"),
    ]
}
