// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Foundation
import Reporting
import Validation

/// `mdlab validate`: everything that can be said about a patch before it is sent, in one command.
struct Validate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say whether a patch is good: build it, run what it changes, compare with the unpatched kernel.",
        discussion: """
            A SOURCE is a mail (- reads one from stdin), a mailbox, a folder of git format-patch or quilt, a diff, or a range of commits (A..B) of --linux. \
            PASS says that every changed line with code ran and that the runs are as without the patch. What never ran is NOT \
            DECIDED, and exits with 125.
            """)

    @Argument(help: "Patches.") var sources: [String] = []
    @OptionGroup var input: BuildOptions
    @Flag(help: "The whole suite, with the same runs of the unpatched kernel.") var full = false
    @Flag(help: "The scenarios that reach the change (default).") var quick = false
    @Flag(help: "One line a finding, as checkpatch --terse prints them: for b4 prep --check.") var terse = false
    @Option(help: ArgumentHelp("The folder of the report and the runs.", valueName: "folder")) var out: String?

    func validate() throws {
        if sources.isEmpty { throw ValidationError("name a mail, a mailbox, a folder, a diff or a range of commits.") }
        if full, quick { throw ValidationError("--full and --quick exclude each other: give one of them.") }
        if !input.patch.isEmpty || input.variant != nil || input.instrument || input.coverage {
            throw ValidationError(
                "--patch, --variant, --instrument and --coverage belong to mdlab run: leave them out.")
        }
    }

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let folder = URL(filePath: out ?? "runs/validate-\(VM.stamp())")
        let validation = ValidationRun(
            sources: try Self.files(of: sources, in: folder), input: input, depth: full ? .full : .quick, out: folder,
            files: try ScenarioFiles.locate(), progress: .standardError(environment: environment)
        ) { [terse] in if !terse { Terminal.write($0 + "\n") } }
        let interruption = Interruption()
        do {
            try await interruption.cancelling { try await validation.carryOut() }
        } catch  where interruption.isInterrupted {
            Terminal.write("mdlab: interrupted; the report has what was done\n", to: 2)
        }
        let report = await validation.report
        try ValidationFile.write(report, to: folder)
        let page = folder.appending(path: "report.html")
        try PageFile().write([folder.path], to: page)
        try ValidationFile.write(mail: ValidationText.mail(report), to: folder)
        Terminal.write(terse ? ValidationText.terse(report) : ValidationText.conclusion(report))
        Terminal.write("report: \(page.relativePath)\n", to: 2)
        throw ExitCode(interruption.isInterrupted ? Exit.interrupted : Self.exit(report.word))
    }

    /// "-" is a mail on standard input.
    private static func files(of sources: [String], in folder: URL) throws -> [String] {
        try sources.map { source in
            guard source == "-" else { return source }
            let data = FileHandle.standardInput.readDataToEndOfFile()
            let file = folder.appending(path: "stdin.eml")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try data.write(to: file)
            return file.path
        }
    }

    private static func exit(_ word: ValidationWord) -> Int32 {
        switch word {
        case .pass: Exit.pass
        case .fail: Exit.fail
        case .error: Exit.usage
        case .miss, .notDecided, .skip: Exit.untestable
        }
    }
}
