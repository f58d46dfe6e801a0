// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Foundation
import HTMLReport
import Reporting
import RunRecord

struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the verdicts of recorded runs: as a page, a summary, KTAP, JSON or JUnit.")

    enum Format: String, CaseIterable, ExpressibleByArgument { case summary, ktap, json, junit }

    @Argument(help: "Folders of runs.") var runs: [String]
    @Option(help: "summary, ktap, json or junit.") var format: Format?
    @Flag(help: "Write a page that explains the runs, one file without a network. Takes validations too.") var html =
        false
    @Option(
        help: ArgumentHelp(
            "Where the page goes. Without it report.html in the folder of a single run, else here.", valueName: "file"))
    var out: String?
    @Flag(inversion: .prefixedNo, help: "Compare the runs with the reference model for the page.") var model = true

    func validate() throws {
        if html, format != nil { throw ValidationError("give --html or --format, not both.") }
        if out != nil, !html { throw ValidationError("--out is where the page goes: give --html too.") }
    }

    func run() throws {
        if html {
            try writePage()
            return
        }
        let verdicts = try runs.map { folder in
            let verdict = try VerdictFile.read(RunLayout(root: URL(filePath: folder)))
            return (folder: folder, name: verdict.scenario + (verdict.variant.map { "@" + $0 } ?? ""), verdict: verdict)
        }
        switch format {
        case .junit: print(JUnit.text(verdicts.map { ($0.name, $0.verdict) }), terminator: "")
        case .json:
            print(
                try VerdictFile.text(verdicts.map { .init(folder: $0.folder, name: $0.name, verdict: $0.verdict) }),
                terminator: "")
        case .summary, .ktap, nil:
            var results = ResultStream.standardOutput(
                format.flatMap { ResultStream.Format(rawValue: $0.rawValue) },
                environment: ProcessInfo.processInfo.environment)
            results.begin(runs: verdicts.count)
            for verdict in verdicts { results.add(verdict.verdict, name: verdict.name, folder: verdict.folder) }
            results.end()
        }
        throw ExitCode(RunExit(words: verdicts.map(\.verdict.word)).rawValue)
    }

    private func writePage() throws {
        let path = out ?? (runs.count == 1 ? "\(runs[0])/report.html" : "report.html")
        let report = try PageFile(compares: model).write(runs, to: URL(filePath: path))
        print(path)
        let words = report.runs.compactMap { VerdictWord(rawValue: $0.word) }
        throw ExitCode(RunExit(words: words).rawValue)
    }
}
