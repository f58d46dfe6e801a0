// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Foundation
import KernelBuild
import ModelExtraction

struct ModelExtractCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "extract",
        abstract: "Print md-cluster's functions as they are taken out of the kernel's own C.",
        discussion: """
            Each function is followed for what is known of its arguments, and what others cannot notice is worked out. \
            What stands in <> is not looked at. Without a function: what became of all of them.
            """)

    @OptionGroup var options: BuildOptions
    @Flag(help: "Print each step beside the line of C that it comes from.")
    var lines = false
    @ArgumentParser.Argument(help: "Names of functions of md-cluster.c.")
    var functions: [String] = []

    func run() async throws {
        let builder = try KernelBuilder(cache: .standard(), progress: ProgressLine().handler)
        let model = try SourceModel(builder)
        let sources = try await builder.sources(try options.request(builder.catalog))
        let extraction = try await model.extraction(sources)
        guard !functions.isEmpty else { return print(SourceWording.summary(extraction)) }
        for name in functions {
            let found = extraction.residuals.values.filter { $0.function == name }.sorted { $0.name < $1.name }
            guard !found.isEmpty else {
                throw SourceModelError.unknownFunction(name, known: extraction.unit.functions.map(\.name))
            }
            for residual in found { print(SourceWording.text(residual, lines: lines, unit: extraction.unit)) }
        }
    }
}
