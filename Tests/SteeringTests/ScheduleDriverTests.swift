// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import RunRecord
import Synchronization
import Testing
import VirtualCluster

@testable import Scenarios
@testable import Steering

/// Gates and threads that exist only as state: a gate holds as soon as it is armed, unless `never` says so.
private final class Bench: ClusterControl, GateBoard {
    struct State {
        var armed: [String] = []
        var released: [String] = []
        var resets = 0
        var started: [String] = []
        var events: [String] = []
        var facts: [String: String] = [:]
    }
    let state = Mutex(State())
    let stages: [String: GateState.Stage]
    /// What a look at the threads of a node shows.
    let threads: [NodeID: [NodeSnapshot.Thread]]
    /// Command -> its status.
    let statuses: [String: Int32]
    let unknownFunctions: Set<String>

    init(
        stages: [String: GateState.Stage] = [:], threads: [NodeID: [NodeSnapshot.Thread]] = [:],
        statuses: [String: Int32] = [:],
        unknownFunctions: Set<String> = []
    ) {
        (self.stages, self.threads, self.statuses, self.unknownFunctions) = (
            stages, threads, statuses, unknownFunctions
        )
    }

    var nodes: [any NodeControl] { [1, 2].map { BenchNode(id: NodeID($0), bench: self) } }
    func loadModules() async throws {}
    func snapshot(_ label: String) async throws -> [NodeSnapshot] { [] }
    func crash(_ node: NodeID) async throws {}
    func freeze(_ node: NodeID) async throws {}
    func thaw(_ node: NodeID) async throws {}
    func setLink(_ first: NodeID, _ second: NodeID, up: Bool) async throws {}
    func note(_ kind: RunEvent.Kind, node: NodeID?, _ text: String, _ facts: [String: String]) {
        state.withLock { state in
            state.events.append(text)
            state.facts.merge(facts) { _, new in new }
        }
    }

    func arm(_ gate: Gate, on node: NodeID) async throws {
        if unknownFunctions.contains(gate.function) { throw GateError.unknownFunction(gate.function, node) }
        state.withLock { $0.armed.append("\(node) \(gate.line)") }
    }
    func state(of gate: String, on node: NodeID) async throws -> GateState? {
        let stage = (stages[gate] ?? .held).rawValue
        return try GateState("\(gate) \(stage) f entry md0_raid 142 1 0 3 md0_raid1")
    }
    func release(_ gate: String, on node: NodeID) async throws { state.withLock { $0.released.append(gate) } }
    func reset() async throws { state.withLock { $0.resets += 1 } }
}

private struct BenchNode: NodeControl {
    let id: NodeID
    let bench: Bench
    func run(_ argv: [String], limit: Duration) async throws -> CommandResult {
        CommandResult(status: 0, output: "", errors: "")
    }
    func threads(named names: [String], limit: Duration) async throws -> [NodeSnapshot.Thread] {
        bench.threads[id] ?? []
    }
    func start(_ argv: [String]) async throws -> any RunningCommand {
        let line = argv.last ?? ""
        bench.state.withLock { $0.started.append(line) }
        return Ended(status: bench.statuses[line] ?? 0)
    }
    func read(_ path: String) async throws -> [UInt8] { [] }
    func write(_ path: String, _ text: String) async throws {}
    func setConfirmation(_ policy: ConfirmationPolicy) async throws {}
}

private struct Ended: RunningCommand {
    let status: Int32
    func wait(limit: Duration) async throws -> CommandResult {
        CommandResult(status: status, output: "", errors: status == 0 ? "" : "mdadm: it is busy")
    }
}

@Suite struct ScheduleDriverTests {
    /// The report of a schedule that is followed on a bench, and what the run ended with.
    private func follow(_ text: String, on bench: Bench, holds: Bool = true) async throws -> (
        SteeringReport, StepProblem?
    ) {
        let schedule = try parseSchedule(text.replacing("held: g", with: "{held: g, limit: 0.2}"))
        let log = SteeringLog(entries: schedule.order.count)
        let driver = ScheduleDriver(schedule: schedule, gates: bench, log: log, holds: holds)
        let runner = StepRunner(
            instance: schedule.scenario.instances[0], cluster: bench, situation: Situation(nodes: bench.nodes),
            patience: Patience(slowness: 1))
        do {
            try await driver.steer(runner)
            #expect(!log.isHolding)
            return (log.report, nil)
        } catch let problem as StepProblem {
            #expect(!log.isHolding)
            return (log.report, problem)
        }
    }

    @Test func aScheduleIsFollowedToItsEnd() async throws {
        let bench = Bench()
        let (report, problem) = try await follow(scheduleText(), on: bench)
        #expect(problem == nil && report.isComplete)
        #expect(report.followed.map(\.text).last == "release g")
        let state = bench.state.withLock { $0 }
        #expect(state.started == ["mdadm /dev/md0 --fail /dev/vdc", "mdadm /dev/md0 --fail /dev/vdb"])
        #expect(state.released == ["g"] && state.resets == 1)
        #expect(state.armed.count == 1 && state.armed[0].hasPrefix("node2 arm g entry md_update_sb md0_raid "))
    }

    @Test func aThreadThatNeverComesIsNamedWithItsStack() async throws {
        let stack = [
            NodeSnapshot.Thread(
                pid: 142, comm: "md0_raid1", state: "D",
                stack: ["dlm_lock_sync+0x8e/0xd0 [md_cluster]", "lock_comm+0x2e/0x90 [md_cluster]"])
        ]
        let bench = Bench(stages: ["g": .armed], threads: [NodeID(2): stack])
        let (report, problem) = try await follow(scheduleText(), on: bench)
        #expect(report.divergence?.cause == .never && report.divergence?.entry == 2)
        #expect(
            report.divergence?.instead == [
                "node2 raid1d did not come to entry of md_update_sb, 1 hits passed",
                "node2 raid1d: dlm_lock_sync <- lock_comm",
            ])
        // Everybody is let go, what has begun is waited for, and nothing else begins.
        let state = bench.state.withLock { $0 }
        #expect(state.resets == 1 && state.started.count == 1)
        #expect(state.facts["diverged"] == "g holds its thread")
        guard case .lab? = problem else {
            Issue.record("\(String(describing: problem))")
            return
        }
    }

    /// `must`: another way is the kernel's fault; a gate that held nobody is the lab's.
    @Test func whatAKernelMustDoIsDemanded() async throws {
        let text = scheduleText(order: [
            "arm: g", "start: fail-c", "{must: true, limit: 0.2, held : g}", "start: fail-b", "release: g",
        ])
        let (_, problem) = try await follow(text, on: Bench(stages: ["g": .armed]))
        guard case .required(let what, let instead)? = problem else {
            Issue.record("\(String(describing: problem))")
            return
        }
        #expect(what == "g holds its thread" && !instead.isEmpty)
        #expect(problem?.ending == .finished)
        let (_, kept) = try await follow(text, on: Bench())
        #expect(kept == nil)
        let (_, lab) = try await follow(text, on: Bench(stages: ["g": .expired]))
        guard case .lab? = lab else {
            Issue.record("\(String(describing: lab))")
            return
        }
    }

    @Test(arguments: [
        (GateState.Stage.expired, SteeringReport.Divergence.Cause.expired), (.atomic, .atomic), (.released, .never),
    ])
    func aGateThatHoldsNobody(stage: GateState.Stage, cause: SteeringReport.Divergence.Cause) async throws {
        let bench = Bench(stages: ["g": stage])
        let (report, problem) = try await follow(scheduleText(), on: bench)
        #expect(report.divergence?.cause == cause && problem != nil)
        #expect(bench.state.withLock { $0.resets } == 1)
    }

    @Test func aFunctionThatNoModuleHas() async throws {
        let bench = Bench(unknownFunctions: ["md_update_sb"])
        let (report, problem) = try await follow(scheduleText(), on: bench)
        #expect(report.divergence?.cause == .noSuchFunction("md_update_sb", on: NodeID(2)) && problem != nil)
        #expect(bench.state.withLock { $0.started }.isEmpty)
    }

    @Test func aCommandThatFailsIsADivergence() async throws {
        let bench = Bench(statuses: ["mdadm /dev/md0 --fail /dev/vdb": 1])
        let (report, _) = try await follow(scheduleText(), on: bench)
        guard case .status(let text)? = report.divergence?.cause else {
            Issue.record("\(String(describing: report.divergence))")
            return
        }
        #expect(text.contains("it is busy"))
    }

    @Test func unsteeredNobodyIsHeld() async throws {
        let bench = Bench()
        let (report, problem) = try await follow(scheduleText(), on: bench, holds: false)
        #expect(problem == nil && report.followed.isEmpty)
        let state = bench.state.withLock { $0 }
        #expect(state.armed.isEmpty && state.started.count == 2)
    }

    @Test func threadsAreFoundByWhatTheyRun() throws {
        func thread(_ pid: Int, _ comm: String, _ state: String, _ stack: String...) -> NodeSnapshot.Thread {
            .init(pid: pid, comm: comm, state: state, stack: stack)
        }
        let seen = ThreadLook(programs: ["mdadm"]).seen([
            thread(99, "dlm_controld", "S"), thread(100, "md1_raid1", "D"),
            thread(101, "mdadm", "S", "do_wait+0x1/0x2"),
            thread(102, "mdadm", "D", "lock_comm+0x2e/0x90 [md_cluster]", "garbage"),
            thread(103, "md0_raid1", "S", "md_thread+0xac/0x100 [md_mod]", "kthread+0xd7/0x100"),
            thread(104, "md0_cluster_rec", "R"),
        ])
        #expect(seen.map(\.pid) == [101, 102, 103, 104])
        let schedule = try parseSchedule(scheduleText())
        func found(_ kind: ScheduledThread.Kind) -> Int? {
            schedule.find(.init(node: NodeID(2), kind), among: seen)?.pid
        }
        #expect(found(.operation("fail-c")) == 102 && found(.raidDaemon) == 103 && found(.recvDaemon) == 104)
        #expect(found(.resync) == nil)
        #expect(seen[2].isAtRest && !seen[1].isAtRest && !seen[3].isAtRest)
    }
}
