// SPDX-License-Identifier: GPL-2.0

/// A result with results inside it, for programs that read results: KTAP with nested tests, or JUnit.
public struct TestTree: Sendable, Equatable {
    public enum State: Sendable, Equatable {
        case pass
        case fail(String)
        /// It failed, as it does without what is tested.
        case known(String)
        /// Left out, or not decided: the reason says which.
        case skip(String)
        /// The lab or the input, not what is tested.
        case error(String)
    }

    public var name: String
    public var state: State
    /// Said beside it.
    public var lines: [String]
    public var seconds: Double
    public var parts: [TestTree]

    public init(_ name: String, _ state: State, lines: [String] = [], seconds: Double = 0, parts: [TestTree] = []) {
        (self.name, self.state, self.lines, self.seconds, self.parts) = (name, state, lines, seconds, parts)
    }

    // MARK: - KTAP

    /// KTAP version 1 of these tests, with the totals at the end.
    public static func ktap(_ tests: [TestTree]) -> String {
        var totals = (pass: 0, fail: 0, xfail: 0, skip: 0, error: 0)
        for test in tests {
            switch test.state {
            case .pass: totals.pass += 1
            case .fail: totals.fail += 1
            case .known: totals.xfail += 1
            case .skip: totals.skip += 1
            case .error: totals.error += 1
            }
        }
        return plan(tests, indent: "")
            + "# Totals: pass:\(totals.pass) fail:\(totals.fail) xfail:\(totals.xfail) skip:\(totals.skip) error:\(totals.error)\n"
    }

    private static func plan(_ tests: [TestTree], indent: String) -> String {
        indent + "KTAP version 1\n" + indent + "1..\(tests.count)\n"
            + tests.enumerated().map { $1.ktap(number: $0 + 1, indent: indent) }.joined()
    }

    private func ktap(number: Int, indent: String) -> String {
        var text = parts.isEmpty ? "" : Self.plan(parts, indent: indent + "  ")
        for line in lines { text += "\(indent)# \(KTAP.oneLine(line))\n" }
        let name = KTAP.clean(name)
        switch state {
        case .pass: text += "\(indent)ok \(number) \(name)\n"
        case .fail(let reason): text += "\(indent)# \(KTAP.oneLine(reason))\n\(indent)not ok \(number) \(name)\n"
        case .known(let reason): text += "\(indent)ok \(number) \(name) # XFAIL \(KTAP.oneLine(reason))\n"
        case .skip(let reason): text += "\(indent)ok \(number) \(name) # SKIP \(KTAP.oneLine(reason))\n"
        case .error(let reason): text += "\(indent)not ok \(number) \(name) # ERROR \(KTAP.oneLine(reason))\n"
        }
        return text
    }

    // MARK: - JUnit

    /// One suite for each test; its parts are the cases, and it is one itself.
    public static func junit(_ tests: [TestTree]) -> String {
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"mdlab\">\n"
            + tests.map(\.suite).joined() + "</testsuites>\n"
    }

    private var suite: String {
        let cases = parts + [TestTree(name, state, lines: lines, seconds: seconds)]
        func count(_ fits: (State) -> Bool) -> Int { cases.count { fits($0.state) } }
        let failures = count { if case .fail = $0 { true } else { false } }
        let errors = count { if case .error = $0 { true } else { false } }
        let skipped = count { if case .skip = $0 { true } else { false } }
        return "  <testsuite name=\"\(JUnit.escape(name))\" tests=\"\(cases.count)\" failures=\"\(failures)\""
            + " errors=\"\(errors)\" skipped=\"\(skipped)\">\n"
            + cases.map { $0.element(suite: name) }.joined() + "  </testsuite>\n"
    }

    private func element(suite: String) -> String {
        let said = lines.isEmpty ? "" : "<system-out>\(JUnit.escape(lines.joined(separator: "\n")))</system-out>"
        let result: String =
            switch state {
            case .pass: ""
            case .known(let reason): "<system-out>known: \(JUnit.escape(reason))</system-out>"
            case .fail(let reason): "<failure message=\"\(JUnit.escape(reason))\"/>"
            case .skip(let reason): "<skipped message=\"\(JUnit.escape(reason))\"/>"
            case .error(let reason): "<error message=\"\(JUnit.escape(reason))\"/>"
            }
        let tenths = Int((seconds * 10).rounded())
        return "    <testcase classname=\"\(JUnit.escape(suite))\" name=\"\(JUnit.escape(name))\""
            + " time=\"\(tenths / 10).\(tenths % 10)\""
            + (result + said == "" ? "/>\n" : ">\(result)\(said)</testcase>\n")
    }
}
