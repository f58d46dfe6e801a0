// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import MDClusterModel
import ModelChecker

struct ModelMutateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mutate",
        abstract: "Put every small fault into the reference model, one at a time, and list those that nothing notices.")

    @Option(help: "States after which a search that has found nothing gives up.")
    var states = 200_000
    @Flag(help: "List the faults that were noticed, too.")
    var all = false
    @ArgumentParser.Argument(help: "Procedures to put faults into; all if none is given.")
    var procedures: [String] = []

    func validate() throws {
        guard states > 0 else { throw ValidationError("--states \(states): give a number above 0.") }
    }

    func run() throws {
        var trial = MutationTrial()
        trial.states = states
        let program = try MDCluster.program(variant: "v5.11", nodes: 2, workload: Workload("fail", nodes: 2))
        for name in procedures where program.procedure(named: name) == nil {
            throw ModelError.unknownProcedure(name, known: [])
        }
        var counts: [String: Int] = [:]
        try trial.run(procedures: Set(procedures)) { outcome in
            let (kind, text) = ModelWording.fate(outcome.fate)
            counts[kind, default: 0] += 1
            if all || outcome.fate == .survived { print("\(kind): \(outcome.procedure): \(outcome.change)\(text)") }
        }
        print(counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", "))
        if counts["survived"] != nil { throw ExitCode(Exit.fail) }
    }
}
