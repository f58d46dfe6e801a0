// SPDX-License-Identifier: GPL-2.0
import Foundation
import KernelBuild
import ProtocolTrace
import RunRecord
import Scenarios
import Steering
import Synchronization
import Validation

/// The stage that delays threads in the functions that the patch changes: what a run does not meet by chance. A fault
/// is tried again with the same delay, with the patch and without it.
struct DelayStage: Sendable {
    let planned: PlannedRun
    /// With the patch; the modules are instrumented.
    let input: BuildOptions
    let files: ScenarioFiles
    /// The folder that the explorations are made in.
    let out: URL
    /// Functions that the patch changes: threads are delayed there first.
    let functions: Set<String>
    /// Goes on with the other functions of md then.
    let takesAll: Bool

    struct Result: Sendable {
        /// Runs that went wrong, with their repetitions.
        var runs: [RunOutcome] = []
        var baseline: [RunOutcome] = []
        /// Places in changed functions, all places, and runs with delays.
        var changedPoints = 0
        var points = 0
        var tried = 0
    }

    private static let least = Duration.seconds(1)
    private static let lanes = 2
    private static let repetitions = 2

    /// - Parameter deadline: no run is begun afterwards, but for repetitions of what was found.
    func result(until deadline: ContinuousClock.Instant, say: @escaping @Sendable (String) -> Void) async throws
        -> Result
    {
        let patched = try await lab(input)
        var folder = try ExplorationFolder(out.appending(path: planned.folderName), subject: patched.subject)
        try await patched.prepare(folder) { _ in }
        let all = try await patched.findPoints(folder).points
        let changed = all.filter { functions.contains($0.function) }
        let points = changed + (takesAll ? all.filter { !functions.contains($0.function) } : [])
        var result = Result(changedPoints: changed.count, points: points.count)
        guard !points.isEmpty else { return result }
        try folder.keep(points)
        let limit = try await patched.holdingTime(folder)
        let found = Mutex<[(plan: DelayPlan, outcome: RunOutcome)]>([])
        let explorer = try Explorer(folder, points: points, undelayed: 0)
        try await explorer.run(lanes: Self.lanes, until: deadline, stopAtFailure: true) { [folder] number, plan in
            let (trial, outcome) = try await run(plan, limit, patched, folder, folder.record(number))
            if outcome.isFaulty {
                say("  " + ValidationText.line(outcome))
                found.withLock { $0.append((plan, outcome)) }
            }
            return .init(
                gates: trial.gates, reached: trial.reached, reason: trial.verdict.reason, isFound: outcome.isFaulty)
        }
        result.tried = await explorer.results.count
        guard let first = found.withLock({ $0.first }) else { return result }
        result.runs = found.withLock { $0.map(\.outcome) }
        let again = try await repeated(first.plan, limit, patched, folder, of: Self.repetitions - 1)
        for outcome in again { say("  again: " + ValidationText.line(outcome)) }
        result.runs += again
        result.baseline = try await withoutThePatch(first.plan, limit)
        for outcome in result.baseline { say("  without the patch: " + ValidationText.line(outcome)) }
        return result
    }

    private func lab(_ input: BuildOptions) async throws -> DelayLaboratory {
        var input = input
        input.coverage = false
        return try await DelayLaboratory(
            planned, input: input, least: Self.least, laboratory: try Laboratory(progress: { _ in }), files: files)
    }

    private func withoutThePatch(_ plan: DelayPlan, _ limit: Duration) async throws -> [RunOutcome] {
        var plain = input
        plain.patch = []
        let lab = try await lab(plain)
        let folder = try ExplorationFolder(
            out.appending(path: planned.folderName + "-unpatched"), subject: lab.subject)
        try await lab.prepare(folder) { _ in }
        return try await repeated(plan, limit, lab, folder, of: Self.repetitions)
    }

    private func repeated(
        _ plan: DelayPlan, _ limit: Duration, _ lab: DelayLaboratory, _ folder: ExplorationFolder, of count: Int
    ) async throws -> [RunOutcome] {
        var outcomes: [RunOutcome] = []
        for number in 0..<count {
            let layout = RunLayout(root: folder.root.appending(path: "again-\(number + 1)"))
            outcomes.append(try await run(plan, limit, lab, folder, layout).1)
        }
        return outcomes
    }

    private func run(
        _ plan: DelayPlan, _ limit: Duration, _ lab: DelayLaboratory, _ folder: ExplorationFolder, _ layout: RunLayout
    ) async throws -> (DelayLaboratory.Trial, RunOutcome) {
        let start = ContinuousClock.now
        let trial = try await lab.run(plan, limit: limit, from: folder, in: layout)
        var outcome = RunOutcome(trial.verdict, scenario: "\(planned.name), delayed: \(plan)")
        outcome.stage = .delays
        outcome.comparison = ScenarioLaboratory.compare(layout)
        outcome.record = layout.root.relativePath
        outcome.seconds = (ContinuousClock.now - start) / .seconds(1)
        return (trial, outcome)
    }
}
