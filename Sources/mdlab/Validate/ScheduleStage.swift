// SPDX-License-Identifier: GPL-2.0
import Foundation
import Reporting
import RunRecord
import Scenarios
import Steering
import Validation

/// The stage that drives the patched kernel through the library of schedules, which every kernel must survive.
struct ScheduleStage: Sendable {
    let input: BuildOptions
    let files: ScenarioFiles
    /// The folder in which the folders of the runs are made.
    let out: String
    let progress: RunProgress

    struct Outcome: Sendable {
        var run: RunOutcome
        /// Whether the kernel came by the way that the schedule says. If not, it was not tried there.
        var isFollowed: Bool
    }

    /// The names of schedules, those that go through the functions first.
    ///
    /// - Parameter limit: at most so many; all others are of no concern for the functions.
    func names(through functions: Set<String>, all: Bool, limit: Int) throws -> [String] {
        let schedules = ScheduleFiles(files)
        let shared = try schedules.names.map { name in
            let schedule = try schedules.request(name, variant: nil).schedule
            let places = schedule.gates.map(\.function) + schedule.deadlock.flatMap(\.stack)
            return (name: name, count: Set(places).intersection(functions).count)
        }
        let touched = shared.filter { $0.count > 0 }.sorted { ($1.count, $0.name) < ($0.count, $1.name) }.map(\.name)
        return Array(touched.prefix(limit)) + (all ? shared.filter { $0.count == 0 }.map(\.name) : [])
    }

    func run(_ name: String) async throws -> Outcome {
        let start = ContinuousClock.now
        var input = input
        input.coverage = false
        let request = try ScheduleFiles(files).request(name, variant: nil)
        let steering = SteeringRun(
            request: request, input: input, out: out, files: files, unsteered: false, attempts: 1, progress: progress)
        func seconds() -> Double { (ContinuousClock.now - start) / .seconds(1) }
        do {
            let outcome = try await steering.outcome()
            progress.clear()
            var run = RunOutcome(outcome.verdict, scenario: "schedule \(name)")
            run.record = outcome.folder
            run.stage = .schedules
            run.comparison = ScenarioLaboratory.compare(RunLayout(root: URL(filePath: outcome.folder)))
            run.seconds = seconds()
            return Outcome(run: run, isFollowed: outcome.report.isComplete)
        } catch let error where !(error is CancellationError) && !Task.isCancelled {
            progress.clear()
            let reason = (error as? any Worded)?.line ?? "\(error)"
            return Outcome(
                run: RunOutcome(
                    scenario: "schedule \(name)", word: .miss, reason: reason,
                    comparison: .notDecided(reason: "there was no run"), seconds: seconds()),
                isFollowed: false)
        }
    }
}
