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
        if let outcome {
            run.comparison = ReportWording.stage(outcome.comparison)
        } else if compares {
            run.comparison = ReportWording.stage(try RunComparison(recording))
        }
        self.run = run
    }
}
