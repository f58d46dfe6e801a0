// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Foundation
import MDClusterModel
import ModelChecker
import ProcedureModel
import Reporting

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

    @Flag(
        help:
            "Keep 64 bits of each state instead of the state: less memory, and a chance to miss some, which is printed."
    )
    var fingerprints = false
    @Option(help: "Another number gives other fingerprints.")
    var seed: UInt64 = 1
    @Flag(help: "Look first where the fewest threads can move: finds deadlocks in fewer states, not by a shortest run.")
    var directed = false

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
        if fingerprints && directed { throw ValidationError("give --fingerprints or --directed, not both.") }
        if fingerprints || directed {
            let name = fingerprints ? "--fingerprints" : "--directed"
            if workers > 1 { throw ValidationError("\(name) searches with one worker; leave --workers out.") }
            if model.rest { throw ValidationError("\(name) cannot see what stays possible; leave --rest out.") }
            if checkpoint != nil || resume != nil {
                throw ValidationError("\(name) cannot be taken up again; leave --checkpoint and --resume out.")
            }
        }
        if model.rest, model.reduction {
            throw ValidationError("--reduction does not keep what stays possible; leave it or --rest out.")
        }
    }

    func run() throws {
        let machine = try model.machine()
        var bounds = Bounds(bytes: memory << 20)
        if let states { bounds.states = states }
        if let depth { bounds.depth = depth }
        if let seconds { bounds.seconds = seconds }
        if fingerprints {
            try finish(runFingerprints(machine, bounds), machine)
            return
        }
        if directed {
            try finish(runDirected(machine, bounds), machine)
            return
        }
        var search = Search(machine, bounds: bounds, workers: workers)
        if isatty(STDERR_FILENO) == 1 {
            search.progress = { progress in
                Terminal.write("\r\(ModelWording.line(progress))\u{1B}[K", to: 2)
            }
        }
        let interrupt = onInterrupt(search.stop)
        search.checkpoint = checkpoint
        search.resume = resume
        let result = try search.runResumable()
        interrupt.cancel()
        if search.progress != nil { Terminal.write("\r\u{1B}[K", to: 2) }
        print(ModelWording.report(result, machine: machine, options: model))
        try finish((result.verdict, result.counterexample), machine)
    }

    /// Ctrl-C ends the search, not the program: what was found out so far is still told.
    private func onInterrupt(_ stop: Search.StopFlag) -> any DispatchSourceSignal {
        signal(SIGINT, SIG_IGN)
        let interrupt = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        interrupt.setEventHandler { stop.set() }
        interrupt.resume()
        return interrupt
    }

    private func runFingerprints(_ machine: Machine, _ bounds: Bounds) -> (Verdict, Counterexample?) {
        let search = FingerprintSearch(machine, bounds: bounds, seed: seed)
        let interrupt = onInterrupt(search.stop)
        defer { interrupt.cancel() }
        let result = search.run()
        print(ModelWording.report(result, machine: machine, options: model))
        return (result.verdict, result.counterexample)
    }

    private func runDirected(_ machine: Machine, _ bounds: Bounds) -> (Verdict, Counterexample?) {
        let search = DirectedSearch(machine, bounds: bounds) { machine.movableThreads(in: $0) }
        let interrupt = onInterrupt(search.stop)
        defer { interrupt.cancel() }
        let result = search.run()
        print(ModelWording.report(result, machine: machine, options: model))
        switch result.outcome {
        case .found(let failure, let run): return (.fails(failure), run)
        case .nothing: return (.holds, nil)
        case .undecided(let reason): return (.undecided(reason), nil)
        }
    }

    private func finish(_ answer: (verdict: Verdict, run: Counterexample?), _ machine: Machine) throws {
        if let run = answer.run {
            try model.write(run, of: machine, verdict: ModelWording.verdict(answer.verdict), json: json, svg: svg)
        }
        switch answer.verdict {
        case .holds: return
        case .fails: throw ExitCode(Exit.fail)
        case .undecided(.interrupted): throw ExitCode(Exit.interrupted)
        case .undecided: throw ExitCode(Exit.untestable)
        }
    }
}
