// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Foundation
import KernelBuild
import Scenarios

struct ScenariosCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scenarios", abstract: "List the scenarios, show one, or check scenario files.",
        subcommands: [List.self, Show.self, Check.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List every run that has a name.")

        func run() throws { print(ScenarioFiles.list(try ScenarioFiles.locate().catalogue()), terminator: "") }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show what a scenario does, step by step.")
        @Argument(help: "A name that mdlab run takes.") var name: String

        func run() throws {
            for instance in try ScenarioFiles.locate().catalogue().select(name) {
                print("\(instance.name): \(instance.scenario.summary)")
                print(
                    "  \(instance.nodes) nodes, \(instance.level.rawValue), \(instance.scenario.disks) disks of "
                        + "\(instance.scenario.diskMiB) MiB")
                for step in instance.scenario.before { print("  \(step.line): \(step.text)") }
                print("  create the array on node1, assemble it on the others")
                for step in instance.scenario.steps { print("  \(step.line): \(step.text)") }
            }
        }
    }

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Check scenario files without running them.")
        @Argument(help: "Scenario files.") var files: [String]

        func run() throws {
            for file in files {
                let scenario = try ScenarioReader.read(file: URL(filePath: file))
                print("\(file): \(scenario.instances.map(\.name).joined(separator: ", "))")
            }
        }
    }
}

/// Where the project's scenario files are.
struct ScenarioFiles {
    let folder: URL
    let suite: URL
    let variantFolder: URL
    /// The rules for kernel logs.
    let rules: URL
    /// Why runs do not show what tells some variants apart.
    let notShown: URL

    static func locate() throws -> ScenarioFiles {
        let root = URL(filePath: try ProjectFiles.locate().root).appending(path: "kernel-tests")
        return ScenarioFiles(
            folder: root.appending(path: "scenarios"), suite: root.appending(path: "suite"),
            variantFolder: root.appending(path: "variants"), rules: root.appending(path: "rules"),
            notShown: root.appending(path: "not-shown"))
    }

    func catalogue() throws(ScenarioError) -> ScenarioCatalogue { try ScenarioCatalogue(directory: folder) }

    func file(of scenario: Scenario) -> URL { folder.appending(path: scenario.name + ".yaml") }

    /// The names of the suite that runs when no scenario is named: the one of the kernel, kernel-tests/suite-6.12, if
    /// it has one.
    func suiteNames(kernel: String? = nil) throws -> [String] {
        let own = kernel.map { suite.deletingLastPathComponent().appending(path: "\(suite.lastPathComponent)-\($0)") }
        if let own, let text = try? String(contentsOf: own, encoding: .utf8) {
            return ScenarioCatalogue.names(inSuite: text)
        }
        guard let text = try? String(contentsOf: suite, encoding: .utf8) else {
            throw ScenarioError.unreadable(suite.path, reason: "no such file")
        }
        return ScenarioCatalogue.names(inSuite: text)
    }

    func variants() -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: variantFolder.path)) ?? []
        return names.filter { $0.hasSuffix(".cocci") }.map { String($0.dropLast(6)) }.sorted()
    }

    /// "smoke                       Create, ..." with the other runs of the file below it.
    static func list(_ catalogue: ScenarioCatalogue) -> String {
        let names = catalogue.instances.map(\.name)
        let width = (names.map(\.count).max() ?? 0) + 2
        return catalogue.scenarios.map { scenario in
            scenario.instances.enumerated().map { index, instance in
                let name = instance.name + String(repeating: " ", count: width - instance.name.count)
                let expected =
                    index == 0 && !scenario.variants.isEmpty
                    ? " Must fail with \(scenario.variants.keys.sorted().joined(separator: ", "))." : ""
                return (index == 0 ? name + scenario.summary + expected : instance.name) + "\n"
            }.joined()
        }.joined()
    }
}
