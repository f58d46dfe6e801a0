// SPDX-License-Identifier: GPL-2.0
import RunRecord

/// Verdicts as JUnit XML, for pages of CI systems: one test suite per run, one test case per check.
public enum JUnit {
    public static func text(_ runs: [(name: String, verdict: Verdict)]) -> String {
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"mdlab\">\n"
        for (name, verdict) in runs { text += suite(name, verdict) }
        return text + "</testsuites>\n"
    }

    private static func suite(_ name: String, _ verdict: Verdict) -> String {
        let cases = verdict.checks.map { testCase($0, suite: name, expected: verdict.word == .xfail) }
        // The run's own word is a case of its own: a lab that failed has no failing check.
        let own: String =
            switch verdict.word {
            case .pass, .xfail: ""
            case .skip: "<skipped message=\"\(escape(verdict.reason))\"/>"
            case .fail: "<failure message=\"\(escape(verdict.reason))\"/>"
            case .error, .miss, .userSpace:
                "<error message=\"\(escape(verdict.word.rawValue + ": " + verdict.reason))\"/>"
            }
        let all = cases + [element("verdict", suite: name, inner: own)]
        func count(_ tag: String) -> Int { all.filter { $0.contains("<\(tag) ") }.count }
        return "  <testsuite name=\"\(escape(name))\" tests=\"\(all.count)\" failures=\"\(count("failure"))\""
            + " errors=\"\(count("error"))\" skipped=\"\(count("skipped"))\">\n" + all.joined() + "  </testsuite>\n"
    }

    private static func testCase(_ check: CheckResult, suite: String, expected: Bool) -> String {
        let first = escape(check.findings.first?.text ?? "")
        let all = escape(check.findings.flatMap { [$0.text] + $0.details }.joined(separator: "\n"))
        let inner: String =
            switch check.answer {
            case .holds: ""
            case .fails where expected: "<system-out>failed as it had to: \(all)</system-out>"
            case .fails: "<failure message=\"\(first)\">\(all)</failure>"
            case .notDecided: "<skipped message=\"not decided: \(first)\"/>"
            }
        return element(check.name, suite: suite, inner: inner)
    }

    private static func element(_ name: String, suite: String, inner: String) -> String {
        "    <testcase classname=\"\(escape(suite))\" name=\"\(escape(name))\""
            + (inner.isEmpty ? "/>\n" : ">\(inner)</testcase>\n")
    }

    /// XML 1.0 has no way to write most control characters, so they become spaces.
    static func escape(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n", "\t": result.unicodeScalars.append(scalar)
            case let other where other.value < 32 || other.value == 0xFFFE || other.value == 0xFFFF: result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
