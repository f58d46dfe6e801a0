// SPDX-License-Identifier: GPL-2.0
import Testing
import Validation

@testable import HTMLReport

@Suite struct PatchTests {
    private static let diff = """
        From: somebody
        --- a/drivers/md/md-cluster.c
        +++ b/drivers/md/md-cluster.c
        @@ -10,4 +10,4 @@ static int lock_token(struct md_cluster_info *cinfo, bool mddev_locked)
         \tint error;
        --- x;
        +++ y;
         \treturn error;
         }
        \\ No newline at end of file
        @@ -700,2 +700,3 @@
         static void unlock_comm(struct md_cluster_info *cinfo)
         {
        +\tmutex_unlock(&cinfo->recv_mutex);
        --
        2.39
        """

    @Test func aDiffIsReadLineByLine() throws {
        let file = try #require(ReportPatch(diff: Self.diff).files.first)
        #expect(file.path == "drivers/md/md-cluster.c" && file.hunks.count == 2)
        let (first, second) = (file.hunks[0], file.hunks[1])
        #expect(first.function == "lock_token" && second.function == "unlock_comm")
        // A removed "-- x" is a line, not the end of the file.
        #expect(first.lines.map(\.kind) == [.context, .removed, .added, .context, .context])
        #expect(first.lines.map(\.old) == [10, 11, nil, 12, 13] && first.lines.map(\.new) == [10, nil, 11, 12, 13])
        #expect(
            second.lines.map(\.text) == [
                "static void unlock_comm(struct md_cluster_info *cinfo)", "{", "\tmutex_unlock(&cinfo->recv_mutex);",
            ])
    }

    @Test func aHunkIsOfTheFunctionBeforeItsChange() {
        func function(_ heading: String, _ lines: String) -> String? {
            ReportPatch(diff: "+++ b/x.c\n@@ -1,9 +1,9 @@\(heading)\n\(lines)").files[0].hunks[0].function
        }
        // Behind the change the next function begins, and before it this one may.
        #expect(function("", "-\ta();\n }\n static void next(int x)") == nil)
        #expect(function(" static int one(void)", " }\n static int two(void)\n {\n+\ta();") == "two")
        #expect(function(" static int one(void)", "+\ta();\n static int two(void)") == "one")
        #expect(function(" struct x {", "+\ta();") == nil && function(" EXPORT_SYMBOL(a);", "+a") == nil)
    }

    @Test func whatIsNoDiffIsNoPatch() {
        for text in [
            "", "@@ -1 +1 @@\n-a\n+b", "+++ b/x\n@@ -99999999999999999999,1 +1 @@\n+a", "+++ \n@@ - + @@\n",
            "\u{0}\n@@ @@",
        ] {
            #expect(ReportPatch(diff: text).files.flatMap(\.hunks).flatMap(\.lines).isEmpty, "\(text)")
        }
        // Cut in the middle.
        for length in 0..<Self.diff.utf8.count {
            _ = ReportPatch(diff: String(decoding: Self.diff.utf8.prefix(length), as: UTF8.self))
        }
    }

    private func changed(_ line: Int, _ text: String, removed: Bool = false, _ state: ValidationReport.State)
        -> ValidationReport.ChangedLine
    {
        .init(file: "drivers/md/md-cluster.c", line: line, text: text, removed: removed, state: state, count: nil)
    }

    @Test func linesAreMarkedAsTheyRan() throws {
        var patch = ReportPatch(diff: Self.diff)
        patch.mark([
            changed(702, "mutex_unlock(&cinfo->recv_mutex);", .neverRan),
            changed(12, "-- x;", removed: true, .ran), changed(11, "++ y;", .noCode),
            // Of another file, and of a text that the patch does not have.
            .init(file: "drivers/md/md.c", line: 11, text: "++ y;", removed: false, state: .neverRan, count: nil),
            changed(11, "z", .neverRan),
        ])
        let lines = patch.files.flatMap(\.hunks).flatMap(\.lines).filter { $0.kind != .context }
        #expect(lines.map(\.execution) == [.executed, .unknown, .unexecuted])
        let view = PatchView(patch)
        #expect(view.isMeasured && view.summary.contains("1 of 2 changed lines with code ran"))
        #expect(PatchView(ReportPatch(diff: Self.diff)).summary.contains("was not measured"))
    }

    @Test func findingsStandAtTheirLines() throws {
        var patch = ReportPatch(diff: Self.diff)
        let finding = ReportPatch.Finding("sparse", "warning: x")
        let isThere = [
            patch.add(finding, file: "md-cluster.c", line: 702), patch.add(finding, addedLine: "++ y;"),
            // A line that the patch does not show, another file, a line that is not added.
            patch.add(finding, file: "md-cluster.c", line: 5), patch.add(finding, file: "cluster.c", line: 702),
            patch.add(finding, addedLine: "-- x;"),
        ]
        #expect(isThere == [true, true, false, false, false])
        let lines = patch.files.flatMap(\.hunks).flatMap(\.lines).filter { !$0.findings.isEmpty }
        #expect(lines.map(\.new) == [11, 702])
        #expect(PatchView(patch).summary.contains("2 findings"))
    }

    @Test func aValidationIsADocument() throws {
        let bad = RunOutcome(
            scenario: "smoke", word: .fail, reason: "node1 waits", comparison: .differs(.hang, text: "it hangs"),
            record: "/r/1")
        let report = ValidationReport(
            patches: ["md-cluster: x"], kernel: "6.1.0",
            conclusion: Conclusion(.fail, "With this patch: node1 waits.", why: ["since"], next: ["do"]),
            stages: [StageResult(.kernels, .fail, seconds: 1.25, lines: ["first", "second"])],
            runs: [RunOutcome(scenario: "smoke", word: .pass, reason: "good"), bad],
            baseline: [RunOutcome(scenario: "smoke", word: .pass, reason: "6 checks hold")],
            faults: [], changed: [changed(5, "if (a < b)", .neverRan)])
        let document = ReportDocument(report, runs: ["/r/1": "run1"])
        #expect(document.word == "FAIL" && document.reasons == ["since"] && document.advice == ["do"])
        #expect(document.stages.map(\.text) == ["first"] && document.stages[0].details == ["second"])
        let pair = try #require(document.baseline.first)
        #expect(document.baseline.count == 1 && pair.unpatched.sentence == "6 checks hold")
        #expect(pair.patched.word == "FAIL" && pair.patched.run == "run1")
        #expect(pair.patched.sentence == "1 of 2 runs: node1 waits; not in the model: it hangs")
        #expect(document.notCovered.contains { $0.text.contains("md-cluster.c:5 never ran") })
        #expect(ReportPatch(changed: report.changed).files[0].hunks[0].lines[0].execution == .unexecuted)
    }
}
