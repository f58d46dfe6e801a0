// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Comparison
import Foundation
import KernelTrace

struct CoverageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "coverage",
        abstract: "Say which steps of the reference model recorded runs have taken, and which none did.")

    @Argument(help: "Folders of runs.") var runs: [String]
    @Option(help: "Give up on a run at so many states of the search.") var states = 1_000_000

    func run() throws {
        var coverage = try Coverage()
        for folder in runs {
            let recording = try Recording.open(URL(filePath: folder))
            coverage.add(try Comparison(recording, limit: states), scenario: recording.description.scenario)
        }
        print(ComparisonWording.coverage(coverage))
        if coverage.runs == 0 { throw ExitCode(Exit.untestable) }
    }
}
