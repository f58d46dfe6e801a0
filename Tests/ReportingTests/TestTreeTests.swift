// SPDX-License-Identifier: GPL-2.0
import Foundation
import Testing

@testable import Reporting

@Suite struct TestTreeTests {
    private let tests = [
        TestTree("build", .pass, lines: ["1 patch # builds", "two\nlines"], seconds: 1.26),
        TestTree(
            "kernels", .fail("it hangs"),
            parts: [TestTree("smoke", .pass), TestTree("fail <a>", .fail("\"x\" & y")), TestTree("r", .known("oops"))]),
        TestTree("model", .skip("not looked at")), TestTree("lab", .error("no boot")),
    ]

    @Test func ktapIsWhatItsRulesSay() {
        let text = TestTree.ktap(tests)
        #expect(KTAPValidator.mistakes(in: text) == [])
        #expect(text.contains("\n  ok 3 r # XFAIL oops\n# it hangs\nnot ok 2 kernels\n"))
        #expect(text.hasSuffix("# Totals: pass:1 fail:1 xfail:0 skip:1 error:1\n"))
    }

    @Test func junitCountsWhatIsWrong() {
        let text = TestTree.junit(tests)
        #expect(text.contains("<testsuite name=\"kernels\" tests=\"4\" failures=\"2\" errors=\"0\" skipped=\"0\">"))
        #expect(
            text.contains(
                "name=\"fail &lt;a&gt;\" time=\"0.0\"><failure message=\"&quot;x&quot; &amp; y\"/></testcase>"))
        #expect(text.contains("name=\"build\" time=\"1.3\"><system-out>1 patch # builds\ntwo\nlines</system-out>"))
        #expect(text.contains("<error message=\"no boot\"/>") && text.contains("<skipped message=\"not looked at\"/>"))
    }

    @Test func sarifHasARunForEachTool() throws {
        let text = try SARIF.text([
            .init(tool: "sparse", file: "drivers/md/md.c", line: 0, text: "a"),
            .init(tool: "gcc", file: "drivers/md/md.c", line: 7, text: "b \"c\""),
        ])
        let document = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        let runs = try #require(document["runs"] as? [[String: Any]])
        #expect(document["version"] as? String == "2.1.0" && runs.count == 2)
        let result = try #require((runs[0]["results"] as? [[String: Any]])?.first)
        #expect(result["ruleId"] as? String == "gcc")
        // Lines begin with 1.
        #expect(text.contains("\"startLine\" : 1") && !text.contains("\"startLine\" : 0"))
        #expect(try SARIF.text([]).contains("\"runs\" : ["))
    }
}
