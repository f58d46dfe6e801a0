// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Foundation
import Reporting
import RunRecord
import Scenarios

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Judge recorded runs again, from their records alone.")

    @Argument(help: "Folders of runs.") var runs: [String]
    @Option(help: ArgumentHelp("summary or ktap.", valueName: "format")) var format: ResultStream.Format?
    @Flag(help: "Judge kernel logs with the rules of this tree, not with those that the record has.")
    var currentRules = false
    @Flag(help: "Leave verdict.json and results.ktap as they are.") var dryRun = false

    func run() throws {
        let rules = try ScenarioFiles.locate().rules
        let records = try runs.map { try RecordedRun(RunLayout(root: URL(filePath: $0))) }
        var results = ResultStream.standardOutput(format, environment: ProcessInfo.processInfo.environment)
        results.begin(runs: records.count)
        for (folder, record) in zip(runs, records) {
            let verdict = record.verdict(rules: rules, current: currentRules)
            let name = record.name + (verdict.variant.map { "@" + $0 } ?? "")
            if !dryRun { try VerdictFile.write(verdict, name: name, to: record.layout) }
            results.add(verdict, name: name, folder: folder)
        }
        results.end()
        throw ExitCode(RunExit(words: results.words).rawValue)
    }
}
