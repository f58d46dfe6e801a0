// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import RunRecord
import VirtualCluster

/// Drives a cluster through a scenario and leaves in the record what a judge needs: steps, snapshots, and how it ended.
///
///     let runner = ScenarioRunner(instance: instance, cluster: cluster, patience: Patience(slowness: 1.5))
///     let outcome = await runner.run()
///
/// It judges nothing: the verdict comes from the record alone.
public struct ScenarioRunner: Sendable {
    public struct Outcome: Sendable, Equatable {
        public var ending: RunDescription.Ending
        public var problem: StepProblem?
    }

    let instance: ScenarioInstance
    let cluster: any ClusterControl
    var patience: Patience
    let finder: Watchdog.Finder
    package var pace: Watchdog.Pace
    /// A fault from outside.
    public var disturbance: Disturbance?
    /// What comes after the scenario's steps; see Steering.
    package var steering: (@Sendable (StepRunner) async throws -> Void)?
    /// False while `steering` holds threads on purpose.
    package var mayJudge: @Sendable () -> Bool = { true }
    /// What else has to be over before the cluster is quiet, in words.
    var pending: @Sendable () async throws -> [String] = { [] }
    /// Seconds that a cluster may need, after the last step, until nothing is going on in it any more.
    var settleLimit = 60.0

    /// What of a scenario is to be run.
    public enum Part: Sendable, Equatable {
        case all
        /// The modules, the array, and so many of the steps.
        case beginning(Int)
        /// The steps after so many, in a cluster in which these have been done.
        case rest(Int)
    }

    public init(
        instance: ScenarioInstance, cluster: any ClusterControl, patience: Patience,
        pace: Watchdog.Pace = Watchdog.Pace(), pending: @escaping @Sendable () async throws -> [String] = { [] }
    ) {
        self.init(instance: instance, cluster: cluster, patience: patience, pace: pace, finder: Watchdog.judgedHang)
        self.pending = pending
    }

    /// - Parameter finder: names the cycle that two snapshots of all nodes show, or nil; see `Watchdog`.
    init(
        instance: ScenarioInstance, cluster: any ClusterControl, patience: Patience,
        pace: Watchdog.Pace = Watchdog.Pace(),
        finder: @escaping @Sendable (_ first: [NodeSnapshot], _ second: [NodeSnapshot]) -> [String]?
    ) {
        (self.instance, self.cluster, self.patience, self.finder) = (instance, cluster, patience, finder)
        self.pace = pace
    }

    /// Runs the scenario. Never throws: whatever happens is an ending, and in the record. When the task is cancelled
    /// (Ctrl-C) the run ends as interrupted, with what the nodes can still tell.
    public func run(_ part: Part = .all) async -> Outcome {
        let situation = Situation(nodes: cluster.nodes)
        let snapshots = HangSnapshots()
        let problem = await firstProblem(part, situation, snapshots)
        guard let problem else { return Outcome(ending: .finished, problem: nil) }
        let (kind, blame) = problem.event
        cluster.note(
            kind, node: nil, problem.text,
            problem.facts.merging(["problem": problem.text, "blame": blame.rawValue]) { _, new in new })
        // The closing snapshots are taken by a task of their own: this one may be cancelled, and the record must be
        // complete.
        let closing = Task.detached { await close(problem, snapshots) }
        await closing.value
        return Outcome(ending: problem.ending, problem: problem)
    }

    /// Runs steps and watchdog side by side; the first of them to fail, or the end of the steps, ends the run. A
    /// command that hangs in the kernel cannot be waited for, so neither is.
    private func firstProblem(_ part: Part, _ situation: Situation, _ snapshots: HangSnapshots) async -> StepProblem? {
        let first = FirstAnswer<StepProblem?>()
        let steps = Task {
            do {
                try await perform(part, situation)
                await first.give(nil)
            } catch {
                await first.give(StepProblem(error, doing: "the scenario"))
            }
        }
        let watchdog = Watchdog(
            cluster: cluster, situation: situation, finder: finder, pace: pace, snapshots: snapshots, mayJudge: mayJudge
        )
        let watching = Task {
            do {
                try await watchdog.watch()
            } catch {
                if !Task.isCancelled { await first.give(StepProblem(error, doing: "watching the nodes")) }
            }
        }
        let disturbing = disturbance.map { disturbance in
            Task {
                let runner = StepRunner(instance: instance, cluster: cluster, situation: situation, patience: patience)
                do { try await disturbance.happen(runner) } catch is CancellationError {} catch {
                    cluster.note(.note, node: nil, "the disturbance failed: \(error)", [:])
                }
            }
        }
        defer {
            steps.cancel()
            watching.cancel()
            disturbing?.cancel()
        }
        return await withTaskCancellationHandler {
            await first.value
        } onCancel: {
            Task { await first.give(.interrupted) }
        }
    }

    private func perform(_ part: Part, _ situation: Situation) async throws {
        let runner = StepRunner(instance: instance, cluster: cluster, situation: situation, patience: patience)
        let steps = instance.scenario.steps
        let (begins, ends, chosen) =
            switch part {
            case .all: (true, true, steps[...])
            case .beginning(let count): (true, false, steps.prefix(count))
            case .rest(let count): (false, true, steps.dropFirst(count))
            }
        if begins {
            try await cluster.loadModules()
            try await runner.perform(instance.scenario.before)
            try await runner.startArray()
        }
        try await runner.perform(Array(chosen))
        if ends {
            try await steering?(runner)
            // What agreement and expectations are judged by.
            try await runner.settle("final", limit: settleLimit, pending: pending)
        }
    }

    private func close(_ problem: StepProblem, _ snapshots: HangSnapshots) async {
        do {
            switch problem {
            case .limit: _ = try await snapshots.take(cluster, apart: pace.betweenSnapshots)
            case .status, .required, .scenario, .lab, .interrupted, .nodeDied: _ = try await cluster.snapshot("end")
            case .hang: break
            }
        } catch {
            cluster.note(
                .note, node: nil, "no last snapshot: \(StepProblem(error, doing: "the last snapshot").text)", [:])
        }
    }
}

/// The first of several answers; later ones are ignored.
actor FirstAnswer<Value: Sendable> {
    private var answer: Value?
    private var waiting: CheckedContinuation<Value, Never>?

    func give(_ value: Value) {
        guard answer == nil else { return }
        answer = .some(value)
        waiting?.resume(returning: value)
        waiting = nil
    }

    /// May be asked for once.
    var value: Value {
        get async {
            if let answer { return answer }
            return await withCheckedContinuation { waiting = $0 }
        }
    }
}
