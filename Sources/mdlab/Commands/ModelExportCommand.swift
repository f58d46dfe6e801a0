// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Foundation
import MDClusterModel
import ProcedureModel

struct ModelExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a variant for another checker: Promela, for SPIN.")

    @OptionGroup var model: ModelOptions
    @Flag(help: "Write Promela; the only form there is.")
    var promela = false
    @Option(name: .shortAndLong, help: "The file to write; standard output if not given.")
    var output: String?

    func validate() throws {
        guard promela else { throw ValidationError("say what to write: --promela.") }
    }

    func run() throws {
        let text = PromelaExport(try model.machine(reduction: false)).text
        if let output {
            try ModelFile.write(Data(text.utf8), to: output)
        } else {
            print(text, terminator: "")
        }
    }
}
