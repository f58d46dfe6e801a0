// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import MDClusterModel
import ModelChecker

struct ModelMutateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mutate",
        abstract: "Put every small fault into the reference model, one at a time, and list those that nothing notices.")

    @Option(help: "Faults that are tried at the same time.")
    var workers = 2
    @Flag(help: "List the faults that were noticed, too.")
    var all = false
    @ArgumentParser.Argument(help: "Procedures to put faults into; all if none is given.")
    var procedures: [String] = []

    func validate() throws {
        guard (1...64).contains(workers) else { throw ValidationError("--workers \(workers): give 1 to 64.") }
    }

    func run() throws {
        var trial = MutationTrial()
        trial.workers = workers
        let known = Set(try trial.workloads.flatMap { try $0.program().procedures.map(\.name) })
        for name in procedures where !known.contains(name) { throw ModelError.unknownProcedure(name, known: []) }
        let all = all
        let outcomes = try trial.run(procedures: Set(procedures)) { outcome in
            let (kind, text) = ModelWording.fate(outcome.fate)
            if all || !outcome.fate.isSettled {
                print("\(kind): \(outcome.name)\(text)")
                if !outcome.fate.isSettled { print("  identity: \(outcome.identity)") }
            }
        }
        let counts = Dictionary(outcomes.map { (ModelWording.fate($0.fate).0, 1) }, uniquingKeysWith: +)
        print(counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", "))
        let stale = trial.staleReasons(outcomes, procedures: Set(procedures))
        for name in stale { print(ModelWording.stale(name)) }
        if !stale.isEmpty || outcomes.contains(where: { !$0.fate.isSettled }) { throw ExitCode(Exit.fail) }
    }
}
