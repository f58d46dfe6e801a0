// SPDX-License-Identifier: GPL-2.0
import MDClusterModel
import ModelChecker
import ProcedureModel
import Testing

@Suite struct VariantTests {
    static let quick = [
        "async", "naive-sync", "no-holding-in-start", "no-holding-on-stop", "no-wakeup", "stop-order",
        "newdisk-nack", "remove-eaten", "resync-lock-early", "v6.11", "cr-cw",
    ]

    private func search(_ variant: String, _ workload: String, nodes: Int = 2) throws -> (Machine, SearchResult) {
        let program = try MDCluster.program(
            variant: variant, nodes: nodes, workload: Workload(workload, nodes: nodes))
        let machine = try Machine(program)
        return (machine, Search(machine, bounds: Bounds(bytes: 1 << 30)).run())
    }

    @Test(arguments: quick) func aVariantHasItsKnownFault(name: String) throws {
        let trial = try #require(Variants.all.first { $0.name == name }?.trial)
        let (_, result) = try search(name, trial.workload, nodes: trial.nodes)
        switch result.verdict {
        case .fails(.deadlock): #expect(trial.fault == "deadlock")
        case .fails(.invariant(let rule)): #expect(rule.hasPrefix(trial.fault))
        default: Issue.record("\(name): \(result.verdict)")
        }
        #expect(result.counterexample?.states.count == (result.counterexample?.steps.count ?? -1) + 1)
    }

    /// Its shortest counterexample takes half a million states (the benchmark has it); a few random runs meet the
    /// deadlock, too.
    @Test func v412Deadlocks() throws {
        func simulate(_ variant: String, runs: Int) throws -> Verdict.Failure? {
            var program = try MDCluster.program(
                variant: variant, nodes: 2, workload: Workload("fail/resync,fail,remove", nodes: 2))
            _ = program.removeRules("I10.rest.agree")
            return Simulation(try Machine(program), seed: 2, runs: runs).run().failure
        }
        #expect(try simulate("v4.12", runs: 20) == .deadlock)
        #expect(try simulate("v5.11", runs: 20) == nil)
    }

    /// Workloads that a debug build explores in a second or two; the larger ones are in the benchmark.
    @Test(arguments: ["stop", "fail/", "add/", "grow/", "resync/", "re-add/", "/fail"])
    func theReferenceHolds(workload: String) throws {
        let (_, result) = try search("v5.11", workload)
        #expect(result.verdict == .holds)
    }

    /// docs/findings.md, "A removal is forgotten": REMOVE arrives while raid1d is between its look at ClusterRemove and
    /// its clearing of MD_RECOVERY_NEEDED.
    @Test func theReferenceForgetsARemoval() throws {
        let (_, result) = try search("v5.11", "fail,remove/")
        #expect(result.verdict == .fails(.invariant("I10: at rest all nodes agree on device b")))
    }

    /// docs/findings.md, "Add, then remove at once".
    @Test func theReferenceDeadlocksWhenAnAddedDiskIsRemovedAtOnce() throws {
        let (machine, result) = try search("v5.11", "add,sysfs-remove/")
        #expect(result.verdict == .fails(.deadlock))
        let text = machine.situation(atEndOf: try #require(result.counterexample))
        #expect(text.contains("wait_event(cinfo->wait, SEND_LOCK == 0) <- lock_comm(1)"))
    }

    /// After a new disk that nobody confirmed, v6.11's sender has a conversion of ack in DLM's queue that it does not
    /// know of: it can send no message any more, and others are refused with -EDEADLK.
    @Test func aTimeLimitLeavesTheLockBehind() throws {
        let (machine, result) = try search("v6.11", "add/")
        #expect(
            machine.situation(atEndOf: try #require(result.counterexample)).contains("ack: node1 CR -> EX, node2 CR"))
    }

    /// docs/findings.md, "A time limit that runs out on token blocks its node".
    @Test func aTimeLimitOnTokenLeavesSendLockSet() throws {
        var program = try MDCluster.program(variant: "v6.11", nodes: 2, workload: Workload("add/fail", nodes: 2))
        let isFound = program.removeRules("I8")
        #expect(isFound)
        let result = Search(try Machine(program), bounds: Bounds(bytes: 1 << 30)).run()
        #expect(result.verdict == .fails(.deadlock))
    }

    @Test func allVariantsCompileForTwoAndThreeNodes() throws {
        for variant in Variants.all {
            for nodes in 2...3 {
                let program = try MDCluster.program(
                    variant: variant.name, nodes: nodes, workload: Workload("fail,remove", nodes: nodes))
                #expect(try Machine(program).stateWords <= 8)
            }
        }
    }

    @Test func aTokenWaiterWithoutTheBitIsInTheStacks() throws {
        let (machine, result) = try search("no-holding-in-start", "fail")
        let text = machine.situation(atEndOf: try #require(result.counterexample))
        #expect(text.contains("dlm_lock_sync(token, EX) <- lock_token() <- metadata_update_start() <- md_update_sb()"))
        #expect(text.contains("process_metadata_update() <- process_recvd_msg() <- recv_daemon()"))
    }
}

@Suite struct WorkloadTests {
    @Test func badRequestsAreNamed() {
        #expect(throws: ModelError.unknownOperation("explode", known: Workload.operationNames)) {
            try Workload("explode", nodes: 2)
        }
        #expect(throws: ModelError.tooManyParts(workload: "fail/fail/fail", nodes: 2)) {
            try Workload("fail/fail/fail", nodes: 2)
        }
        #expect(throws: ModelError.emptyWorkload(known: Workload.operationNames)) { try Workload("", nodes: 2) }
        #expect(throws: ModelError.unsupportedNodes(9)) {
            try MDCluster.program(variant: "v5.11", nodes: 9, workload: Workload("fail", nodes: 9))
        }
        #expect(throws: ModelError.unknownVariant("v9", known: Variants.all.map(\.name))) {
            try MDCluster.program(variant: "v9", nodes: 2, workload: Workload("fail", nodes: 2))
        }
    }

    @Test func partsBelongToNodes() throws {
        #expect(try Workload("fail,remove", nodes: 2).processes == [[["fail", "remove"]], [["fail", "remove"]]])
        #expect(try Workload("fail/resync", nodes: 3).processes == [[["fail"]], [["resync"]], []])
        #expect(try Workload("/stop", nodes: 2).processes == [[], [["stop"]]])
        #expect(try Workload("fail,remove+grow/", nodes: 2).processes == [[["fail", "remove"], ["grow"]], []])
    }
}

@Suite struct SymmetryTests {
    private func both(_ variant: String, _ workload: String, nodes: Int) throws -> (
        full: SearchResult, reduced: SearchResult
    ) {
        let program = try MDCluster.program(variant: variant, nodes: nodes, workload: Workload(workload, nodes: nodes))
        let reduced = try Machine(program, symmetry: true)
        #expect(reduced.usesSymmetry)
        return (Search(try Machine(program)).run(), Search(reduced).run())
    }

    /// Two nodes that do the same have n * (n + 1) / 2 states for n each, if they do not meet.
    @Test func independentNodesAreHalved() throws {
        let (full, reduced) = try both("v5.11", "stop", nodes: 2)
        #expect(full.states == 64 * 64)
        #expect(reduced.states == 64 * 65 / 2)
        #expect(reduced.verdict == full.verdict)
    }

    @Test(arguments: [
        ("newdisk-nack", "add//", 3), ("async", "fail//", 3), ("naive-sync", "grow", 2),
        ("no-holding-in-start", "grow", 2),
    ])
    func theReducedSearchGivesTheSameAnswer(variant: String, workload: String, nodes: Int) throws {
        let (full, reduced) = try both(variant, workload, nodes: nodes)
        #expect(reduced.verdict == full.verdict)
        #expect(reduced.depth == full.depth)
        #expect(reduced.states <= full.states)
        #expect(reduced.counterexample?.steps.count == full.counterexample?.steps.count)
    }

    @Test func nodesWithUnequalWorkAreNotAlike() throws {
        let program = try MDCluster.program(variant: "v5.11", nodes: 2, workload: Workload("fail/stop", nodes: 2))
        #expect(try !Machine(program, symmetry: true).usesSymmetry)
    }
}
