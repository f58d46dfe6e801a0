// SPDX-License-Identifier: GPL-2.0
import RunRecord

/// Writes verdicts as the Kernel Test Anything Protocol, version 1 (Documentation/dev-tools/ktap.rst): one test per
/// run, one subtest per check. Text comes out in pieces, so that a pipe sees each result when it is there.
public struct KTAP: Sendable {
    private var number = 0
    private var totals: [Total: Int] = [:]

    enum Total: String, CaseIterable { case pass, fail, xfail, xpass, skip, error }

    public init() {}

    /// The version line and the plan.
    public static func header(tests: Int) -> String { "KTAP version 1\n1..\(tests)\n" }

    /// One run's subtests and result line.
    public mutating func test(_ verdict: Verdict, name: String) -> String {
        number += 1
        totals[total(verdict), default: 0] += 1
        let expected = verdict.word == .xfail
        var text = "  KTAP version 1\n  1..\(verdict.checks.count)\n"
        for line in Self.about(verdict) { text += "  # \(line)\n" }
        for (index, check) in verdict.checks.enumerated() {
            for line in Self.diagnostics(check) { text += "  # \(line)\n" }
            text += "  " + Self.line(check, number: index + 1, expected: expected) + "\n"
        }
        return text + result(verdict, name: name) + "\n"
    }

    /// A run that left no verdict: the lab failed, or it was interrupted.
    public mutating func missing(name: String, word: VerdictWord, reason: String) -> String {
        number += 1
        totals[word == .skip ? .skip : .error, default: 0] += 1
        switch word {
        case .skip: return "ok \(number) \(Self.clean(name)) # SKIP \(Self.oneLine(reason))\n"
        default: return "not ok \(number) \(Self.clean(name)) # ERROR \(Self.oneLine(reason))\n"
        }
    }

    /// The line that kselftest ends with.
    public func footer() -> String {
        "# Totals: " + Total.allCases.map { "\($0.rawValue):\(totals[$0] ?? 0)" }.joined(separator: " ") + "\n"
    }

    private func total(_ verdict: Verdict) -> Total {
        switch verdict.word {
        case .pass: .pass
        case .fail: verdict.reason.hasPrefix("unexpected pass") ? .xpass : .fail
        case .xfail: .xfail
        case .skip: .skip
        case .error, .miss, .userSpace: .error
        }
    }

    private func result(_ verdict: Verdict, name: String) -> String {
        let name = Self.clean(name)
        let reason = Self.oneLine(verdict.reason)
        return switch verdict.word {
        case .pass: "ok \(number) \(name)"
        case .xfail: "ok \(number) \(name) # XFAIL \(reason)"
        case .skip: "ok \(number) \(name) # SKIP \(reason)"
        case .fail: "# \(reason)\nnot ok \(number) \(name)"
        case .error: "not ok \(number) \(name) # ERROR \(reason)"
        case .userSpace: "not ok \(number) \(name) # ERROR user space: \(reason)"
        case .miss: "not ok \(number) \(name) # ERROR the lab: \(reason)"
        }
    }

    private static func line(_ check: CheckResult, number: Int, expected: Bool) -> String {
        let name = clean(check.name)
        return switch check.answer {
        case .holds: "ok \(number) \(name)"
        case .fails where expected: "ok \(number) \(name) # XFAIL \(oneLine(check.findings.first?.text ?? ""))"
        case .fails: "not ok \(number) \(name)"
        case .notDecided:
            "ok \(number) \(name) # SKIP not decided: \(oneLine(check.findings.first?.text ?? "no reason given"))"
        }
    }

    /// What ran, what each METADATA_UPDATED did, which detectors were off.
    private static func about(_ verdict: Verdict) -> [String] {
        var lines = ["kernel \(verdict.kernelRelease)" + (verdict.variant.map { ", variant \($0)" } ?? "")]
        lines += UpdateTable.rows(verdict.metadataUpdates)
        for (detector, reason) in verdict.detectorsOff.sorted(by: { $0.key < $1.key }) {
            lines.append("detector off: \(detector): \(reason)")
        }
        return lines.map(oneLine)
    }

    private static func diagnostics(_ check: CheckResult) -> [String] {
        var lines = check.seen.map { "\(check.name): \($0)" }
        for finding in check.findings {
            lines.append("\(check.name): " + (finding.node.map { "\($0): " } ?? "") + finding.text)
            lines += finding.details.map { "    " + $0 }
        }
        return lines.map(oneLine)
    }

    /// A name without what KTAP reads as the start of a directive.
    static func clean(_ name: String) -> String { oneLine(name).replacing("#", with: "_") }

    static func oneLine(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? " " : $0 }))
    }
}
