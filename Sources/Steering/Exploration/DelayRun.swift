// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Conformance
import Foundation
import RunRecord
import Scenarios
import VirtualCluster

/// Carries out one plan in a cluster that was restored an instant before the race, and leaves a record that is judged
/// as any.
public struct DelayRun: Sendable {
    let instance: ScenarioInstance
    let plan: DelayPlan
    /// Guest time after which a held thread goes on.
    let limit: Duration
    let patience: Patience
    /// Counts all hits meanwhile: that costs time, and is for the run without delays that finds out where they could
    /// be.
    var recordsPoints = false

    public init(
        instance: ScenarioInstance, plan: DelayPlan, limit: Duration, patience: Patience, recordsPoints: Bool = false
    ) {
        self.instance = instance
        self.plan = plan
        self.limit = limit
        self.patience = patience
        self.recordsPoints = recordsPoints
    }

    public struct Outcome: Sendable {
        public var runner: ScenarioRunner.Outcome
        /// What came of each hold of the plan; nil when its node could not be asked any more.
        public var gates: [GateState?]
        /// Node -> what was hit, if that was counted.
        public var points: [Int: [GatePoint]] = [:]
    }

    /// Ends with the scenario, or when a hang is seen. Throws `GateError` for a gate that cannot be armed.
    public func run(in cluster: any ClusterControl) async throws -> Outcome {
        @Sendable func keeper(_ node: Int) throws -> GateKeeper {
            guard let control = cluster.nodes.first(where: { $0.id == NodeID(node) }) else {
                throw ClusterFailure.noSuchNode("node\(node)", nodes: cluster.nodes.map(\.id))
            }
            return GateKeeper(control)
        }
        for (number, hold) in plan.holds.enumerated() {
            try await keeper(hold.node).arm(hold.gate("hold\(number)", limit: limit))
        }
        if recordsPoints { for node in cluster.nodes { try await GateKeeper(node).startRecording() } }
        let nodes = Set(plan.holds.map(\.node)).sorted()
        // A thread that is still held has not done what the nodes are to agree on.
        let runner = ScenarioRunner(
            instance: instance, cluster: cluster, patience: patience, pace: pace,
            pending: {
                var held: [String] = []
                for node in nodes {
                    held += try await keeper(node).states().filter { $0.stage == .held }.map {
                        "node\(node): \($0.thread ?? "") is held at \($0.function)"
                    }
                }
                return held
            })
        var outcome = Outcome(runner: await runner.run(.rest(instance.scenario.stepsBeforeRace)), gates: [])
        if recordsPoints {
            for node in cluster.nodes { outcome.points[node.id.rawValue] = try await GateKeeper(node).stopRecording() }
        }
        for (number, hold) in plan.holds.enumerated() {
            let states = try? await keeper(hold.node).states()
            outcome.gates.append(states?.first { $0.id == "hold\(number)" })
        }
        return outcome
    }

    /// Nothing can be said to hang while a thread is held, and a hang that follows is looked for at once.
    private var pace: Watchdog.Pace {
        Watchdog.Pace(
            delay: plan.holds.isEmpty ? .milliseconds(500) : limit + .milliseconds(300), interval: .milliseconds(300),
            looks: 2,
            betweenSnapshots: .milliseconds(600), looksUntilAgain: 4)
    }
}
