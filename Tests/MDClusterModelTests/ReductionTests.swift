// SPDX-License-Identifier: GPL-2.0
import Foundation
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
        for symmetry in [false, true] {
            let reduced = Search(try Machine(program, symmetry: symmetry, reduction: true)).run()
            if full.verdict == .holds { #expect(reduced.states <= full.states) }
            if reduced.verdict == full.verdict { continue }
            // Which of several faults is nearest depends on what counts as a step: without what only one of them found,
            // both must find the same.
            let (left, right) = (try last(program), try last(program, symmetry: symmetry, reduction: true))
            #expect(left == right)
        }
    }

    /// What is found when every rule that can be left out and is found broken is left out.
    private func last(_ program: Program, symmetry: Bool = false, reduction: Bool = false) throws -> Verdict {
        let verdict = Search(try Machine(program, symmetry: symmetry, reduction: reduction)).run().verdict
        guard case .fails(.invariant(let name)) = verdict, program.rules.contains(where: { $0.name == name })
        else { return verdict }
        var rest = program
        rest.rules.removeAll { $0.name == name }
        return try last(rest, symmetry: symmetry, reduction: reduction)
    }

    @Test func somethingIsReduced() throws {
        let program = try MDCluster.program(variant: "v5.11", nodes: 2, workload: Workload("resync/", nodes: 2))
        let full = Search(try Machine(program)).run()
        let reduced = Search(try Machine(program, reduction: true)).run()
        #expect(reduced.states < full.states)
    }

    /// With all reductions, a search that is put aside and taken up again ends as one that was not.
    @Test(arguments: [("v5.11", "fail/", 20), ("async", "fail", 4)], [1, 2])
    func aReducedSearchGoesOnWhereItStopped(_ search: (String, String, Int), workers: Int) throws {
        let (variant, workload, depth) = search
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("mdlab-resume-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let program = try MDCluster.program(variant: variant, nodes: 2, workload: Workload(workload, nodes: 2))
        func machine() throws -> Machine { try Machine(program, symmetry: true, reduction: true) }
        let whole = Search(try machine(), workers: workers).run()
        var first = Search(try machine(), bounds: Bounds(depth: depth), workers: workers)
        first.checkpoint = path
        #expect(try first.runResumable().verdict == .undecided(.depth(depth)))
        var second = Search(try machine(), workers: workers)
        second.resume = path
        let result = try second.runResumable()
        #expect(result.verdict == whole.verdict)
        #expect(result.states == whole.states)
        #expect(result.transitions == whole.transitions)
        #expect(result.depth == whole.depth)
        #expect(result.counterexample == whole.counterexample)
        // A checkpoint of the reduced search is none of the full one.
        var full = Search(try Machine(program), workers: workers)
        full.resume = path
        #expect(throws: CheckpointError.ofAnotherSearch(path: path)) { try full.runResumable() }
    }

    /// One and two workers, with all reductions.
    @Test func theNumberOfWorkersChangesNothing() throws {
        let program = try MDCluster.program(variant: "async", nodes: 2, workload: Workload("fail", nodes: 2))
        let machine = try Machine(program, symmetry: true, reduction: true)
        let (one, two) = (Search(machine).run(), Search(machine, workers: 2).run())
        #expect(one.counterexample != nil)
        #expect(one.verdict == two.verdict)
        #expect(one.states == two.states)
        #expect(one.counterexample == two.counterexample)
    }
}
