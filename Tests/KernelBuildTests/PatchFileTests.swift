// SPDX-License-Identifier: GPL-2.0
import Testing

@testable import KernelBuild

@Suite struct PatchFileTests {
    static let simple = """
        Subject: [PATCH] md: count

        The reason.
        ---
         drivers/md/md.c | 2 +-

        diff --git a/drivers/md/md.c b/drivers/md/md.c
        index 123..456 100644
        --- a/drivers/md/md.c
        +++ b/drivers/md/md.c
        @@ -3,4 +3,5 @@ int count(void)
         {
         	one();
        -	two();
        +	zwei();
        +	drei();
         }
        --\u{20}
        2.39.2

        """

    private func parse(_ text: String) throws(PatchFault) -> PatchFile {
        try PatchFile.parse(Array(text.utf8))
    }

    private func fault(_ text: String) -> PatchFault? {
        do {
            _ = try parse(text)
            return nil
        } catch {
            return error
        }
    }

    private func lines(_ lines: [PatchFile.Line]) -> [String] {
        lines.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func readsAGitMail() throws {
        let patch = try parse(Self.simple)
        let file = try #require(patch.files.first)
        #expect(patch.files.count == 1)
        #expect(file.oldPath == "a/drivers/md/md.c")
        #expect(file.newPath == "b/drivers/md/md.c")
        let hunk = try #require(file.hunks.first)
        #expect(file.hunks.count == 1)
        #expect(hunk.header == "@@ -3,4 +3,5 @@ int count(void)")
        #expect(lines(hunk.old) == ["{", "\tone();", "\ttwo();", "}"])
        #expect(lines(hunk.new) == ["{", "\tone();", "\tzwei();", "\tdrei();", "}"])
        #expect(hunk.leading == 2)
        #expect(hunk.trailing == 1)
    }

    @Test func readsSeveralMailsOfAnMbox() throws {
        let patch = try parse("From 1\n" + Self.simple + "From 2\n" + Self.simple)
        #expect(patch.files.count == 2)
    }

    @Test func takesCarriageReturnsForTransport() throws {
        let patch = try parse(Self.simple.replacing("\n", with: "\r\n"))
        #expect(patch == (try parse(Self.simple)))
    }

    @Test func readsNewAndDeletedFilesAndFilesWithoutNewline() throws {
        let patch = try parse(
            """
            --- /dev/null
            +++ b/drivers/md/new.c
            @@ -0,0 +1 @@
            +int x;
            \\ No newline at end of file
            --- a/drivers/md/old.c	2017-01-01
            +++ /dev/null
            @@ -1,2 +0,0 @@
            -int y;
            -int z;
            """)
        #expect(patch.files.map(\.oldPath) == [nil, "a/drivers/md/old.c"])
        #expect(patch.files.map(\.newPath) == ["b/drivers/md/new.c", nil])
        #expect(patch.files[1].hunks[0].new.isEmpty)
    }

    @Test(arguments: [
        ("", PatchFault.noDiff), ("no patch at all\n--- a\n+++ b\n", .noDiff),
        ("a\0b", .binary(nil)), ("GIT binary patch\nliteral 5\n", .binary("GIT binary patch")),
        ("Binary files a/x and b/x differ\n", .binary("Binary files a/x and b/x differ")),
        ("rename from drivers/md/a.c\n", .renames("rename from drivers/md/a.c")),
        ("Content-Transfer-Encoding: quoted-printable\n\n", .encodedMail("quoted-printable")),
        ("content-transfer-encoding: Base64\n", .encodedMail("base64")),
    ])
    func saysWhatIsNoPatch(text: String, expected: PatchFault) {
        #expect(fault(text) == expected)
    }

    @Test func anEightBitMailIsPlainEnough() throws {
        #expect(try parse("Content-Transfer-Encoding: 8bit\n\n" + Self.simple).files.count == 1)
    }

    @Test(arguments: [
        "@@ -1,2 +1,2 @@\n a\n", "@@ -1 +1 @@\n a\n", "@@ -1,1 +1,1 @@\nxyz\n", "@@ -x,1 +1,1 @@\n-a\n+b\n",
        "@@ -1,99999999999999999999 +1,1 @@\n-a\n", "@@ -1,-1 +1,1 @@\n+a\n", "@@ -1,1000000000 +1 @@\n-a\n",
        "@@ -1,1 +1,1\n-a\n+b\n", "@@ -1,1,1 +1,1 @@\n-a\n+b\n", "@@ -1,2 +1,1 @@\n-a\n+b\n+c\n",
    ])
    func namesTheDamagedHunk(hunk: String) throws {
        let header = String(try #require(hunk.split(separator: "\n").first))
        let found = fault("--- a/drivers/md/md.c\n+++ b/drivers/md/md.c\n" + hunk)
        #expect(found == .damagedHunk(line: 3, header: header))
    }

    @Test func everyTruncationIsReadOrNamed() {
        let whole = Array(Self.simple.utf8)
        for length in 0..<whole.count {
            do {
                let patch = try PatchFile.parse(Array(whole[..<length]))
                #expect(!patch.files.isEmpty)
            } catch {
                switch error {
                case .noDiff, .damagedHunk: break
                default: Issue.record("\(length) bytes: \(error)")
                }
            }
        }
    }

    @Test func survivesGarbage() {
        var generator = SystemRandomNumberGenerator()
        let words = [
            "--- a/x\n", "+++ b/x\n", "@@ -1,3 +1,3 @@\n", " a\n", "-b\n", "+c\n", "\\ No\n", "\n", "\u{FFFD}", "@@ -",
        ]
        for _ in 0..<500 {
            let text = (0..<20).map { _ in words.randomElement(using: &generator) ?? "" }.joined()
            if let patch = try? parse(text) {
                #expect(patch.files.allSatisfy { !$0.hunks.isEmpty })
            }
        }
    }

    @Test func aLineOfMegabytesIsALine() throws {
        let long = String(repeating: "x", count: 4 << 20)
        let patch = try parse("--- a/drivers/md/md.c\n+++ b/drivers/md/md.c\n@@ -1 +1 @@\n-\(long)\n+b\n")
        #expect(patch.files[0].hunks[0].old[0].count == 4 << 20)
    }

    @Test func refusesTheEnormous() {
        #expect(throws: PatchFault.tooLarge(bytes: PatchFile.sizeLimit + 1)) {
            try PatchFile.parse(Array(repeating: UInt8(ascii: "x"), count: PatchFile.sizeLimit + 1))
        }
    }
}
