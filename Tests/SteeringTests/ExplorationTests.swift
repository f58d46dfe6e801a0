// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Conformance
import Foundation
import KernelTrace
import RunRecord
import Scenarios
import Synchronization
import TestRecords
import Testing

@testable import Steering

private func point(_ text: String) -> HoldPoint {
    HoldPoint(text) ?? HoldPoint(node: 0, comm: "", edge: .entry, function: text)
}

private func reached(_ word: String = "PASS", _ messages: String = "", failures: [String] = []) -> Reached {
    Reached(word: word, failures: failures, messages: [messages])
}

private func result(_ number: Int, _ holds: [String], _ reached: Reached, gate: String = "expired") -> DelayResult {
    DelayResult(
        number: number, plan: DelayPlan(holds.map(point)), gates: holds.map { _ in gate }, reached: reached, reason: "",
        time: Double(number))
}

struct HoldPointTests {
    @Test(arguments: ["node1 md0_resync entry lock_token", "node3 kworker/ return sync_ast 2", "node2 * entry join"])
    func aPointIsReadAsItIsWritten(text: String) { #expect(HoldPoint(text)?.description == text) }

    @Test(arguments: [
        "", "node1", "node1 md0_resync entry", "nodex a entry f", "node1 a exit f", "node1 a entry f -1",
        "node1 a entry f x",
        "node1 a entry f 1 2", "0 a entry f",
    ])
    func anythingElseIsNone(text: String) { #expect(HoldPoint(text) == nil) }

    /// Lines of what was recorded on 6.1.0-56 while remove-while-resyncing ran.
    private static let recorded = """
        rdev_attr_store entry 1 0 39596 md_mod init
        state_store entry 1 0 39873 md_mod init
        lock_comm entry 1 0 40873 md_cluster init
        md_wakeup_thread entry 2 1 150297 md_mod init
        raid1d entry 7 0 226002 raid1 md0_raid1
        md_check_recovery entry 7 0 226079 md_mod md0_raid1
        metadata_update_start entry 1 0 226792 md_cluster md0_raid1
        sync_sbs entry 1 1 596392 md_mod md0_raid1
        ack_bast entry 5 0 453934 md_cluster kworker/0:1H
        sync_ast entry 35 0 555253 md_cluster kworker/0:2
        md_seq_open entry 4 0 581367 md_mod init
        md_seq_show entry 12 0 581822 md_mod init
        super_written entry 4 4 608954 md_mod swapper/0

        """

    @Test func theMostPromisingPointsOfEachThreadComeInTurn() throws {
        let points = HoldPoints([2: try GatePoint.points(in: Self.recorded)]).points
        #expect(
            points.prefix(8).map(\.description) == [
                "node2 init entry lock_comm", "node2 kworker/ entry ack_bast",
                "node2 md0_raid1 entry metadata_update_start",
                "node2 init entry rdev_attr_store", "node2 kworker/ entry sync_ast",
                "node2 md0_raid1 entry md_check_recovery",
                "node2 init entry state_store", "node2 kworker/ entry ack_bast 1",
            ])
        // Where sleeping is forbidden, where mdlab only looks, and interrupts.
        for function in ["sync_sbs", "md_seq_open", "md_seq_show", "super_written"] {
            #expect(!points.contains { $0.function == function })
        }
        #expect(Set(points).count == points.count)
    }

    @Test func whatTheModelHasGoesFirst() throws {
        let hit = [2: try GatePoint.points(in: Self.recorded)]
        let points = HoldPoints(hit, modelled: ["md_check_recovery": 0, "state_store": 0]).points.map(\.description)
        #expect(points.prefix(3).contains("node2 md0_raid1 entry md_check_recovery"))
        #expect(points.first == "node2 init entry state_store")
        #expect(Set(points) == Set(HoldPoints(hit).points.map(\.description)))
    }

    @Test func whereStepsAreLeftToCoverGoesBeforeTheRestOfTheModel() throws {
        let hit = [2: try GatePoint.points(in: Self.recorded)]
        func order(_ modelled: [String: Int]) -> [String] {
            let points = HoldPoints(hit, modelled: modelled).points
            let entered = points.filter { $0.comm == "init" && $0.edge == .entry && $0.skip == 0 }
            return Array(entered.map(\.function).prefix(3))
        }
        #expect(order(["state_store": 2, "rdev_attr_store": 0]) == ["state_store", "rdev_attr_store", "lock_comm"])
        #expect(order(["state_store": 0, "rdev_attr_store": 1]) == ["rdev_attr_store", "state_store", "lock_comm"])
    }

    @Test func nothingHitMeansNothingToTry() {
        #expect(HoldPoints([:]).points.isEmpty && HoldPoints([1: []]).points.isEmpty)
    }
}

struct FrontierTests {
    private let points = ["node1 a entry f", "node1 a entry g", "node1 b entry f", "node2 a entry f"].map(point)

    /// Tries everything; each plan reaches what `reach` says.
    private func all(_ frontier: inout Frontier, _ reach: (DelayPlan) -> Reached) -> [DelayPlan] {
        var plans: [DelayPlan] = []
        while let plan = frontier.next(), plans.count < 1000 {
            plans.append(plan)
            frontier.learn(
                DelayResult(
                    number: plans.count, plan: plan, gates: plan.holds.map { _ in "expired" }, reached: reach(plan),
                    reason: "", time: 0))
        }
        return plans
    }

    @Test func withoutAnyEffectThereAreNoPairs() {
        var frontier = Frontier(points)
        let plans = all(&frontier) { _ in reached() }
        #expect(plans.map(\.holds.count) == [0, 0, 0, 1, 1, 1, 1])
        #expect(plans.suffix(4).flatMap(\.holds) == points)
    }

    @Test func aPointThatReachedSomethingNewIsPairedWithAllOfOtherThreads() {
        var frontier = Frontier(points)
        let plans = all(&frontier) { $0.holds.contains(points[1]) ? reached("PASS", "other") : reached() }
        let pairs = plans.filter { $0.holds.count == 2 }
        #expect(Set(pairs.map { Set($0.holds) }) == [[points[1], points[2]], [points[1], points[3]]])
        #expect(plans.firstIndex { $0.holds.count == 2 } ?? 0 > plans.lastIndex { $0.holds.count == 1 } ?? 0)
    }

    @Test func twoTellingPointsGoFirst() {
        var frontier = Frontier(points)
        let plans = all(&frontier) { plan in
            plan.holds.count == 1 && plan.holds != [points[2]] ? reached("PASS", "\(plan)") : reached()
        }
        #expect(plans.first { $0.holds.count == 2 } == DelayPlan([points[0], points[3]]))
        #expect(Set(plans.dropFirst(3)).count == plans.count - 3)
        // Every two of different threads but those of which neither tells anything.
        #expect(plans.filter { $0.holds.count == 2 }.count == 5)
    }

    @Test func aPointThatNobodyCameToIsNotPaired() {
        var frontier = Frontier(points)
        while let plan = frontier.next() {
            #expect(plan.holds.count < 2)
            frontier.learn(
                DelayResult(
                    number: 1, plan: plan, gates: plan.holds.map { _ in "armed" }, reached: reached("PASS", "\(plan)"),
                    reason: "", time: 0))
        }
    }

    @Test func whatIsKnownIsNotTriedAgain() {
        var whole = Frontier(points)
        var results: [DelayResult] = []
        let plans = all(&whole) { plan in
            let reached = reached("PASS", plan.holds.count == 1 ? "\(plan)" : "")
            results.append(
                DelayResult(
                    number: results.count + 1, plan: plan, gates: plan.holds.map { _ in "expired" }, reached: reached,
                    reason: "", time: 0))
            return reached
        }
        for known in 0...results.count {
            var rest = Frontier(points, results: Array(results.prefix(known)))
            #expect(all(&rest) { reached("PASS", $0.holds.count == 1 ? "\($0)" : "") } == Array(plans.dropFirst(known)))
        }
    }
}

struct ReachedTests {
    private func verdict(_ checks: [CheckResult], _ updates: [MetadataUpdate] = []) -> Verdict {
        Verdict(
            scenario: "s", variant: nil, kernelRelease: "6.1",
            word: checks.contains { $0.answer == .fails } ? .fail : .pass,
            reason: "", checks: checks, metadataUpdates: updates, detectorsOff: [:])
    }
    private func evidence(_ sends: [(String, Int64)]) -> Evidence {
        var evidence = Evidence(
            description: RunDescription(
                toolVersion: "", scenario: "s", started: .distantPast, nodes: 1, kernelRelease: "6.1", start: .warm,
                accelerator: "tcg"))
        evidence.traces[NodeID(1)] = sends.enumerated().map { index, send in
            KernelEvent(
                node: NodeID(1), index: index, time: UInt64(index), cpu: 0, pid: 1, comm: send.0,
                body: .entry(function: "__sendmsg", arguments: ["type": send.1]))
        }
        return evidence
    }

    @Test func howOftenASuperblockWasWrittenDoesNotMatter() {
        let once = Reached(verdict([]), evidence([("md0_raid1", 0), ("md0_resync", 1)]))
        let often = Reached(
            verdict([]), evidence([("md0_raid1", 0), ("md0_raid1", 0), ("md0_raid1", 0), ("md0_resync", 1)]))
        let otherwise = Reached(verdict([]), evidence([("md0_resync", 1), ("md0_raid1", 0)]))
        #expect(once == often)
        #expect(once != otherwise)
        #expect(once.messages == ["md0_raid1 METADATA_UPDATED, md0_resync RESYNCING"])
    }

    @Test func aHangIsToldByWhereItsThreadsWait() throws {
        func reached(_ change: (inout NodeSnapshot) -> Void = { _ in }) throws -> Reached {
            var evidence = evidence([])
            evidence.snapshots = try TrimmedRun("smoke@no-holding-in-start").snapshots
            for index in evidence.snapshots.indices { change(&evidence.snapshots[index]) }
            let check = CheckResult(name: "no-hang", answer: .fails, findings: [Finding("said in any words")])
            return Reached(verdict([check]), evidence)
        }
        let one = try reached()
        #expect(one.isFailure && one.failures.count == 3)
        #expect(one.failures.contains { $0.contains("metadata_update_start") && $0.contains("md0_raid1") })
        // When it was seen does not matter; where the threads stand does.
        #expect(try reached { $0.time += 7 } == one)
        let moved = try reached { snapshot in
            for thread in snapshot.threads.indices {
                snapshot.threads[thread].stack = snapshot.threads[thread].stack.map {
                    $0.replacing("metadata_update_start", with: "lock_comm")
                }
            }
        }
        #expect(moved != one)
        #expect(!Reached(verdict([]), evidence([])).isFailure)
    }
}

struct RaceTests {
    private func steps(_ text: String) throws -> Int {
        let file = "summary: s\nnodes: [2]\ndisks: 2\narray: {devices: 2}\nsteps:\n" + text
        return try ScenarioReader.parse(Array(file.utf8), name: "s", file: "s.yaml").stepsBeforeRace
    }

    @Test func theLastTogetherIsTheRace() throws {
        #expect(
            try steps(
                """
                  - {run: one, on: node1}
                  - together:
                      - {run: a, on: node1}
                      - {run: b, on: node2}
                  - {run: two, on: node1}
                  - together:
                      - {run: c, on: node1}
                      - {run: d, on: node2}
                  - {run: three, on: node1}
                """) == 3)
    }

    @Test func withoutOneEverythingAfterTheAssemblyIs() throws {
        #expect(try steps("  - {run: one, on: node1}\n") == 0)
    }
}
