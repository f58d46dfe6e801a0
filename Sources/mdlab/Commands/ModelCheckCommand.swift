// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Foundation
import MDClusterModel
import ModelChecker
import ProcedureModel

struct ModelCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Explore every state of a variant: deadlocks and broken rules, with a shortest counterexample.")

    @OptionGroup var model: ModelOptions
    @Option(help: "Threads that search.")
    var workers = 1
    @Option(help: "Stop after so many seconds.")
    var seconds: Double?
    @Option(help: "Stop at so many states.")
    var states: Int?
    @Option(help: "Stop at this depth.")
    var depth: Int?
    @Option(help: "Memory for states, in MiB.")
    var memory = 4096

    @Option(help: "Write the counterexample as JSON (ITF) to this file.")
    var json: String?
    @Option(help: "Draw the counterexample as SVG into this file.")
    var svg: String?

    @Option(help: "If the search ends undecided, put what it has into this file.")
    var checkpoint: String?
    @Option(help: "Go on from a checkpoint of the same search with the same number of workers.")
    var resume: String?

    func validate() throws {
        guard (1...64).contains(workers) else { throw ValidationError("--workers \(workers): give 1 to 64.") }
        guard memory > 0 else { throw ValidationError("--memory \(memory): give a number of MiB above 0.") }
        if let seconds, !(seconds > 0) { throw ValidationError("--seconds \(seconds): give a number above 0.") }
        if let states, states < 1 { throw ValidationError("--states \(states): give a number above 0.") }
        if let depth, depth < 1 { throw ValidationError("--depth \(depth): give a number above 0.") }
    }

    func run() throws {
        let machine = try model.machine()
        var bounds = Bounds(bytes: memory << 20)
        if let states { bounds.states = states }
        if let depth { bounds.depth = depth }
        if let seconds { bounds.seconds = seconds }
        var search = Search(machine, bounds: bounds, workers: workers)
        if isatty(STDERR_FILENO) == 1 {
            search.progress = { progress in
                FileHandle.standardError.write(Data("\r\(ModelWording.line(progress))\u{1B}[K".utf8))
            }
        }
        // Ctrl-C ends the search, not the program: what was found out so far is still told.
        signal(SIGINT, SIG_IGN)
        let interrupt = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        let stop = search.stop
        interrupt.setEventHandler { stop.set() }
        interrupt.resume()
        search.checkpoint = checkpoint
        search.resume = resume
        let result = try search.runResumable()
        interrupt.cancel()
        if search.progress != nil { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
        print(ModelWording.report(result, machine: machine, options: model))
        if let run = result.counterexample {
            try model.write(run, of: machine, verdict: ModelWording.verdict(result.verdict), json: json, svg: svg)
        }
        switch result.verdict {
        case .holds: return
        case .fails: throw ExitCode(Exit.fail)
        case .undecided(.interrupted): throw ExitCode(Exit.interrupted)
        case .undecided: throw ExitCode(Exit.untestable)
        }
    }
}
