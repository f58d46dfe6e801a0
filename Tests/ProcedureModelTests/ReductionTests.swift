// SPDX-License-Identifier: GPL-2.0
import ModelChecker
import ProcedureModel
import Testing

@Suite struct ReductionTests {
    private func states(_ bodies: [[Statement]], rules: [Program.Rule] = [], reduction: Bool) throws -> (Int, Verdict) {
        let result = Search(try Machine(program(bodies) { $0.rules = rules }, reduction: reduction)).run()
        return (result.states, result.verdict)
    }

    @Test func stepsOnOnesOwnVariablesAreMerged() throws {
        let bodies: [[Statement]] = [
            [assign("x", 1), assign("x", 2), assign("x", 3)], [assign("y", 1), assign("y", 2)],
        ]
        let (full, reduced) = (try states(bodies, reduction: false), try states(bodies, reduction: true))
        #expect(reduced.0 < full.0)
        #expect(reduced.1 == full.1)
    }

    @Test func whatAnotherThreadReadsIsNotMerged() throws {
        let bodies: [[Statement]] = [[assign("y", 1), assign("x", 1), assign("x", 2)], [wait(.v("x") == 1)]]
        // The waiter may come too late: that must stay possible.
        #expect(try states(bodies, reduction: true).1 == .fails(.deadlock))
    }

    @Test func whatARuleLooksAtIsNotMerged() throws {
        let rule = Program.Rule(.always, "never 2", .v("x") != 2)
        let bodies: [[Statement]] = [[assign("x", 1), assign("x", 2), assign("x", 3)]]
        #expect(try states(bodies, rules: [rule], reduction: true).1 == .fails(.invariant("never 2")))
    }
}
