// SPDX-License-Identifier: GPL-2.0
import Comparison
import Foundation
import KernelBuild
import KernelTrace
import MDClusterModel
import ProtocolTrace
import Reporting
import RunRecord
import Scenarios
import Steering
import VirtualCluster

/// Runs a scenario's race from a saved cluster, with threads delayed.
struct DelayLaboratory: Sendable {
    let planned: PlannedRun
    let bench: Laboratory.Bench
    let laboratory: Laboratory
    let files: ScenarioFiles
    /// Guest time for which a thread is held at least.
    let least: Duration

    private var instance: ScenarioInstance { planned.instance }

    /// Builds instrumented modules.
    init(
        _ planned: PlannedRun, input: BuildOptions, least: Duration, laboratory: Laboratory, files: ScenarioFiles
    ) async throws {
        var request = try input.request(laboratory.builder.catalog)
        request.variant = planned.variant
        request.instrument = true
        var bench = try await laboratory.prepare(request, nodes: planned.instance.nodes)
        // No more than it needs: every run restores them.
        bench.configuration.disks = planned.instance.scenario.disks
        bench.configuration.diskSize = planned.instance.scenario.diskMiB << 20
        (self.planned, self.bench, self.laboratory, self.files) = (planned, bench, laboratory, files)
        self.least = least
    }

    var subject: ExplorationFolder.Subject {
        .init(
            scenario: instance.name, kernelRelease: bench.configuration.kernelRelease, source: bench.modules.source,
            modules: bench.configuration.modules.map(\.buildID),
            file: (try? String(contentsOf: files.file(of: instance.scenario), encoding: .utf8)) ?? "",
            limit: Int(least / .milliseconds(1)))
    }

    private func recorder(_ layout: RunLayout, _ progress: @escaping @Sendable (RunEvent) -> Void = { _ in }) throws
        -> RunRecorder
    {
        try RecordedRun.keep(scenario: files.file(of: instance.scenario), in: layout)
        return try laboratory.record(bench, scenario: instance.name, cold: false, in: layout, progress: progress)
    }

    /// Brings a cluster to the instant before the race and saves it, unless that was done before.
    func prepare(_ folder: ExplorationFolder, progress: @escaping @Sendable (String) -> Void) async throws {
        guard !FileManager.default.fileExists(atPath: folder.saved.path) else { return }
        try? FileManager.default.removeItem(at: folder.draft)
        let recorder = try recorder(RunLayout(root: folder.draft.appending(path: "record"))) { progress($0.text) }
        let cluster = try await laboratory.start(bench, cold: false, recorder: recorder)
        do {
            let runner = ScenarioRunner(instance: instance, cluster: cluster, patience: Patience(slowness: 2))
            if let problem = await runner.run(.beginning(instance.scenario.stepsBeforeRace)).problem {
                throw ExplorationError.noRace(problem: problem.text)
            }
            try await cluster.save(to: folder.draft)
        } catch {
            await cluster.stop()
            throw error
        }
        await cluster.stop()
        try FileManager.default.moveItem(at: folder.draft, to: folder.saved)
    }

    struct Trial: Sendable {
        var verdict: Verdict
        var reached: Reached
        var gates: [String]
        var points: [Int: [GatePoint]]
        /// From the restored cluster to the quiet one.
        var race: Duration
    }

    /// What is passed by which thread when nothing is delayed.
    func findPoints(_ folder: ExplorationFolder) async throws -> HoldPoints {
        let layout = RunLayout(root: folder.root.appending(path: "points"))
        let trial = try await run(DelayPlan([]), limit: least, from: folder, in: layout, recordsPoints: true)
        defer { try? FileManager.default.removeItem(at: layout.root) }
        return HoldPoints(trial.points, modelled: try leftToCover(layout))
    }

    /// The model's functions, and how many of its steps there a run without delays has not taken: see `Coverage`. Of a
    /// run that the comparison does not find to conform nobody can say which steps it took; then all of them are left.
    private func leftToCover(_ layout: RunLayout) throws -> [String: Int] {
        let model = try MDCluster.program(
            variant: "v5.11", nodes: instance.nodes, workload: Workload("fail", nodes: instance.nodes))
        var left = Dictionary(uniqueKeysWithValues: model.procedures.map { ($0.name, 0) })
        let variant = Variants.all.first { $0.name == planned.variant }?.name ?? "v5.11"
        var coverage = try Coverage(variant: variant)
        coverage.add(
            try ModelComparison(try Recording.open(layout.root), variant: variant), run: layout.root.lastPathComponent,
            scenario: instance.name)
        for row in coverage.rows { left[row.procedure] = row.missing.count }
        return left
    }

    /// For how long to hold, so that all the others get through meanwhile: as long as the race takes when nothing is
    /// delayed, and half as long again for other runs at the same time. A busy host makes all nodes slow, and their
    /// clocks go on.
    func holdingTime(_ folder: ExplorationFolder) async throws -> Duration {
        let layout = RunLayout(root: folder.root.appending(path: "pace"))
        let trial = try await run(DelayPlan([]), limit: least, from: folder, in: layout)
        try? FileManager.default.removeItem(at: layout.root)
        return min(max(least, trial.race * 1.5), .seconds(30))
    }

    /// Restores the cluster, runs the race and judges its record.
    func run(
        _ plan: DelayPlan, limit: Duration, from folder: ExplorationFolder, in layout: RunLayout,
        recordsPoints: Bool = false
    ) async throws -> Trial {
        // What a run that was killed has left.
        try? FileManager.default.removeItem(at: layout.root)
        let recorder = try recorder(layout)
        let cluster = try await QEMUCluster.restore(bench.configuration, from: folder.saved, recorder: recorder)
        let race = DelayRun(
            instance: instance, plan: plan, limit: limit, patience: Patience(slowness: 1), recordsPoints: recordsPoints)
        let start = ContinuousClock.now
        let outcome: DelayRun.Outcome
        do {
            outcome = try await race.run(in: cluster)
        } catch {
            await cluster.stop()
            // A gate that could not be armed: nothing ran, and there is nothing to judge.
            try? FileManager.default.removeItem(at: layout.root)
            throw error
        }
        let taken = ContinuousClock.now - start
        await laboratory.finish(cluster, of: bench, outcome.runner.ending)
        let run = try RecordedRun(layout)
        let evidence = run.evidence(rules: files.rules)
        let verdict = run.verdict(of: evidence)
        try VerdictFile.write(verdict, name: planned.name, to: layout)
        return Trial(
            verdict: verdict, reached: Reached(verdict, evidence),
            gates: outcome.gates.map { $0?.stage.rawValue ?? "not seen" }, points: outcome.points, race: taken)
    }
}
