// SPDX-License-Identifier: GPL-2.0
import Foundation
import LineCoverage
import RunRecord
import Validation

/// A validation in words, for a terminal and for a mail.
enum ValidationText {
    /// "build        PASS    12.3 s  1 patch builds for 6.1.0-56-amd64"
    static func line(_ stage: StageResult) -> String {
        let head = column(stage.name.rawValue, 10) + column(stage.word.rawValue, 13)
        let nothing = stage.name == .static ? "nothing new from checkpatch, W=1, sparse and kernel-tests/static" : ""
        let lines = stage.lines.isEmpty ? [nothing] : stage.lines
        let time = String(format: "%6.1f s  ", stage.seconds)
        let indent = String(repeating: " ", count: head.count + time.count)
        return head + time + lines.joined(separator: "\n" + indent)
    }

    static func line(_ run: RunOutcome) -> String {
        var text = column(run.scenario, 26) + column(run.word.rawValue, 6) + String(format: "%5.1f s", run.seconds)
        if run.word != .pass { text += "  " + run.reason }
        switch run.comparison {
        case .conforms: break
        case .differs(_, let difference): text += "  not in the model: \(difference)"
        case .notDecided(let reason): text += "  not compared: \(reason)"
        }
        return text
    }

    static func state(_ state: PatchCoverage.State) -> ValidationReport.State {
        switch state {
        case .ran: .ran
        case .neverRan: .neverRan
        case .noCode: .noCode
        case .usedElsewhere: .usedElsewhere
        }
    }

    static func coverage(_ coverage: PatchCoverage) -> [String] {
        let withCode = coverage.ran.count + coverage.neverRan.count
        var lines = ["\(coverage.ran.count) of \(withCode) changed places with code ran"]
        lines += coverage.neverRan.map { "never ran: \(place($0))" }
        lines += coverage.places.filter(\.oneWay).map { "only one way: \(place($0))" }
        lines += coverage.usedElsewhere.map { "used elsewhere, not followed: \(place($0))" }
        return lines
    }

    private static func place(_ place: PatchCoverage.Place) -> String {
        let file = place.change.path.split(separator: "/").last.map(String.init) ?? place.change.path
        let sign = if case .removed = place.change.kind { "taken out: " } else { "" }
        return "\(file):\(place.change.line)  \(sign)\(place.change.text)"
    }

    /// The conclusion: the sentence first.
    static func conclusion(_ report: ValidationReport) -> String {
        var lines = ["", "\(report.word.rawValue)  \(report.sentence)"]
        lines += report.why.map { "      \($0)" }
        lines += report.next.map { "  ->  \($0)" }
        return lines.joined(separator: "\n") + "\n"
    }

    /// For a mail: what was run and what came of it, without folders of this machine. A Tested-by only where everything
    /// was decided and good.
    static func mail(_ report: ValidationReport) -> String {
        var lines = ["mdlab validate, kernel \(report.kernel): \(report.word.rawValue)", report.sentence]
        lines += report.why.map { "  \($0)" }
        let scenarios = Set(report.runs.map(\.scenario)).sorted()
        if !scenarios.isEmpty { lines.append("Scenarios: \(scenarios.joined(separator: ", "))") }
        if report.word == .pass, !report.runs.isEmpty {
            lines.append("Tested-by: Your Name <you@example.org> # mdlab, \(report.runs.count) runs")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A line a finding: what b4 shows beside the patch.
    static func terse(_ report: ValidationReport) -> String {
        let level = report.word == .pass ? "CHECK" : report.word == .notDecided ? "WARNING" : "ERROR"
        var lines = report.word == .pass ? [] : ["mdlab: \(level): \(report.sentence)"]
        lines += report.stages.filter { $0.name == .static }.flatMap(\.lines)
        return lines.map { $0 + "\n" }.joined()
    }

    private static func column(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}
