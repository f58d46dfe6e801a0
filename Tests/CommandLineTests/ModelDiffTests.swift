// SPDX-License-Identifier: GPL-2.0
import CSource
import KernelBuild
import ModelExtraction
import Testing

@testable import mdlab

@Suite struct ModelDiffTests {
    @Test(arguments: [
        [], ["--kernel", "6.1"], ["--kernel", "6.1", "--kernel", "6.12", "fix.patch"],
        ["--kernel", "6.1", "--kernel", "6.12", "--variant", "async"],
        ["fix.patch", "--kernel", "6.1", "--linux", "t"],
        ["--kernel", "1", "--kernel", "2", "--kernel", "3"],
    ])
    func whatCannotBeComparedIsRefused(_ arguments: [String]) {
        #expect(throws: (any Error).self) { try ModelDiffCommand.parse(arguments) }
    }

    @Test func aPatchAVariantOrTwoKernelsAreCompared() throws {
        #expect(try ModelDiffCommand.parse(["a.patch", "b.patch", "--kernel", "6.12"]).patches.count == 2)
        #expect(try ModelDiffCommand.parse(["--variant", "async"]).variant == "async")
        #expect(try ModelDiffCommand.parse(["--kernel", "6.1", "--kernel", "6.12"]).kernel.count == 2)
    }

    @Test func everyErrorSaysWhatToDo() {
        let errors: [any Worded] = [
            SourceModelError.unknownFunction("nothing", known: ["join", "leave"]), MeaningError.unreadable(reason: "x"),
            CSourceError.notADump(reason: "x"), KernelBuildError.noSuchSource("md-cluster.c", kernel: "4.1"),
        ]
        for error in errors {
            #expect(!error.line.contains("\n"))
            #expect(error.line.contains(": "))
            #expect([Exit.usage, Exit.untestable].contains(error.exitCode))
        }
    }

    @Test func whatManyEntryPointsDoOtherwiseIsSaidOnce() {
        var comparison = SourceComparison()
        for entry in ["leave", "join", "sendmsg"] {
            comparison.changes.append(
                .init(
                    entry: entry, kind: .protocolChange, after: [],
                    was: [.init(text: "wake_up(cinfo->wait)", function: "unlock_comm", line: 3)], now: []))
        }
        let text = SourceWording.report(comparison, statements: false)
        #expect(text.split(separator: "\n").filter { $0.contains("unlock_comm, line 3") }.count == 1)
        #expect(text.contains("and so in join, sendmsg"))
        #expect(text.hasPrefix("changes what others can notice:"))
    }
}
