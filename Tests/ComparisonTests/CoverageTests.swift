// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import MDClusterModel
import Testing

@testable import Comparison
@testable import ProcedureModel

/// What recorded runs (Tests/Fixtures/runs) have covered.
@Suite struct CoverageTests {
    private static let empty = Result { try Coverage() }
    /// Once for all tests: what one record of smoke covers, and then one of add-device.
    private static let smokeAlone = Result {
        var coverage = try empty.get()
        coverage.add(try Fixture.reference("smoke"), run: "smoke-1", scenario: "smoke")
        return coverage
    }
    private static let both = Result {
        var coverage = try smokeAlone.get()
        coverage.add(try Fixture.reference("add-device"), run: "add-1", scenario: "add-device")
        return coverage
    }

    @Test func aRecordAddsWhatNoOtherHasTaken() throws {
        var coverage = try Self.smokeAlone.get()
        let (steps, certain) = (coverage.taken, coverage.certain)
        #expect(coverage.runs == 1)
        #expect(!steps.contains { $0.hasPrefix("add_new_disk:") })
        #expect(!certain.isEmpty && certain.isSubset(of: steps))
        coverage = try Self.both.get()
        #expect(coverage.taken.isStrictSuperset(of: steps))
        #expect(coverage.certain.isStrictSuperset(of: certain))
        #expect(coverage.certain.isSubset(of: coverage.taken))
        #expect(coverage.taken.contains { $0.hasPrefix("add_new_disk:") })
        #expect(coverage.ranking.first { $0.scenario == "add-device" }?.alone ?? 0 > 0)
        // The same again adds nothing.
        let (taken, pairs) = (coverage.taken, coverage.pairs)
        coverage.add(try Fixture.reference("smoke"), run: "smoke-2", scenario: "smoke")
        #expect(coverage.taken == taken)
        #expect(coverage.pairs == pairs)
        #expect(coverage.records == ["smoke": 2, "add-device": 1])
    }

    @Test func whatIsNotKnownToConformIsLeftOutByName() throws {
        var coverage = try Self.empty.get()
        let smoke = try Fixture("smoke")
        coverage.add(try smoke.compared(with: "async", limit: 10), run: "other", scenario: "smoke")
        let short = try smoke.compared(with: "v5.11", limit: 100)
        coverage.add(short, run: "short", scenario: "smoke")
        #expect(coverage.runs == 0)
        #expect(coverage.taken.isEmpty && coverage.pairs.isEmpty && coverage.certain.isEmpty)
        #expect(
            coverage.left == [
                .init(run: "other", reason: .isOf(variant: "async")),
                .init(run: "short", reason: .notDecided([.limit(states: short.figures.states)])),
            ])
    }

    @Test func aRunThatDoesNotConformIsNotCounted() throws {
        var coverage = try Coverage(variant: "async")
        coverage.add(try Fixture("smoke").compared(with: "async"), run: "smoke-1", scenario: "smoke")
        #expect(coverage.left == [.init(run: "smoke-1", reason: .doesNotConform)])
        #expect(coverage.runs == 0 && coverage.records.isEmpty)
        #expect(coverage.taken.isEmpty && coverage.pairs.isEmpty && coverage.ignored.isEmpty)
    }

    /// In the script nobody asks for no-new-dev in EX, so there the order of its conversions makes no difference.
    @Test func whichStepsMeetDoesNotDependOnTheScript() throws {
        var script = CallerScript.assembled(nodes: 2)
        script.append([.init(.stop, on: 0), .init(.stop, on: 1)])
        let machine = try CallerProgram.machine(variant: "v5.11", script)
        let own = StepTable(variant: "v5.11", machine, dependence: machine.dependence())
        for (table, meets) in [(own, false), (try Self.empty.get().table, true)] {
            let number = try #require(table.names.names.firstIndex(of: "leave: dlm_lock(no-new-dev, 0)"))
            #expect(table.meets((number * table.names.names.count + number) * 2 + 1) == meets)
        }
    }

    /// Between dlm_lock_start and its AST the thread has asked for the lock; that somebody answers for a new device is
    /// shown by another thread.
    @Test func onlySomeStepsCanBeProved() throws {
        let coverage = try Self.empty.get()
        let unprovable = coverage.unprovable()
        #expect(!unprovable.contains("dlm_lock_sync: error = dlm_lock(token, EX)"))
        #expect(unprovable.contains("process_add_new_disk: wait(newdisk_completion == 1)"))
        #expect(unprovable.isStrictSubset(of: coverage.steps))
    }

    private static let candidates: [(name: String, script: CallerScript)] = {
        func script(_ calls: [CallerScript.Call]) -> CallerScript {
            var script = CallerScript.assembled(nodes: 2)
            script.append(calls)
            return script
        }
        return [
            ("smoke", script([.init(.update, on: 0)])),
            ("add-device", script([.init(.add, on: 0), .init(.confirm, on: 1)])),
        ]
    }()

    @Test func aScenarioThatHasNotRunIsRecommendedUntilItHas() throws {
        let coverage = try Self.smokeAlone.get()
        // Other exploration is long in a debug build.
        let reshape = CallerScript.standard.filter { $0.operation == .resizeBitmap }.prefix(1)
        let before = try CoveragePlan(
            coverage, candidates: Self.candidates, limit: 3_000, standard: Array(reshape))
        #expect(before.next.first?.names == ["add-device"])
        #expect(before.next.first?.records == 0)
        let step = "add_new_disk: SEND_LOCKED_ALREADY = 1"
        #expect(before.next.first?.steps.contains(step) == true)
        #expect(before.ways[step] == .scenarios(["add-device"]))
        // Neither makes a reshape.
        #expect(before.ways["__sendmsg: message.type = 7"] == .operations(["resize-bitmap"]))
        #expect(before.possible.isSuperset(of: coverage.pairs))

        let after = try CoveragePlan(
            try Self.both.get(), candidates: Array(Self.candidates.suffix(1)), limit: 3_000, standard: [])
        #expect(after.ways[step] == nil)
        #expect(!after.next.contains { $0.names == ["add-device"] && !$0.steps.isEmpty })
    }

    /// Whoever calls nothing but md_update_sb reaches neither what only the end of an array does nor an addition.
    @Test func aScriptReachesWhatItsCallsLeadTo() throws {
        let table = try Self.empty.get().table
        let smoke = try Reach(Self.candidates[0].script, table, limit: 6_000)
        #expect(smoke.isComplete)
        #expect(smoke.steps.contains("metadata_update_start: HOLDING_MUTEX_FOR_RECVD = 1"))
        #expect(!smoke.steps.contains { $0.hasPrefix("leave:") || $0.hasPrefix("add_new_disk") })
        #expect(smoke.steps.isSubset(of: Set(table.names.names)))
        var script = CallerScript.assembled(nodes: 2)
        script.append([.init(.stop, on: 1)])
        let stop = try Reach(script, table, limit: 6_000)
        #expect(stop.steps.contains("leave: cinfo = 0"))
    }

    @Test func aSearchThatIsCutOffSaysSo() throws {
        let reach = try Reach(Self.candidates[0].script, Self.empty.get().table, limit: 50)
        #expect(!reach.isComplete)
        #expect(throws: ModelError.self) { try Coverage(variant: "v0.1") }
    }

    @Test func aDocumentHasAllStepsAndPairs() throws {
        let coverage = try Self.smokeAlone.get()
        let plan = try CoveragePlan(coverage, candidates: Self.candidates, limit: 200, standard: [])
        let document = CoverageDocument(coverage, plan, unprovable: [])
        #expect(document.steps.count == coverage.steps.count)
        #expect(document.steps.count { $0.taken } == coverage.taken.count)
        #expect(document.pairs.count == plan.possible.count)
        #expect(document.pairs.count { $0.taken } == coverage.pairs.count)
        #expect(document.isBound)
    }
}

/// Two nodes with two threads each, small enough to be followed by hand.
@Suite struct StepPairTests {
    /// left: x = 1 with the mutex of its node, then y = 1. right: the mutex, and z, which nobody else looks at.
    private static func program() -> Program {
        var program = Program(name: "tiny", nodes: 2)
        program.shared = [.init("y")]
        program.perNode = [.init("x"), .init("z")]
        program.mutexes = ["m"]
        program.procedures = [
            Procedure("left") {
                mutex_lock("m")
                assign("x", 1)
                mutex_unlock("m")
                assign("y", 1)
            },
            Procedure("right") {
                assign("z", 1)
                mutex_lock("m")
                mutex_unlock("m")
            },
        ]
        program.threads = [
            .init("left", procedure: "left", runsOn: [0, 1]), .init("right", procedure: "right", runsOn: [0]),
        ]
        program.threads[1].existsOn = [0]
        return program
    }

    private static let byHand: Set<StepPair> = {
        func pair(_ first: String, _ second: String, across: Bool) -> StepPair {
            StepPair(first: first, second: second, isAcross: across)
        }
        return [
            // Both stand before the mutex, and either gets it.
            pair("left: mutex_lock(m)", "right: mutex_lock(m)", across: false),
            pair("right: mutex_lock(m)", "left: mutex_lock(m)", across: false),
            // Who has it gives it up while the other waits; the other order cannot be.
            pair("left: mutex_unlock(m)", "right: mutex_lock(m)", across: false),
            pair("right: mutex_unlock(m)", "left: mutex_lock(m)", across: false),
            // The only thing that nodes share.
            pair("left: y = 1", "left: y = 1", across: true),
        ]
    }()

    private func pairs(seeing: (Accesses) -> Accesses) throws -> Set<StepPair> {
        let machine = try Machine(Self.program())
        let table = StepTable(
            variant: "tiny", machine, dependence: Dependence(machine, seeing: seeing), counting: { _ in true })
        let reach = Reach(machine, table, limit: 6_000)
        #expect(reach.isComplete)
        #expect(reach.steps.count == 7)
        return reach.pairs
    }

    @Test func thePairsAreThoseFoundByHand() throws {
        #expect(try pairs { $0 } == Self.byHand)
    }

    /// A dependence that overlooks what assignments or mutexes touch is noticed.
    @Test(arguments: [Instruction.Operation.assign, .lock, .unlock])
    func aWrongDependenceGivesOtherPairs(overlooked: Instruction.Operation) throws {
        let wrong = try pairs { accesses in
            var accesses = accesses
            for (number, instruction) in accesses.code.instructions.enumerated()
            where instruction.operation == overlooked {
                accesses.instructions[number] = accesses.none
            }
            return accesses
        }
        #expect(wrong.isStrictSubset(of: Self.byHand))
    }
}
