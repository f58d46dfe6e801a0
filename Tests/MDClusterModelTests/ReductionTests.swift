// SPDX-License-Identifier: GPL-2.0
import MDClusterModel
import ModelChecker
import ProcedureModel
import Testing

@Suite struct ReductionTests {
    @Test(arguments: [
        ("v5.11", "stop"), ("v5.11", "fail/"), ("v5.11", "add/"), ("v5.11", "grow/"), ("v5.11", "resync/"),
        ("v5.11", "fail,remove/"), ("v5.11", "add,sysfs-remove/"), ("async", "fail"), ("naive-sync", "fail"),
        ("no-holding-in-start", "fail"), ("no-holding-on-stop", "fail/stop"), ("no-wakeup", "fail"),
        ("stop-order", "fail/stop"),
        ("newdisk-nack", "add/"), ("remove-eaten", "fail,remove/"), ("resync-lock-early", "resync/"),
        ("v6.11", "fail/"),
    ])
    func theReducedSearchGivesTheSameAnswer(variant: String, workload: String) throws {
        let program = try MDCluster.program(variant: variant, nodes: 2, workload: Workload(workload, nodes: 2))
        let full = Search(try Machine(program)).run()
        let reduced = Search(try Machine(program, reduction: true)).run()
        #expect(reduced.verdict == full.verdict)
        #expect(reduced.states <= full.states)
        let both = Search(try Machine(program, symmetry: true, reduction: true)).run()
        #expect(both.verdict == full.verdict)
    }

    @Test func somethingIsReduced() throws {
        let program = try MDCluster.program(variant: "v5.11", nodes: 2, workload: Workload("resync/", nodes: 2))
        let full = Search(try Machine(program)).run()
        let reduced = Search(try Machine(program, reduction: true)).run()
        #expect(reduced.states < full.states)
    }
}
