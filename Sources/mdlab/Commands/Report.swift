// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Foundation
import Reporting
import RunRecord

struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the verdicts of recorded runs, as a summary, KTAP, JSON, JUnit or a page.")

    enum Format: String, CaseIterable, ExpressibleByArgument { case summary, ktap, json, junit }

    @Argument(help: "Folders of runs.") var runs: [String]
    @Option(help: "summary, ktap, json or junit.") var format: Format?
    @Flag(
        help:
            "Write a page that needs no network: verdicts, messages as swim lanes, every event. Takes validations too.")
    var html = false
    @Option(help: ArgumentHelp("Where the page goes.", valueName: "file")) var out = "report.html"

    func validate() throws {
        if html, format != nil { throw ValidationError("--html and --format exclude each other: give one of them.") }
    }

    func run() throws {
        if html {
            try PageFile.write(runs, to: URL(filePath: out))
            return print(out)
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
}
