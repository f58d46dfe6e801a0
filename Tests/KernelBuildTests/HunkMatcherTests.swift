// SPDX-License-Identifier: GPL-2.0
import Foundation
import Testing

@testable import KernelBuild

@Suite struct HunkMatcherTests {
    private static let before = ["a", "b", "c", "d", "e", "f", "g"]

    private func matcher(_ lines: [String]) -> HunkMatcher {
        HunkMatcher(text: lines.map { Array($0.utf8)[...] })
    }

    private func text(_ matcher: HunkMatcher) -> [String] {
        matcher.text.map { String(decoding: $0, as: UTF8.self) }
    }

    private func hunk(_ lines: String) throws -> PatchFile.Hunk {
        let patch = try PatchFile.parse(Array("--- a/f\n+++ b/f\n\(lines)\n".utf8))
        return try #require(patch.files.first?.hunks.first)
    }

    /// d becomes D, with three lines of context.
    private static let change = "@@ -1,7 +1,7 @@\n a\n b\n c\n-d\n+D\n e\n f\n g"

    @Test func appliesWhereItSays() throws {
        var lines = matcher(Self.before)
        #expect(lines.apply(try hunk(Self.change)) == .applied(line: 1, offset: 0, fuzz: 0))
        #expect(text(lines) == ["a", "b", "c", "D", "e", "f", "g"])
    }

    @Test func appliesWithOffset() throws {
        var lines = matcher(["x", "y", "z"] + Self.before)
        #expect(lines.apply(try hunk(Self.change)) == .applied(line: 4, offset: 3, fuzz: 0))
        #expect(text(lines) == ["x", "y", "z", "a", "b", "c", "D", "e", "f", "g"])
    }

    @Test func appliesWithFuzzAndKeepsTheOtherContext() throws {
        var lines = matcher(["a", "B", "c", "d", "e", "f", "G"])
        #expect(lines.apply(try hunk(Self.change)) == .applied(line: 1, offset: 0, fuzz: 2))
        #expect(text(lines) == ["a", "B", "c", "D", "e", "f", "G"])
    }

    @Test func doesNotApplyWithMoreFuzz() throws {
        var lines = matcher(["a", "b", "C", "d", "e", "f", "g"])
        #expect(lines.apply(try hunk(Self.change)) == .conflict(line: 3, expected: "c", found: "C"))
        #expect(text(lines) == ["a", "b", "C", "d", "e", "f", "g"])
    }

    @Test func knowsWhatIsThereAlready() throws {
        var lines = matcher(["x", "a", "b", "c", "D", "e", "f", "g"])
        #expect(lines.apply(try hunk(Self.change)) == .present(line: 2))
        #expect(text(lines) == ["x", "a", "b", "c", "D", "e", "f", "g"])
    }

    @Test func addedLinesAreNotAddedTwice() throws {
        let add = try hunk("@@ -2,4 +2,5 @@\n b\n c\n+new\n d\n e")
        var lines = matcher(Self.before)
        #expect(lines.apply(add) == .applied(line: 2, offset: 0, fuzz: 0))
        #expect(lines.apply(add) == .present(line: 2))
        #expect(text(lines) == ["a", "b", "c", "new", "d", "e", "f", "g"])
    }

    @Test func aNewFileNeedsAnEmptyPlace() throws {
        let create = try hunk("@@ -0,0 +1,2 @@\n+one\n+two")
        var empty = matcher([])
        #expect(empty.apply(create) == .applied(line: 1, offset: 0, fuzz: 0))
        #expect(empty.apply(create) == .present(line: 1))
        var other = matcher(["else"])
        #expect(other.apply(create) == .conflict(line: 1, expected: "", found: "else"))
    }

    @Test func deletesAWholeFile() throws {
        var lines = matcher(["one", "two"])
        #expect(lines.apply(try hunk("@@ -1,2 +0,0 @@\n-one\n-two")) == .applied(line: 1, offset: 0, fuzz: 0))
        #expect(text(lines).isEmpty)
    }

    @Test func aHunkBeyondTheEndConflicts() throws {
        var lines = matcher(["a"])
        #expect(
            lines.apply(try hunk("@@ -900,2 +900,2 @@\n x\n-y\n+z")) == .conflict(line: 1, expected: "x", found: "a"))
        var none = matcher([])
        #expect(
            none.apply(try hunk("@@ -900,2 +900,2 @@\n x\n-y\n+z")) == .conflict(line: 1, expected: "x", found: nil))
    }

    /// patch(1) is the judge: what it does without a word of fuzz or failure, we do with the same result.
    @Test func agreesWithPatch() async throws {
        let folder = NSTemporaryDirectory() + "mdlab-patch-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var generator = SystemRandomNumberGenerator()
        var compared = 0
        for _ in 0..<40 {
            let old = (0..<40).map { _ in ["alpha", "beta", "gamma", "{", "}", ""].randomElement() ?? "" }
            var new = old
            for _ in 0..<3 {
                let place = Int.random(in: 1..<new.count, using: &generator)
                if Bool.random() { new.remove(at: place) } else { new.insert("added \(place)", at: place) }
            }
            let moved = ["shift"] + old
            func write(_ lines: [String], _ name: String) throws {
                try (lines.joined(separator: "\n") + "\n").write(
                    toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8)
            }
            try write(old, "old")
            try write(new, "new")
            try write(moved, "moved")
            let patch = try await Tool.diff.output(["-u", "old", "new"], in: folder).text
            guard !patch.isEmpty else { continue }
            let said = try await Tool.patch.output(["--forward", "--fuzz=0", "moved"], in: folder, input: patch)
            guard said.succeeded else { continue }
            var lines = matcher(moved)
            let hunks = try PatchFile.parse(Array(patch.utf8)).files[0].hunks
            let states = hunks.map { lines.apply($0) }
            // A hunk that changes nothing any more is present to us and applied to patch(1).
            guard states.allSatisfy({ if case .applied(_, _, 0) = $0 { true } else { false } }) else { continue }
            let result = try String(contentsOfFile: "\(folder)/moved", encoding: .utf8)
            #expect(text(lines).joined(separator: "\n") + "\n" == result, "\(patch)")
            compared += 1
        }
        #expect(compared > 20)
    }
}
