// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Foundation
import PatchIntake
import Reporting
import Validation

/// `mdlab validate`: everything that can be said about a patch before it is sent, in one command.
struct Validate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say whether a patch is good: build it, run what it changes, compare with the unpatched kernel.",
        discussion: """
            A SOURCE is a mail (- reads one from stdin), a mailbox, a folder of git format-patch or quilt, a diff, or a range of commits (A..B) of --linux. \
            PASS says that every changed line with code ran and that the runs are as without the patch. What never ran is NOT \
            DECIDED, and exits with 125. The folder of the report has report.html, validation.json, results.ktap, junit.xml, \
            static.sarif and mail.txt.
            """)

    enum Format: String, CaseIterable, ExpressibleByArgument { case summary, ktap, junit, sarif, json }

    @Argument(help: "Patches.") var sources: [String] = []
    @OptionGroup var input: BuildOptions
    @Option(
        name: .customLong("also"),
        help: ArgumentHelp(
            "Another kernel of vm/kernels.json to validate for; may be given again.", valueName: "kernel"))
    var others: [String] = []
    @Flag(help: "The whole suite, with the same runs of the unpatched kernel.") var full = false
    @Flag(help: "The scenarios that reach the change (default).") var quick = false
    @Flag(help: "Run each patch of a series on those before it, not the last one alone.") var each = false
    @Flag(help: "Begin again whenever a source, or the tree of --linux, changes; ends with Ctrl-C.") var watch = false
    @Flag(help: "Say at the end where the time went.") var timings = false
    @Flag(help: "One line a finding, as checkpatch --terse prints them: for b4 prep --check.") var terse = false
    @Option(help: "What is printed: summary, ktap, junit, sarif (static findings) or json.") var format: Format =
        .summary
    @Option(help: ArgumentHelp("The folder of the report and the runs.", valueName: "folder")) var out: String?

    func validate() throws {
        if sources.isEmpty { throw ValidationError("name a mail, a mailbox, a folder, a diff or a range of commits.") }
        if full, quick { throw ValidationError("--full and --quick exclude each other: give one of them.") }
        if terse, format != .summary { throw ValidationError("--terse is a format: leave --format out.") }
        if watch, sources.contains("-") { throw ValidationError("--watch: stdin does not change; name a file.") }
        if !others.isEmpty, input.linux != nil {
            throw ValidationError("--also names packaged kernels: leave --linux out.")
        }
        if !input.patch.isEmpty || input.variant != nil || input.instrument || input.coverage {
            throw ValidationError(
                "--patch, --variant, --instrument and --coverage belong to mdlab run: leave them out.")
        }
    }

    func run() async throws {
        let interruption = Interruption()
        let folder = URL(filePath: out ?? "runs/validate-\(VM.stamp())")
        let sources = try Self.files(of: sources, in: folder)
        guard watch else {
            let word = try await all(sources, in: folder, interruption)
            throw ExitCode(interruption.isInterrupted ? Exit.interrupted : Self.exit(word))
        }
        var number = 0
        while !interruption.isInterrupted {
            let before = WatchedFiles.state(of: sources, tree: input.linux)
            number += 1
            do {
                _ = try await all(sources, in: folder.appending(path: "\(number)"), interruption)
            } catch let error as any Worded {
                // A mail that is being written, a tree in the middle of a rebase: the next change may mend it.
                Terminal.write("mdlab: \(error.line)\n", to: 2)
            }
            if interruption.isInterrupted { break }
            Terminal.write("waiting for a change (Ctrl-C ends)\n", to: 2)
            try? await interruption.cancelling { [input] in
                while WatchedFiles.state(of: sources, tree: input.linux) == before {
                    try await Task.sleep(for: .milliseconds(500))
                }
            }
        }
        throw ExitCode(Exit.interrupted)
    }

    /// One validation for each kernel and, with `--each`, for each patch. Gives the worst word.
    private func all(_ sources: [String], in folder: URL, _ interruption: Interruption) async throws -> ValidationWord {
        let kernels: [String?] = [input.kernel] + others
        var lengths: [Int?] = [nil]
        if each {
            let tree = input.linux.map { URL(filePath: $0).standardizedFileURL.path }
            let count = try await (tree.map { Intake(tree: $0) } ?? Intake()).series(sources).patches.count
            lengths = (1...max(1, count)).map { $0 }
        }
        var words: [ValidationWord] = []
        for kernel in kernels {
            for length in lengths where !interruption.isInterrupted {
                var place = folder
                if kernels.count > 1 { place.append(path: kernel ?? "default") }
                if let length, lengths.count > 1 { place.append(path: "patch-\(length)") }
                var input = input
                input.kernel = kernel
                words.append(try await once(sources, input, length, in: place, interruption))
            }
        }
        return words.min() ?? .notDecided
    }

    private func once(
        _ sources: [String], _ input: BuildOptions, _ length: Int?, in folder: URL, _ interruption: Interruption
    ) async throws -> ValidationWord {
        let environment = ProcessInfo.processInfo.environment
        // Beside another format the course goes where errors go.
        let course: Int32? = terse ? nil : format == .summary ? 1 : 2
        let validation = ValidationRun(
            sources: sources, length: length, input: input, depth: full ? .full : .quick, out: folder,
            files: try ScenarioFiles.locate(), progress: .standardError(environment: environment)
        ) { line in if let course { Terminal.write(line + "\n", to: course) } }
        do {
            try await interruption.cancelling { try await validation.carryOut() }
        } catch  where interruption.isInterrupted {
            Terminal.write("mdlab: interrupted; the report has what was done\n", to: 2)
        }
        let report = await validation.report
        try ValidationFile.write(report, to: folder)
        let page = folder.appending(path: "report.html")
        try PageFile().write([folder.path], to: page)
        Terminal.write(try printed(report))
        if timings { Terminal.write(ValidationText.timings(report, total: await validation.seconds), to: course ?? 2) }
        Terminal.write("report: \(page.relativePath)\n", to: 2)
        return report.word
    }

    private func printed(_ report: ValidationReport) throws -> String {
        if terse { return ValidationText.terse(report) }
        return switch format {
        case .summary: ValidationText.conclusion(report)
        case .ktap: TestTree.ktap(ValidationText.tests(report))
        case .junit: TestTree.junit(ValidationText.tests(report))
        case .sarif: try SARIF.text(ValidationText.sourceFindings(report))
        case .json: try ValidationFile.text(report)
        }
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

/// What a validation that watches looks at.
enum WatchedFiles {
    /// Times and sizes of the files, of those in folders, and of what git writes when a tree's commits change.
    static func state(of sources: [String], tree: String?) -> [String] {
        var paths = sources.filter { !$0.contains("..") || FileManager.default.fileExists(atPath: $0) }
        for folder in paths {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            paths += names.sorted().map { "\(folder)/\($0)" }
        }
        if let tree { paths += [tree + "/.git/HEAD", tree + "/.git/logs/HEAD"] }
        return paths.map { path in
            let facts = try? FileManager.default.attributesOfItem(atPath: path)
            let time = (facts?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
            return "\(path) \(time) \((facts?[.size] as? Int) ?? -1)"
        }
    }
}
