// SPDX-License-Identifier: GPL-2.0
import Foundation
import Reporting
import Validation

/// A validation for programs, and where its time went.
extension ValidationText {
    /// A test for the conclusion, and one for each stage; the runs are inside the stages of kernels.
    static func tests(_ report: ValidationReport) -> [TestTree] {
        let stages = report.stages.map { stage in
            let runs = report.runs.filter { ($0.stage ?? .kernels) == stage.name }
            return TestTree(
                stage.name.rawValue, state(stage.word, stage.lines.first ?? ""), lines: stage.lines,
                seconds: stage.seconds, parts: runs.map { test($0, isBlamed: stage.word == .fail) })
        }
        let conclusion = TestTree(
            "validation", state(report.word, report.sentence), lines: [report.sentence] + report.why + report.next)
        return stages + [conclusion]
    }

    /// - Parameter isBlamed: whether the stage that ran it found a fault of the patch; else what is wrong is known.
    private static func test(_ run: RunOutcome, isBlamed: Bool) -> TestTree {
        var wrong = run.word == .fail || run.word == .userSpace ? run.reason : nil
        if case .differs(_, let text) = run.comparison { wrong = wrong ?? "not in the reference model: \(text)" }
        var lines = run.findings.map { "\($0.check): \($0.finding.text)" }
        if case .notDecided(let reason) = run.comparison { lines.append("not compared with the model: \(reason)") }
        let state: TestTree.State =
            if let wrong { isBlamed ? .fail(wrong) : .known(wrong) } else {
                switch run.word {
                case .skip: .skip(run.reason)
                case .error, .miss: isBlamed ? .error("\(run.word.rawValue): \(run.reason)") : .skip(run.reason)
                default: .pass
                }
            }
        return TestTree(run.scenario, state, lines: lines, seconds: run.seconds)
    }

    private static func state(_ word: ValidationWord, _ reason: String) -> TestTree.State {
        switch word {
        case .pass: .pass
        case .fail: .fail(reason)
        case .error, .miss: .error("\(word.rawValue): \(reason)")
        case .notDecided: .skip("not decided: \(reason)")
        case .skip: .skip(reason)
        }
    }

    /// What stands at lines of the patched source; checkpatch counts lines of the patch, which is no file of the tree.
    static func sourceFindings(_ report: ValidationReport) -> [SARIF.Finding] {
        report.stages.compactMap(\.findings).joined().map { finding in
            SARIF.Finding(
                tool: finding.tool, file: finding.isInPatch ? finding.file : "drivers/md/\(finding.file)",
                line: finding.line, text: finding.text)
        }
    }

    /// A line for each stage and each run, the longest first. Stages overlap: static beside the runs.
    static func timings(_ report: ValidationReport, total: Double) -> String {
        func line(_ seconds: Double, _ text: String) -> String {
            String(format: "  %6.1f s  %3.0f %%  ", seconds, 100 * seconds / max(total, 0.001)) + text + "\n"
        }
        var text = String(format: "\n%.1f s in all\n", total)
        for stage in report.stages.sorted(by: { $0.seconds > $1.seconds }) {
            text += line(stage.seconds, stage.name.rawValue)
            guard stage.name == .kernels else { continue }
            for run in report.runs.sorted(by: { $0.seconds > $1.seconds }) {
                text += line(run.seconds, "  " + run.scenario)
            }
        }
        return text
    }
}
