// SPDX-License-Identifier: GPL-2.0
import Foundation
import KernelBuild
import ProtocolTrace
import Reporting
import RunRecord
import Scenarios
import Validation

/// Runs scenarios on one build of md, judges them and compares them with the model.
struct ScenarioLaboratory: Sendable {
    let input: BuildOptions
    let files: ScenarioFiles
    /// The folder in which the folders of the runs are made.
    let out: String
    let progress: RunProgress

    /// One run from the start of the cluster to its outcome. A lab that fails gives an outcome with the word MISS; only
    /// an interruption is thrown.
    func run(_ instance: ScenarioInstance) async throws -> RunOutcome {
        let clock = ContinuousClock()
        let start = clock.now
        let planned = PlannedRun(instance, variant: input.variant)
        func seconds() -> Double { (clock.now - start) / .seconds(1) }
        do {
            let folder = try RunFolder.make(in: out, for: planned, file: files.file(of: instance.scenario))
            let driver = RunDriver(
                run: planned, input: input, cold: false, layout: folder, rules: files.rules, progress: progress)
            let verdict = try await driver.verdict()
            progress.clear()
            try Task.checkCancellation()
            var outcome = RunOutcome(verdict, scenario: instance.name)
            outcome.record = folder.root.relativePath
            outcome.functions = try CoverageFile.read(folder).functionsThatRan.keys.sorted()
            outcome.comparison = Self.compare(folder)
            outcome.seconds = seconds()
            return outcome
        } catch let error where !(error is CancellationError) && !Task.isCancelled {
            progress.clear()
            let reason = (error as? any Worded)?.line ?? "\(error)"
            return RunOutcome(
                scenario: instance.name, word: .miss, reason: reason,
                comparison: .notDecided(reason: "there was no run"),
                seconds: seconds())
        }
    }

    /// What the model says of a record.
    static func compare(_ layout: RunLayout) -> ComparisonOutcome {
        do {
            let run = try RunComparison(Recording.open(layout.root))
            switch run.answer {
            case .conforms: return .conforms
            case .event(let mismatch):
                let text = mismatch.event.map(ComparisonWording.sentence) ?? "an event is missing"
                return .differs(.event(mismatch.event?.label.description ?? ""), text: text)
            case .goesOn(let threads): return .differs(.goesOn, text: "it \(MatrixWording.goesOn(threads))")
            case .hang: return .differs(.hang, text: "it hangs, and the model does not")
            case .endState:
                let first = run.endState.differences.first.map(MatrixWording.atRest) ?? "its end state"
                return .differs(.endState, text: first)
            case .notDecided(let doubts):
                return .notDecided(reason: doubts.map(ComparisonWording.text).joined(separator: "; "))
            }
        } catch {
            return .notDecided(reason: (error as? any Worded)?.line ?? "\(error)")
        }
    }
}

extension RunOutcome {
    init(_ verdict: Verdict, scenario: String) {
        self.init(
            scenario: scenario, word: verdict.word, reason: verdict.reason,
            findings: verdict.checks.failing.flatMap { check in
                check.findings.sorted { ($0.rank ?? check.rank) < ($1.rank ?? check.rank) }.map { finding in
                    var finding = finding
                    finding.rank = finding.rank ?? check.rank
                    return CheckFinding(check: check.name, finding: finding)
                }
            },
            undecided: verdict.checks.filter { $0.answer == .notDecided }.map(\.name))
    }
}
