// SPDX-License-Identifier: GPL-2.0
import Testing

@testable import PatchIntake
@testable import mdlab

@Suite struct IntakeWordingTests {
    @Test(arguments: [
        (IntakeError.source(path: "x", .empty), "x: there is nothing in it: save the mail again."),
        (.source(path: "x", .reply(subject: "md: a\nb")), "x: this is a reply to \"md: a b\": give the patch itself."),
        (
            .source(path: "x", .tooLarge(bytes: 100 << 20)),
            "x: 100 MiB are more than any thread has: give the mails of the series alone."
        ),
        (
            .range("a..b", .busy(operation: "rebase")),
            "a..b: the tree is in the middle of a rebase: finish or abort it first."
        ),
        (
            .gap(missing: [1, 4], total: 4, version: 2, older: [1]),
            "of the 4 patches of v2 there is no 1/4, 4/4 (an older version has 1/4): "
                + "give a mailbox with the whole series, or the patches one by one."
        ),
    ])
    func saysWhatToDo(error: IntakeError, line: String) {
        #expect(error.line == line)
        #expect(error.exitCode == Exit.usage)
    }

    @Test func showsTheSeriesAndWhatWasLeftOut() {
        var series = IncomingSeries()
        series.version = 2
        series.cover = "plan"
        series.patches = [
            IncomingPatch(
                origin: "box", subject: SubjectLine("[PATCH v2] md: two"), author: "A <a@b>", date: nil, message: "",
                diff: [UInt8]("--- a/drivers/md/md.c\n+++ b/drivers/md/md.c\n".utf8))
        ]
        series.notes = [.replies(1, withTrailers: 1), .olderVersion(1, patches: 2)]
        #expect(
            IntakeText.text(series) == """
                cover    plan
                version  v2
                1/1      md: two
                         drivers/md/md.c  A <a@b>
                note     1 reply left out, 1 with trailers such as Reviewed-by
                note     left out: 2 patches of v1

                """)
    }
}
