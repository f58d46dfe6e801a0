// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Foundation
import NearNames
import Reporting
import RunRecord
import Scenarios
import Steering
import VirtualCluster

struct Steer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Drive real kernels into the schedule of a counterexample, or of a file.",
        discussion: """
            WHAT is a counterexample of the model (what 'mdlab model check --json' writes), a schedule of \
            kernel-tests/schedules by its name (deadlock-v4.12), or a schedule's file. NAME@VARIANT is a broken kernel that it \
            has to hang, and nothing else may fail there; a counterexample is tried on the variant that it is of, and v5.11 is \
            the unchanged kernel. Says step by step whether the kernel followed, and whether it came to the predicted state.
            """)

    @Argument(help: ArgumentHelp("A counterexample or a schedule.", valueName: "what")) var names: [String]
    @OptionGroup var input: BuildOptions
    @Option(name: .customLong("repeat"), help: ArgumentHelp("Run each so many times, and count.", valueName: "times"))
    var times = 1
    @Option(help: ArgumentHelp("How many schedules for a counterexample are tried.", valueName: "number"))
    var attempts = 3
    @Option(help: ArgumentHelp("Write the schedule of a counterexample to this file.", valueName: "file"))
    var write: String?
    @Flag(help: "Only make the schedule: start no virtual machine.") var planOnly = false
    @Flag(help: "Let the operations begin as the schedule says, but hold nobody: how often does it happen by itself?")
    var unsteered = false
    @Option(help: ArgumentHelp("Where the folders of the runs are made.", valueName: "dir")) var out = "runs"
    @Option(help: ArgumentHelp("summary or ktap.", valueName: "format")) var format: ResultStream.Format?

    func validate() throws {
        if !(1...1000).contains(times) { throw ValidationError("--repeat \(times): give 1 to 1000.") }
        if !(1...12).contains(attempts) { throw ValidationError("--attempts \(attempts): give 1 to 12.") }
        if names.isEmpty { throw ValidationError("name a counterexample or a schedule.") }
        if write != nil, names.count > 1 { throw ValidationError("--write: name one counterexample.") }
    }

    func run() async throws {
        let files = try ScenarioFiles.locate()
        let schedules = ScheduleFiles(files)
        let requests = try names.map { try schedules.request($0, variant: input.variant) }
        if let write, let text = requests.first?.candidates.first?.text {
            try ModelFile.write(Data(text.utf8), to: write)
        }
        if planOnly {
            if write == nil { for request in requests { print(request.candidates[0].text, terminator: "") } }
            return
        }
        let interruption = Interruption()
        let environment = ProcessInfo.processInfo.environment
        var results = ResultStream.standardOutput(format, environment: environment)
        let count = requests.count * times
        results.begin(runs: count)
        var tally = SteeringTally()
        for request in requests {
            for time in 1...times {
                let name = request.name + (times > 1 ? " #\(time)" : "")
                if interruption.isInterrupted {
                    results.missing(name: name, word: .skip, reason: "interrupted")
                    continue
                }
                let driver = SteeringRun(
                    request: request, input: input, out: out, files: files, unsteered: unsteered,
                    attempts: attempts, progress: .standardError(environment: environment))
                do {
                    let outcome = try await interruption.cancelling { try await driver.outcome() }
                    let mark = results.format == .ktap ? "# " : ""
                    Self.write(outcome.lines.map { mark + $0 })
                    results.add(outcome.verdict, name: name, folder: outcome.folder)
                    tally.add(request.name, outcome)
                } catch let error where !interruption.isInterrupted && (error as? any Worded)?.exitCode == Exit.usage {
                    throw error
                } catch {
                    let reason = interruption.isInterrupted ? "interrupted" : (error as? any Worded)?.line ?? "\(error)"
                    results.missing(name: name, word: .miss, reason: reason)
                }
            }
        }
        results.end()
        if times > 1 { Self.write(tally.lines.map { (results.format == .ktap ? "# " : "") + $0 }) }
        throw ExitCode(RunExit(words: results.words, interrupted: interruption.isInterrupted).rawValue)
    }

    /// Where the results go, and in their order.
    private static func write(_ lines: [String]) {
        Terminal.write(lines.map { $0 + "\n" }.joined())
    }
}
