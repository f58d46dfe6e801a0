// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import Scenarios
import VirtualCluster

/// Takes a cluster through the order of a schedule.
///
///     let driver = ScheduleDriver(schedule: schedule, gates: gates, log: log)
///     runner.steering = { try await driver.steer($0) }
///
/// When the kernel does not do what an entry waits for, the report says what it did instead, every thread is let go,
/// and the operations are waited for, so that the record ends as that of any run does.
public struct ScheduleDriver: Sendable {
    let schedule: Schedule
    let gates: any GateBoard
    let log: SteeringLog
    /// False: all nodes carry out their operations at the same time, each its own one after the other, and nobody is
    /// held.
    let holds: Bool

    /// Between two looks at a condition.
    var pollInterval = Duration.milliseconds(50)
    /// How long a gate holds a thread at most: longer than all entries after it wait together.
    private var holdLimit: Duration {
        min(.seconds(schedule.order.reduce(30) { $0 + $1.limit }), .milliseconds(Gate.longestLimit))
    }
    /// Seconds that operations may take to end once nobody is held any more.
    var endLimit = 60.0

    public init(schedule: Schedule, gates: any GateBoard, log: SteeringLog, holds: Bool = true) {
        (self.schedule, self.gates, self.log, self.holds) = (schedule, gates, log, holds)
    }

    package func steer(_ runner: StepRunner) async throws {
        let running = RunningOperations()
        guard holds else { return try await letRun(runner, running) }
        var divergence: SteeringReport.Divergence?
        do {
            for (number, entry) in schedule.order.enumerated() {
                divergence = try await follow(entry, number: number, runner, running)
                if divergence != nil { break }
            }
        } catch {
            try? await gates.reset()
            throw error
        }
        if let divergence {
            log.diverged(divergence)
            runner.cluster.note(
                .note, node: nil, "the kernel did not follow: \(divergence.text)",
                ["diverged": divergence.text, "instead": divergence.instead.joined(separator: "\n")])
        }
        try await gates.reset()
        log.setHolding(false)
        for name in await running.names { try await end(of: name, runner, running, expected: divergence == nil) }
        if let divergence, divergence.isTheKernels, schedule.order[divergence.entry].isRequired {
            throw StepProblem.required(divergence.text, instead: divergence.instead)
        }
        if let divergence {
            throw StepProblem.lab("the kernel did not follow the schedule at \u{201C}\(divergence.text)\u{201D}")
        }
    }

    private func letRun(_ runner: StepRunner, _ running: RunningOperations) async throws {
        let order = schedule.order.compactMap { entry in
            if case .start(let name) = entry.event { schedule.operation(name) } else { nil }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for operations in Dictionary(grouping: order, by: \.node).values {
                group.addTask {
                    for operation in operations {
                        runner.cluster.note(.step, node: operation.node, operation.run.command.text, [:])
                        let node = try node(operation.node, runner)
                        await running.started(operation, try await node.start(operation.run.command.argv))
                        // Without control one operation may be in another's way and be refused; that is no fault.
                        try await end(of: operation.name, runner, running, expected: false)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Does what an entry says, or waits for it; what the kernel did instead, if it did not follow.
    private func follow(
        _ entry: Schedule.Entry, number: Int, _ runner: StepRunner, _ running: RunningOperations
    ) async throws -> SteeringReport.Divergence? {
        let clock = ContinuousClock()
        let start = clock.now
        runner.cluster.note(.step, node: nil, entry.event.text, ["line": "\(entry.line)"])
        func diverged(_ cause: SteeringReport.Divergence.Cause, _ instead: [String]) -> SteeringReport.Divergence {
            .init(entry: number, text: entry.event.text, line: entry.line, cause: cause, instead: instead)
        }
        switch entry.event {
        case .start(let name):
            guard let operation = schedule.operation(name) else { break }
            let node = try node(operation.node, runner)
            await running.started(operation, try await node.start(operation.run.command.argv))
        case .arm(let name):
            guard let gate = schedule.gate(name) else { break }
            log.setHolding(true)
            do {
                try await gates.arm(
                    Gate(
                        gate.name, at: gate.edge, of: gate.function, by: schedule.comm(of: gate.thread),
                        limit: holdLimit, skip: gate.skip), on: gate.thread.node)
            } catch GateError.unknownFunction(let function, let node) {
                return diverged(.noSuchFunction(function, on: node), [])
            }
        case .release(let name):
            guard let gate = schedule.gate(name) else { break }
            if try await gates.state(of: name, on: gate.thread.node)?.stage == .expired {
                return diverged(.expired, [])
            }
            try await gates.release(name, on: gate.thread.node)
        case .held, .waits, .ends, .locks:
            let end = clock.now + runner.patience.limit(entry.limit)
            while true {
                switch try await look(for: entry.event, runner, running) {
                case .there: break
                case .impossible(let cause, let instead): return diverged(cause, instead)
                case .notYet(let instead):
                    if clock.now >= end {
                        return diverged(.never, try await instead + others(than: entry.event, runner))
                    }
                    try await Task.sleep(for: pollInterval)
                    continue
                }
                break
            }
        }
        let took = (clock.now - start) / .seconds(1)
        log.followed(.init(text: entry.event.text, line: entry.line, seconds: took))
        runner.cluster.note(
            .stepEnd, node: nil, entry.event.text,
            ["line": "\(entry.line)", "seconds": "\((took * 100).rounded() / 100)"])
        return nil
    }

    private func node(_ id: NodeID, _ runner: StepRunner) throws -> any NodeControl {
        guard let node = runner.cluster.nodes.first(where: { $0.id == id }) else {
            throw StepProblem.scenario("there is no \(id)")
        }
        return node
    }

    // MARK: Looking

    enum Sight: Sendable, Equatable {
        case there
        /// What there is instead, a line for each thread or lock that is not as it shall be.
        case notYet([String])
        case impossible(SteeringReport.Divergence.Cause, [String])
    }

    private func look(
        for event: Schedule.Entry.Event, _ runner: StepRunner, _ running: RunningOperations
    ) async throws -> Sight {
        switch event {
        case .held(let name):
            guard let gate = schedule.gate(name) else { return .there }
            let state = try await gates.state(of: name, on: gate.thread.node)
            switch state?.stage {
            case .held: return .there
            case .expired: return .impossible(.expired, [])
            case .atomic: return .impossible(.atomic, [])
            case .armed:
                let missing = "\(gate.thread.text) did not come to \(gate.edge.rawValue) of \(gate.function)"
                return .notYet([missing + (state?.hits ?? 0 > 0 ? ", \(state?.hits ?? 0) hits passed" : "")])
            case .released, nil: return .impossible(.never, ["the gate \(name) is open"])
            }
        case .waits(let list): return try await places(list, runner)
        case .ends(let names):
            for name in names {
                guard let result = await running.result(of: name) else { return .notYet(["\(name) runs"]) }
                if let problem = await self.problem(name, result, runner) {
                    return .impossible(.status(problem.text), [])
                }
            }
            return .there
        case .locks(let list): return try await locks(list, runner)
        case .start, .arm, .release: return .there
        }
    }

    private func places(
        _ list: [(thread: ScheduledThread, place: Schedule.Place)], _ runner: StepRunner
    ) async throws -> Sight {
        var wrong: [String] = []
        for (id, wanted) in Dictionary(grouping: list, by: \.thread.node).sorted(by: { $0.key < $1.key }) {
            let seen = try await threads(of: id, runner)
            for (thread, place) in wanted {
                let found = schedule.find(thread, among: seen)
                let isThere =
                    switch place {
                    case .rest: found?.isAtRest ?? false
                    // A thread that runs may be anywhere by now.
                    case .function(let name): found.map { $0.state != "R" && $0.functions.contains(name) } ?? false
                    }
                if !isThere { wrong.append(line(thread, found)) }
            }
        }
        return wrong.isEmpty ? .there : .notYet(wrong)
    }

    private func threads(of id: NodeID, _ runner: StepRunner) async throws -> [SeenThread] {
        try await ThreadLook(programs: schedule.programs).look(
            at: try node(id, runner), limit: runner.patience.limit(20))
    }

    private func line(_ thread: ScheduledThread, _ seen: SeenThread?) -> String {
        "\(thread.text): " + (seen?.text ?? "there is no such thread")
    }

    /// Where the threads of the schedule stand that the entry does not speak of.
    private func others(than event: Schedule.Entry.Event, _ runner: StepRunner) async throws -> [String] {
        var threads = Set(schedule.gates.map(\.thread) + schedule.deadlock.map(\.thread))
        if case .waits(let list) = event { threads.subtract(list.map(\.thread)) }
        var lines: [String] = []
        for (id, group) in Dictionary(grouping: threads, by: \.node).sorted(by: { $0.key < $1.key }) {
            let seen = try await self.threads(of: id, runner)
            for thread in group.sorted(by: { $0.text < $1.text }) {
                lines.append(line(thread, schedule.find(thread, among: seen)))
            }
        }
        return lines
    }

    private func locks(
        _ list: [(lock: Schedule.NodeLock, mode: Schedule.LockState)], _ runner: StepRunner
    ) async throws -> Sight {
        var wrong: [String] = []
        for (lock, wanted) in list {
            let text = try await node(lock.node, runner).run(
                ["/bin/busybox", "sh", "-c", "cat /sys/kernel/debug/dlm/*-*_locks"], limit: runner.patience.limit(20)
            ).output
            let own = DLMText.locks(text).first { !$0.isMasterCopy && $0.resource.rawValue == lock.resource }
            let found = own.map { own in
                Schedule.LockState(granted: own.granted, requested: own.status == .granted ? nil : own.requested)
            }
            if found != wanted { wrong.append("\(lock.text): \(found?.text ?? "no lock")") }
        }
        return wrong.isEmpty ? .there : .notYet(wrong)
    }

    // MARK: The end

    /// Waits for an operation once nobody is held. The watchdog tells a hang long before the limit.
    private func end(
        of name: String, _ runner: StepRunner, _ running: RunningOperations, expected: Bool
    ) async throws {
        let clock = ContinuousClock()
        let end = clock.now + runner.patience.limit(endLimit)
        while true {
            if let result = await running.result(of: name) {
                if expected, let problem = await problem(name, result, runner) { throw problem }
                return
            }
            if clock.now >= end {
                throw StepProblem.limit(
                    what: "\(name) ends", seconds: endLimit * runner.patience.slowness, observed: [])
            }
            try await Task.sleep(for: pollInterval)
        }
    }

    private func problem(_ name: String, _ result: Result<CommandResult, StepProblem>, _ runner: StepRunner) async
        -> StepProblem?
    {
        guard let operation = schedule.operation(name) else { return nil }
        switch result {
        case .failure(let problem): return problem
        case .success(let result):
            if operation.run.status.accepts(result.status) { return nil }
            return runner.problem(operation.node, operation.run.command.text, result)
        }
    }
}

/// The operations that have begun.
private actor RunningOperations {
    private(set) var names: [String] = []
    private var results: [String: Result<CommandResult, StepProblem>] = [:]

    func started(_ operation: Schedule.Operation, _ command: any RunningCommand) {
        names.append(operation.name)
        let name = operation.name
        Task {
            let result: Result<CommandResult, StepProblem>
            do {
                result = .success(try await command.wait(limit: .seconds(3600)))
            } catch {
                result = .failure(StepProblem(error, doing: name))
            }
            ended(name, result)
        }
    }

    private func ended(_ name: String, _ result: Result<CommandResult, StepProblem>) { results[name] = result }
    func result(of name: String) -> Result<CommandResult, StepProblem>? { results[name] }
}

extension ScenarioRunner {
    /// Has the runner follow a schedule after the scenario's own steps, and look for hangs often once nobody is held.
    package mutating func steer(with driver: ScheduleDriver, log: SteeringLog) {
        steering = { try await driver.steer($0) }
        mayJudge = { !log.isHolding }
        pace.interval = .milliseconds(500)
        pace.looks = 2
        pace.betweenSnapshots = .seconds(1)
    }
}

extension SteeringReport.Divergence {
    /// The kernel went another way; else the lab could not hold or find what the schedule speaks of.
    fileprivate var isTheKernels: Bool {
        switch cause {
        case .never, .status: true
        default: false
        }
    }
}
