// SPDX-License-Identifier: GPL-2.0
import MDClusterModel
import ModelChecker
import ProcedureModel
import Testing

@Suite struct MembershipTests {
    private func search(_ workload: String, nodes: Int = 2, without: [RuleID] = []) throws -> (Machine, SearchResult) {
        var program = try MDCluster.program(variant: "v5.11", nodes: nodes, workload: Workload(workload, nodes: nodes))
        for rule in without {
            let isFound = program.removeRules(rule)
            #expect(isFound, "there is no rule \(rule)")
        }
        let machine = try Machine(program)
        return (machine, Search(machine, bounds: Bounds(bytes: 1 << 30)).run())
    }

    @Test(arguments: [
        ("crash/", 2), ("join/", 2), ("stop,join/", 2), ("fail/crash", 2), ("resync/crash", 2),
        ("suspend", 2), ("crash//", 3), ("stop/join/", 3),
    ])
    func theReferenceHolds(workload: String, nodes: Int) throws {
        let (_, result) = try search(workload, nodes: nodes)
        #expect(result.verdict == .holds)
    }

    /// docs/findings.md, "A node that joins misses what changes meanwhile".
    @Test func theReferenceMissesAFailureWhileItJoins() throws {
        let (_, result) = try search("fail/join")
        guard case .fails(.invariant(let rule)) = result.verdict else { Issue.record("\(result.verdict)"); return }
        #expect(rule.hasPrefix("I10: at rest"))
    }

    /// docs/findings.md, "A stop at the end of a resync leaves its window behind".
    @Test func theReferenceLeavesAWindowBehind() throws {
        let (_, result) = try search("resync,stop/")
        #expect(result.verdict == .fails(.invariant("I12: at rest nobody keeps clear of a window")))
    }

    /// docs/findings.md, "A crash at the end of a resync". Apart from that the survivor takes everything over.
    @Test func theReferenceTakesOverWhatACrashLeaves() throws {
        let (_, result) = try search("resync,crash/")
        #expect(result.verdict == .fails(.invariant("I12: at rest nobody thinks that another node resyncs")))
        let known: [RuleID] = ["I12.rest", "WARN_ON.process_recvd_msg"]
        let (machine, rest) = try search("resync,crash/", without: known)
        #expect(rest.verdict == .holds)
        let taken = rest.coverage.indices.filter { rest.coverage[$0].fired > 0 }.map { machine.place(ofStep: $0) }
        #expect(taken.contains { $0.procedures.first == "recover_bitmaps(0)" && $0.text == "recovery_cp = 1" })
    }

    /// docs/findings.md, "A recovery that comes too late".
    @Test func theReferenceWaitsForTheBitmapOfANodeThatIsBack() throws {
        let (machine, result) = try search("crash,join/")
        #expect(result.verdict == .fails(.deadlock))
        let text = machine.situation(atEndOf: try #require(result.counterexample))
        #expect(text.contains("bitmap0000: node1 PW, node2 NL -> PW"))
    }

    /// docs/findings.md, "A node that stops starts a recovery thread that nobody ends".
    @Test func theReferenceStartsARecoveryThreadWhileItLeaves() throws {
        let (machine, result) = try search("stop/resync,stop")
        #expect(
            result.verdict
                == .fails(.invariant("nobody starts the recovery thread again that leave() has ended")))
        let text = machine.situation(atEndOf: try #require(result.counterexample))
        #expect(text.contains("wait(!running(md0_recover)) <- leave()"))
    }

    /// docs/findings.md, "A window that is read after its sender's death".
    @Test func theReferenceKeepsAWindowOfADeadNode() throws {
        let (_, result) = try search(
            "resync,crash/", without: ["I12.rest.remote", "WARN_ON.process_recvd_msg"])
        #expect(result.verdict == .fails(.invariant("I12: at rest nobody keeps clear of a window")))
    }

    @Test func aWindowIsLearntFromTheBitmapLock() throws {
        let (machine, result) = try search("resync/join")
        #expect(result.verdict == .holds)
        #expect(
            result.coverage.indices.contains {
                result.coverage[$0].fired > 0 && machine.text(ofStep: $0) == "if (node1:bitmap.lvb.hi == 1)"
            })
    }
}
