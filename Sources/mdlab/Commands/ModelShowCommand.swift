// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import MDClusterModel
import ProcedureModel

struct ModelShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Print a procedure of the model as C would have it, or list what there is.")

    @OptionGroup var model: ModelOptions
    @ArgumentParser.Argument(help: "Names of procedures; without one, variants, procedures and rules are listed.")
    var procedures: [String] = []

    func run() throws {
        let program = try model.program()
        guard !procedures.isEmpty else {
            print("Variants:")
            for variant in Variants.all { print("  \(variant.name): \(variant.summary)") }
            print("Procedures:")
            for procedure in program.procedures { print("  \(procedure.name)  \(procedure.source)") }
            print("Rules:")
            for rule in program.ruleNames { print("  \(rule.id)  \(rule.text)") }
            return
        }
        for name in procedures {
            guard let procedure = program.procedure(named: name) else {
                throw ModelError.unknownProcedure(name, known: program.procedures.map(\.name))
            }
            print(procedure)
        }
    }
}
