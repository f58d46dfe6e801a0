// SPDX-License-Identifier: GPL-2.0
import Testing

@testable import PatchIntake

@Suite struct SeriesAssemblyTests {
    private func mail(_ subject: String, diff: String? = "diff", message: String = "") -> Mail {
        Mail(
            origin: "box", subject: SubjectLine(subject), author: nil, date: nil, message: message,
            diff: diff.map { [UInt8](($0 + subject).utf8) })
    }

    private func titles(_ mails: [Mail]) throws -> [String] {
        try SeriesAssembly.series(of: mails, path: "box").patches.map(\.subject.title)
    }

    private func fault(_ mails: [Mail]) -> IntakeError? {
        do {
            _ = try SeriesAssembly.series(of: mails, path: "box")
            return nil
        } catch {
            return error
        }
    }

    @Test func ordersByNumberAndLeavesOutCoverAndReplies() throws {
        let series = try SeriesAssembly.series(
            of: [
                mail("[PATCH 2/2] b"), mail("[PATCH 0/2] cover", diff: nil), mail("[PATCH 1/2] a"),
                mail("Re: [PATCH 1/2] a", diff: nil, message: "fine\nReviewed-by: B <b@b>\n"),
                mail("Re: [PATCH 1/2] a", diff: nil, message: "> diff\n"), mail("unrelated", diff: nil),
            ], path: "box")
        #expect(series.patches.map(\.subject.title) == ["a", "b"])
        #expect(series.cover == "cover")
        #expect(series.notes == [.replies(2, withTrailers: 1), .otherMail(subject: "unrelated")])
    }

    @Test func theNewestVersionIsMeant() throws {
        let series = try SeriesAssembly.series(
            of: [mail("[PATCH 1/1] a"), mail("[PATCH v3] a"), mail("[PATCH v2 1/2] a"), mail("[PATCH v2 2/2] b")],
            path: "box")
        #expect(series.version == 3)
        #expect(series.patches.count == 1)
        #expect(series.notes == [.olderVersion(1, patches: 1), .olderVersion(2, patches: 2)])
    }

    @Test func aReplyWithADiffIsAnIdea() throws {
        let mails = [mail("[PATCH] a"), mail("Re: [PATCH] a", diff: "how about")]
        let series = try SeriesAssembly.series(of: mails, path: "box")
        #expect(series.patches.count == 1)
        #expect(series.notes == [.replyWithDiff(subject: "a")])
        #expect(fault([mails[1]]) == .source(path: "box", .reply(subject: "a")))
    }

    @Test func aGapIsNamedWithWhatAnOlderVersionHas() {
        #expect(
            fault([mail("[PATCH v2 3/4] c"), mail("[PATCH 1/4] a"), mail("[PATCH v2 2/4] b")])
                == .gap(missing: [1, 4], total: 4, version: 2, older: [1]))
    }

    @Test func oneMailOfASeriesIsTakenAlone() throws {
        #expect(try titles([mail("[PATCH v2 3/4] c")]) == ["c"])
    }

    @Test func twoSeriesAreNotGuessedBetween() {
        #expect(
            fault([mail("[PATCH 1/2] a"), mail("[PATCH 1/2] b")]) == .severalSeries("[PATCH 1/2] a", "[PATCH 1/2] b"))
        #expect(
            fault([mail("[PATCH 1/1] a"), mail("[PATCH 2/2] b")]) == .severalSeries("[PATCH 1/1] a", "[PATCH 2/2] b"))
        #expect(fault([mail("[PATCH 1/1] a"), mail("[PATCH] b")]) == .severalSeries("[PATCH 1/1] a", "[PATCH] b"))
    }

    @Test func aMailThatCameTwiceIsOnePatch() throws {
        #expect(try titles([mail("[PATCH 1/1] a"), mail("[PATCH 1/1] a")]) == ["a"])
    }

    @Test func withoutNumbersTheOrderIsThatOfTheMails() throws {
        #expect(try titles([mail("[PATCH] b"), mail("[PATCH] a")]) == ["b", "a"])
    }

    @Test func whatHasNoPatchSaysWhatItIs() {
        #expect(fault([]) == .source(path: "box", .noDiff))
        #expect(fault([mail("[PATCH 0/2] plan", diff: nil)]) == .source(path: "box", .coverOnly(subject: "plan")))
        #expect(fault([mail("hello", diff: nil)]) == .source(path: "box", .noDiff))
    }
}
