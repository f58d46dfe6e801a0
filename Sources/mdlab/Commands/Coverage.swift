// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Comparison
import Foundation
import KernelTrace
import ProtocolTrace
import Reporting
import Scenarios

struct CoverageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "coverage",
        abstract: "Say which steps of the reference model recorded runs have taken, and what to run next.",
        discussion: """
            Counts the steps of md-cluster.c, and the pairs of them that touch something common and that two threads were \
            about to take at the same time. What could be covered is found by exploring the model as each scenario calls it.
            """)

    @Argument(help: "Folders of runs.") var runs: [String]
    @Option(help: "The model's variant: runs of other kernels are not counted.") var variant = "v5.11"
    @Flag(help: "List the pairs of steps that no run took.") var pairs = false
    @Option(help: ArgumentHelp("Write everything as JSON to this file.", valueName: "file")) var json: String?
    @Option(help: "Give up on a run at so many states of the search.") var states = 1_000_000
    @Option(help: "Explore so many states of the model for each scenario.") var reach = CoveragePlan.stateLimit

    func validate() throws {
        if runs.isEmpty { throw ValidationError("name the folder of a run.") }
        if states < 1 { throw ValidationError("--states \(states): give a number above 0.") }
        if reach < 1 { throw ValidationError("--reach \(reach): give a number above 0.") }
    }

    func run() throws {
        let instances = try ScenarioFiles.locate().catalogue().instances
        var coverage = try Coverage(variant: variant)
        let exit = try Self.collect(runs, into: &coverage, states: states) { line in
            Terminal.write("mdlab: \(line)\n", to: 2)
        }
        let plan = try CoveragePlan(
            coverage, candidates: instances.map { ($0.name, ScenarioCalls.script(of: $0)) }, limit: reach)
        let unprovable = coverage.unprovable()
        print(CoverageWording.report(coverage, plan, unprovable: unprovable, listsPairs: pairs))
        if let json { try CoverageDocument(coverage, plan, unprovable: unprovable).write(to: URL(filePath: json)) }
        if exit != Exit.pass { throw ExitCode(exit) }
    }

    /// Adds the runs and answers with the exit code. A run that cannot be read is said, and its code is the answer
    /// though the others count; when nothing counts nothing could be tested.
    static func collect(
        _ folders: [String], into coverage: inout Coverage, states: Int, say: (String) -> Void
    ) throws -> Int32 {
        var exit = Exit.pass
        for folder in folders {
            do {
                let recording = try Recording.open(URL(filePath: folder))
                // A run of another kernel is named, not searched.
                let own = ModelComparison.variant(of: recording)
                if own != coverage.variant {
                    coverage.leave(folder, of: own)
                    continue
                }
                coverage.add(
                    try ModelComparison(recording, limit: states), run: folder, scenario: recording.description.scenario
                )
            } catch let error as any Worded {
                say(error.line)
                exit = error.exitCode
            }
        }
        if exit == Exit.pass, coverage.runs == 0 { exit = Exit.untestable }
        return exit
    }
}
