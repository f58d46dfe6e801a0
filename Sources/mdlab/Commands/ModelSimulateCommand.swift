// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import MDClusterModel
import ModelChecker
import ProcedureModel

struct ModelSimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate", abstract: "Take random runs through a variant; the same seed takes the same runs.")

    @OptionGroup var model: ModelOptions
    @Option(help: "Where the random numbers begin.")
    var seed: UInt64 = 1
    @Option(help: "How many runs to take at most.")
    var runs = 1000
    @Option(help: "Steps after which a run is given up.")
    var depth = 10_000
    @Option(help: "Write the bad run as JSON (ITF) to this file.")
    var json: String?
    @Option(help: "Draw the bad run as SVG into this file.")
    var svg: String?

    func validate() throws {
        guard runs > 0 else { throw ValidationError("--runs \(runs): give a number above 0.") }
        guard depth > 0 else { throw ValidationError("--depth \(depth): give a number above 0.") }
    }

    func run() throws {
        let machine = try model.machine(reduction: false)
        let result = Simulation(machine, seed: seed, runs: runs, depth: depth).run()
        let count = ModelWording.count
        let summary =
            "\(count(result.runs)) runs, \(count(Int(result.steps))) steps, the longest of \(count(result.longestRun))"
        guard let failure = result.failure, let run = result.counterexample else {
            print("not decided: no fault met in \(summary); random runs prove nothing, 'mdlab model check' does")
            return
        }
        print("\(ModelWording.verdict(.fails(failure))) after \(summary)")
        CounterexampleText(machine, run, isWide: model.wide).lines.forEach { print($0) }
        try model.write(run, of: machine, verdict: ModelWording.verdict(.fails(failure)), json: json, svg: svg)
        throw ExitCode(Exit.fail)
    }
}
