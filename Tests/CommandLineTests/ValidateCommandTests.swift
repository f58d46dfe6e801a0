// SPDX-License-Identifier: GPL-2.0
import Foundation
import Reporting
import Testing
import Validation

@testable import mdlab

@Suite struct ValidateCommandTests {
    @Test(arguments: [
        ["--full", "--quick", "a.patch"], [], ["--terse", "--format", "ktap", "a.patch"], ["--watch", "-"],
        ["--also", "6.12", "--linux", "x", "a.patch"], ["--variant", "async", "a.patch"],
    ]) func whatDoesNotGoTogetherIsRefused(arguments: [String]) {
        #expect(throws: (any Error).self) { try Validate.parse(arguments) }
    }

    @Test func aChangedSourceIsSeen() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "mdlab-watch-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appending(path: "a.patch")
        let before = WatchedFiles.state(of: [folder.path], tree: nil)
        #expect(WatchedFiles.state(of: [folder.path], tree: nil) == before)
        try Data("x".utf8).write(to: file)
        let written = WatchedFiles.state(of: [folder.path], tree: nil)
        #expect(written != before)
        try Data("longer".utf8).write(to: file)
        #expect(WatchedFiles.state(of: [folder.path], tree: nil) != written)
    }

    /// What fails without the patch as well is no failure for a program that counts them.
    @Test func aKnownFaultIsNoFailure() {
        let run = RunOutcome(scenario: "smoke", word: .fail, reason: "it hangs")
        func report(_ word: ValidationWord) -> ValidationReport {
            ValidationReport(
                patches: ["a"], kernel: "6.1", conclusion: Conclusion(word, "said"),
                stages: [StageResult(.kernels, word, lines: ["1 run"])], runs: [run], baseline: [], faults: [],
                changed: [])
        }
        #expect(ValidationText.tests(report(.pass))[0].parts[0].state == .known("it hangs"))
        #expect(ValidationText.tests(report(.fail))[0].parts[0].state == .fail("it hangs"))
        #expect(ValidationText.tests(report(.notDecided)).last?.state == .skip("not decided: said"))
    }
}
