// SPDX-License-Identifier: GPL-2.0
import Foundation
import Testing

@testable import PatchIntake

/// Mails, mailboxes, folders and ranges as git writes them, through git's own parsers.
@Suite struct IntakeTests {
    private static let diff = """
        ---
         drivers/md/md.c | 2 +-

        diff --git a/drivers/md/md.c b/drivers/md/md.c
        index 123..456 100644
        --- a/drivers/md/md.c
        +++ b/drivers/md/md.c
        @@ -1,2 +1,2 @@
        -int a = 1;
        +int a = 2;
         int b;
        --\u{20}
        2.39.2

        """

    private func mail(_ subject: String, headers: String = "", body: String? = nil) -> String {
        """
        From: Änne <a@example.org>
        Subject: \(subject)
        Date: Mon, 1 Jan 2024 00:00:00 +0000
        \(headers)
        \(body ?? "The reason.\n\nSigned-off-by: A <a@example.org>\n" + Self.diff)
        """
    }

    private func inFolder(_ act: (String) async throws -> Void) async throws {
        let place = FileManager.default.temporaryDirectory.appending(path: "intake-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: place) }
        try await act(place)
    }

    private func read(_ content: [UInt8], name: String = "x.mbox") async throws -> IncomingSeries {
        var series = IncomingSeries()
        try await inFolder { folder in
            try Data(content).write(to: URL(filePath: "\(folder)/\(name)"))
            series = try await Intake(tree: folder).series(["\(folder)/\(name)"])
        }
        return series
    }

    private func read(_ text: String) async throws -> IncomingSeries { try await read([UInt8](text.utf8)) }

    private func fault(_ content: [UInt8]) async throws -> SourceFault? {
        do {
            _ = try await read(content)
            return nil
        } catch IntakeError.source(_, let fault) {
            return fault
        }
    }

    private func holdsTheChange(_ patch: IncomingPatch) -> Bool {
        let text = String(decoding: patch.diff, as: UTF8.self)
        return text.contains("\n-int a = 1;\n+int a = 2;\n int b;\n") && patch.paths == ["drivers/md/md.c"]
    }

    @Test func readsAMailAsItWasSent() async throws {
        let series = try await read(mail("[PATCH v2] md: two"))
        let patch = try #require(series.patches.first)
        #expect(series.patches.count == 1 && series.version == 2 && series.notes.isEmpty)
        #expect(patch.author == "Änne <a@example.org>")
        #expect(patch.message.hasPrefix("The reason.\n"))
        #expect(holdsTheChange(patch))
    }

    @Test(arguments: ["base64", "quoted-printable"]) func decodesWhatTheTransportDid(encoding: String) async throws {
        let body = "The reason = good.\n" + Self.diff
        let coded =
            encoding == "base64"
            ? Data(body.replacing("\n", with: "\r\n").utf8).base64EncodedString(options: .lineLength76Characters)
            : body.replacing("=", with: "=3D").replacing(" int b", with: "=20int b")
        let headers = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: \(encoding)\n"
        let series = try await read(mail("[PATCH] md: two", headers: headers, body: coded))
        #expect(series.patches.map(\.message).first?.contains("The reason = good.") == true)
        #expect(holdsTheChange(try #require(series.patches.first)))
    }

    @Test func readsPartsAndCarriageReturns() async throws {
        let parts = """
            --XX
            Content-Type: text/plain

            See the attachment.

            --XX
            Content-Type: text/x-patch
            Content-Transfer-Encoding: base64

            \(Data(Self.diff.utf8).base64EncodedString(options: .lineLength76Characters))
            --XX--

            """
        let text = mail("[PATCH] md: two", headers: "Content-Type: multipart/mixed; boundary=XX\n", body: parts)
        #expect(holdsTheChange(try #require(try await read(text).patches.first)))
        #expect(holdsTheChange(try #require(try await read(text.replacing("\n", with: "\r\n")).patches.first)))
    }

    @Test func readsAWholeThreadAndAZippedOne() async throws {
        let stamp = "From mboxrd@z Thu Jan  1 00:00:00 1970\n"
        let thread = [
            mail("[PATCH 0/2] plan", body: "Two patches.\n"), mail("[PATCH 2/2] md: second"),
            mail(
                "Re: [PATCH 1/2] md: first",
                body: "Fine.\n\nAcked-by: B <b@example.org>\n> " + Self.diff.replacing("\n", with: "\n> ")),
            mail("[PATCH 1/2] md: first", body: ">From what I see it is\n" + Self.diff),
        ].map { stamp + $0 }.joined(separator: "\n")
        let series = try await read(thread)
        #expect(series.patches.map(\.subject.title) == ["md: first", "md: second"])
        #expect(series.patches.first?.message.hasPrefix("From what I see") == true)
        #expect(series.cover == "plan")
        #expect(series.notes == [.replies(1, withTrailers: 1)])
        try await inFolder { folder in
            try Data(thread.utf8).write(to: URL(filePath: folder + "/t.mbox"))
            let zip = Process()
            zip.executableURL = URL(filePath: "/bin/gzip")
            zip.arguments = [folder + "/t.mbox"]
            try zip.run()
            zip.waitUntilExit()
            let again = try await Intake(tree: folder).series([folder + "/t.mbox.gz"])
            #expect(again.patches.map(\.diff) == series.patches.map(\.diff))
        }
    }

    @Test func filesOfASeriesMayBeGivenOneByOne() async throws {
        try await inFolder { folder in
            for number in 1...2 {
                try Data(mail("[PATCH \(number)/3] md: \(number)").utf8).write(
                    to: URL(filePath: "\(folder)/\(number).eml"))
            }
            let series = try await Intake(tree: folder).series(["\(folder)/2.eml", "\(folder)/1.eml"])
            #expect(series.patches.map(\.subject.title) == ["md: 2", "md: 1"])
            #expect(series.notes == [.partOfASeries([1, 2], total: 3)])
        }
    }

    @Test func saysThatAMailIsFlowed() async throws {
        let text = mail("[PATCH] md: two", headers: "Content-Type: text/plain; charset=UTF-8;\n format=\"flowed\"\n")
        #expect(try await read(text).notes == [.flowed(subject: "md: two")])
    }

    @Test func takesAPlainDiffByItsName() async throws {
        let series = try await read([UInt8](Self.diff.utf8), name: "wait.diff")
        #expect(series.patches.map(\.subject.title) == ["wait"])
        #expect(holdsTheChange(try #require(series.patches.first)))
    }

    @Test func saysWhatIsNoPatch() async throws {
        #expect(try await fault([]) == .empty)
        #expect(try await fault([UInt8]("\n \n".utf8)) == .empty)
        #expect(try await fault([1, 0, 2]) == .binary)
        #expect(try await fault([0x1f, 0x8b, 1, 2]) == .binary)
        #expect(try await fault([UInt8]("hello\nworld\n".utf8)) == .noDiff)
        #expect(try await fault([UInt8](mail("hello", body: "no patch\n").utf8)) == .noDiff)
        #expect(
            try await fault([UInt8](mail("Re: [PATCH] md: x", body: "> -a\n> +b\n").utf8)) == .reply(subject: "md: x"))
        #expect(
            try await fault([UInt8](repeating: 65, count: Intake.sizeLimit + 1))
                == .tooLarge(bytes: Intake.sizeLimit + 1))
        await #expect(throws: IntakeError.source(path: "/nowhere", .unreadable(reason: "there is no such file"))) {
            _ = try await Intake(tree: "/").series(["/nowhere"])
        }
    }

    @Test func everyTruncationOfAMailIsReadOrNamed() async throws {
        let whole = [UInt8](mail("[PATCH] md: two").utf8)
        for length in stride(from: 1, to: whole.count, by: 23) {
            do {
                let series = try await read(Array(whole[..<length]))
                #expect(series.patches.count == 1)
            } catch let error as IntakeError {
                guard case .source = error else { throw error }
            }
        }
    }

    @Test func readsFoldersOfFormatPatchAndQuilt() async throws {
        try await inFolder { folder in
            #expect(await error(folder) == .source(path: folder, .emptyFolder))
            try Data(mail("[PATCH 2/2] b").utf8).write(to: URL(filePath: folder + "/0002-b.patch"))
            try Data(mail("[PATCH 0/2] c", body: "cover\n").utf8).write(
                to: URL(filePath: folder + "/0000-cover-letter.patch"))
            #expect(await error(folder) == .gap(missing: [1], total: 2, version: 1, older: []))
            try Data(mail("[PATCH 1/2] a").utf8).write(to: URL(filePath: folder + "/0001-a.patch"))
            #expect(try await Intake(tree: folder).series([folder]).patches.map(\.subject.title) == ["a", "b"])
            try Data("# order\n0002-b.patch -p1\n0001-a.patch # last\n".utf8).write(
                to: URL(filePath: folder + "/series"))
            #expect(try await Intake(tree: folder).series([folder]).patches.map(\.subject.title) == ["b", "a"])
            try Data("gone.patch\n".utf8).write(to: URL(filePath: folder + "/series"))
            #expect(await error(folder) == .source(path: folder, .seriesNames("gone.patch")))
        }
    }

    @Test func readsARangeAndWritesTheSeries() async throws {
        try await inFolder { folder in
            func git(_ arguments: String...) async throws {
                let said = try await GitTool.git(["-c", "user.name=A", "-c", "user.email=a@b"] + arguments, in: folder)
                #expect(said.succeeded, "\(arguments): \(said.errors)")
            }
            #expect(await error("A..B", tree: folder) == .range("A..B", .notARepository(path: folder)))
            try await git("init", "-q")
            for (number, text) in ["a\n", "b\n", "c\n"].enumerated() {
                try Data(text.utf8).write(to: URL(filePath: folder + "/md.c"))
                try await git("add", "md.c")
                try await git("commit", "-q", "-m", "md: \(number)")
            }
            let series = try await Intake(tree: folder).series(["HEAD~2..HEAD"])
            #expect(series.patches.map(\.subject.title) == ["md: 1", "md: 2"])
            #expect(await error("HEAD..HEAD", tree: folder) == .range("HEAD..HEAD", .noCommits))
            guard case .range(_, .unknownRevision) = await error("HEAD..nothing", tree: folder) else {
                Issue.record("a revision that does not exist was taken")
                return
            }
            let written = try series.write(to: folder + "/out")
            #expect(written.map { URL(filePath: $0).lastPathComponent } == ["0001-md-1.patch", "0002-md-2.patch"])
            #expect(
                try await Intake(tree: folder).series([folder + "/out"]).patches.map(\.diff)
                    == series.patches.map(\.diff))
            try FileManager.default.createDirectory(
                atPath: folder + "/.git/rebase-merge", withIntermediateDirectories: true)
            #expect(await error("HEAD~1..HEAD", tree: folder) == .range("HEAD~1..HEAD", .busy(operation: "rebase")))
        }
    }

    private func error(_ source: String, tree: String = "/") async -> IntakeError? {
        do {
            _ = try await Intake(tree: tree).series([source])
            return nil
        } catch {
            return error
        }
    }
}
