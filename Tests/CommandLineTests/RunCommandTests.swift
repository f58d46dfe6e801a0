// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Foundation
import Reporting
import RunRecord
import Testing

@testable import mdlab

/// The built program, as a user calls it.
private func mdlab(_ arguments: String...) throws -> (status: Int32, output: String, errors: String) {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().appending(
        path: "mdlab")
    let process = Process()
    process.executableURL =
        FileManager.default.isExecutableFile(atPath: program.path)
        ? program : root.appending(path: ".build/debug/mdlab")
    process.arguments = arguments
    process.environment = ["MDLAB_ROOT": root.path, "PATH": "/usr/bin:/bin"]
    let (output, errors) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, errors)
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let complaint = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text, complaint)
}

@Suite struct RunCommandTests {
    @Test func theListNamesEveryRun() throws {
        let result = try mdlab("run", "--list")
        #expect(result.status == 0)
        for name in ["smoke ", "fail-device/raid10\n", "concurrent-updates/raid10/3-nodes\n"] {
            #expect(result.output.contains(name))
        }
    }

    @Test(arguments: [
        (["run", "smok"], "mdlab: there is no scenario smok; did you mean smoke, smoke/3-nodes or smoke/4-nodes?\n"),
        (["run", "smoke", "--variant", "asynk"], "mdlab: there is no variant asynk; did you mean async?\n"),
        (["run", "smoke@asynk"], "mdlab: there is no variant asynk; did you mean async?\n"),
        (
            ["run", "fail-device", "--nodes", "4"],
            "mdlab: fail-device does not run with 4 nodes; give --nodes 2 or 3\n"
        ),
    ])
    func aMistakeIsOneLine(_ arguments: [String], line: String) throws {
        let result = try mdlab(
            arguments[0], arguments[1], arguments.count > 2 ? arguments[2] : "--format=ktap",
            arguments.count > 3 ? arguments[3] : "--cold")
        #expect(result.errors == line)
        #expect(result.output.isEmpty)
        #expect(result.status == 2)
    }

    @Test(arguments: [
        ["run", "smoke", "--nodse", "2"], ["run", "smoke", "--nodes", "7"], ["run", "smoke", "--format", "xml"],
    ])
    func unknownOptionsAreUsage(_ arguments: [String]) throws {
        let result = try mdlab(arguments[0], arguments[1], arguments[2], arguments[3])
        #expect(result.status == 2)
        #expect(result.errors.contains(arguments[2] == "--nodse" ? "'--nodes'" : arguments[3]))
    }

    /// The distribution's modules are what they are: nothing that changes the source goes with them.
    @Test(arguments: [
        ["run", "smoke", "--stock", "--patch=my.patch"], ["run", "smoke", "--stock", "--variant=async"],
        ["run", "smoke", "--stock", "--linux=tree"], ["run", "smoke@async", "--stock", "--cold"],
    ])
    func stockModulesCannotBeChanged(_ arguments: [String]) throws {
        let result = try mdlab(arguments[0], arguments[1], arguments[2], arguments[3])
        #expect(result.status == 2)
        #expect(result.errors.contains("--stock takes the packaged modules as they are"))
        #expect(result.output.isEmpty)
    }

    @Test func aFolderThatCannotBeMadeIsOneLine() throws {
        let result = try mdlab("run", "smoke", "--out", "/proc/nowhere")
        #expect(result.status == 2)
        #expect(result.errors.hasSuffix("give another folder with --out\n"))
    }

    @Test func theSuiteNamesRunsThatExist() throws {
        let files = try ScenarioFiles.locate()
        let plan = try files.catalogue().plan(try files.suiteNames(), variants: files.variants())
        #expect(plan.count > 10)
        // The broken kernels have to be in it: a suite without them could not show that it can fail.
        for run in plan where run.variant != nil { #expect(run.instance.expectedFailure(variant: run.variant) != nil) }
        #expect(
            Set(plan.compactMap(\.variant)) == [
                "async", "no-holding-in-start", "naive-sync", "cr-cw", "newdisk-nack",
            ])
    }

    /// A kernel without a suite of its own gets the common one; the other kernel's names runs that exist and no broken
    /// kernel.
    @Test func aKernelMayHaveASuiteOfItsOwn() throws {
        let files = try ScenarioFiles.locate()
        let own = try files.suiteNames(kernel: "6.12")
        #expect(try files.catalogue().plan(own, variants: []).count == own.count)
        #expect(own.contains("smoke/3-nodes"))
        #expect(own != (try files.suiteNames()))
        #expect(try files.suiteNames(kernel: "5.10") == files.suiteNames())
    }

    @Test(arguments: [
        (VerdictWord.pass, Int32(0)), (.xfail, 0), (.fail, 1), (.skip, 4), (.error, 125), (.miss, 125),
    ])
    func reportExitsAsTheRunDid(_ word: VerdictWord, status: Int32) throws {
        let layout = RunLayout(
            root: FileManager.default.temporaryDirectory.appending(path: "mdlab-\(UUID().uuidString)"))
        try FileManager.default.createDirectory(at: layout.root, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: layout.root) }
        #expect(try mdlab("report", layout.root.path).status == 2)
        try VerdictFile.write(
            Verdict(
                scenario: "smoke", variant: "async", kernelRelease: "6.1", word: word, reason: "why", checks: [],
                metadataUpdates: [], detectorsOff: [:]), name: "smoke@async", to: layout)
        let ktap = try mdlab("report", layout.root.path)
        #expect(ktap.status == status)
        #expect(ktap.output.hasPrefix("KTAP version 1\n1..1\n"))
        #expect(ktap.output.contains(" 1 smoke@async"))
        #expect(try mdlab("report", "--format", "json", layout.root.path).output.contains("\"scenario\" : \"smoke\""))
        #expect(
            try mdlab("report", "--format", "junit", layout.root.path).output.contains(
                "<testsuite name=\"smoke@async\""))
        #expect(
            try mdlab("report", "--format", "summary", layout.root.path).output.hasPrefix(
                "\(word.rawValue)  smoke@async"))
    }

    @Test func scenarioFilesAreChecked() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "mdlab-\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("summary: x\nsteps:\n  - run: ls\n    onn: node1\n".utf8).write(to: file)
        let result = try mdlab("scenarios", "check", file.path)
        #expect(result.status == 2)
        #expect(result.errors == "mdlab: \(file.lastPathComponent):4: a step has no onn; did you mean on?\n")
        #expect(try mdlab("scenarios", "show", "smoke").output.contains("mdadm /dev/md0 --fail /dev/vdb"))
    }
}

@Suite struct EventsTests {
    @Test func whatACommandPrintedIsBehindItsLine() {
        let event = RunEvent(
            time: 12.3456, kind: .output, node: "node1", text: "mdadm --detail /dev/md0",
            facts: ["status": "1", "output": "a\nb\n", "errors": "mdadm: no"])
        #expect(
            Events.text(event) == """
                   12.346 node1  mdadm --detail /dev/md0 (status 1)
                                   | a
                                   | b
                                   ! mdadm: no

                """)
        #expect(Events.text(RunEvent(time: 1, kind: .note, text: "x")) == "    1.000        x\n")
    }
}

@Suite struct CompletionTests {
    @Test(arguments: [CompletionShell.bash, .zsh, .fish]) func everyCommandIsCompleted(shell: CompletionShell) {
        let script = MDLab.completionScript(for: shell)
        for command in MDLab.configuration.subcommands {
            let name = command.configuration.commandName ?? ""
            #expect(name == "" || script.contains(name), "\(name)")
        }
        #expect(script.contains("validate") && script.contains("explore-kernel") && script.contains("timings"))
    }
}
