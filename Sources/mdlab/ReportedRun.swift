// SPDX-License-Identifier: GPL-2.0
import Foundation
import HTMLReport
import ProtocolTrace
import Reporting
import RunRecord
import Scenarios
import Validation

/// A run of a page: its record, its verdict as it was given, and what the reference model says of it.
struct ReportedRun {
    /// As it was named.
    let folder: String
    let recording: Recording
    let verdict: Verdict
    var run: ReportRun
    /// The model's way to the same deadlock, if the run hung and the model has it.
    let counterexample: ReportCounterexample?

    /// - Parameters:
    ///   - id: unique in the page.
    ///   - rules: the rules for kernel logs, for a run that has no verdict and no rules of its own.
    ///   - outcome: what a validation found out about the run: then nothing is compared again.
    init(_ folder: String, id: String, rules: URL, outcome: RunOutcome?, compares: Bool) throws {
        self.folder = folder
        recording = try Recording.open(URL(filePath: folder))
        let recorded = try RecordedRun(recording)
        // A run that was killed has none.
        let isJudged = FileManager.default.fileExists(atPath: recording.layout.verdict.path)
        verdict = isJudged ? try VerdictFile.read(recording.layout) : recorded.verdict(rules: rules)
        let name = recorded.name + (verdict.variant.map { "@\($0)" } ?? "")
        var run = ReportRun(recording, verdict: verdict, id: id, name: name)
        run.missing = recording.missing.map(ReportWording.text)
        run.facts.append(.init("record", folder))
        // A hang is looked for in the model again: the outcome does not say where it is.
        let isHung = recording.description.ending == .hung
        let comparison = compares && (outcome == nil || isHung) ? try RunComparison(recording) : nil
        run.comparison =
            outcome.map { ReportWording.stage($0.comparison) } ?? comparison.map { ReportWording.stage($0) }
        if case .deadlock(_, let deadlock)? = comparison?.hang {
            counterexample = ReportWording.counterexample(deadlock, run)
        } else {
            counterexample = nil
        }
        self.run = run
    }
}
