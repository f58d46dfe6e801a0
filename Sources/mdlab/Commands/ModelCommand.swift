// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Foundation
import MDClusterModel
import ModelChecker
import NearNames
import ProcedureModel

/// mdlab model: the reference model of md-cluster.
struct ModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model",
        abstract: "The reference model of md-cluster: explore it, read it, change it.",
        subcommands: [
            ModelCheckCommand.self,
            ModelShowCommand.self,
            ModelSimulateCommand.self,
            ModelExploreCommand.self,
            ModelMutateCommand.self,
            ModelExportCommand.self,
            ModelExtractCommand.self,
            ModelDiffCommand.self,
            ModelMutateSourceCommand.self,
        ])
}

/// What every command about the model takes.
struct ModelOptions: ParsableArguments {
    @Option(help: "The version of md-cluster; 'mdlab model show' lists them.")
    var variant = "v5.11"
    @Option(name: .customLong("nodes"), help: "Number of nodes, 2 to 4. Without it what a variant needs, else 2.")
    var nodesAsked: Int?
    @Option(
        name: .customLong("workload"),
        help: ArgumentHelp(
            "What the nodes do: \(Workload.operationNames.joined(separator: ", ")).",
            discussion:
                "fail,remove: every node fails its device and then removes it. fail/resync: node 1 fails its device while node 2 resyncs. Without it: fail, or for a broken variant what shows its fault."
        ))
    var workloadAsked: String?
    @Option(help: "Leave out these rules, such as I10 or I12.rest; 'mdlab model show' lists them. May be given again.")
    var without: [String] = []
    @Flag(help: "Check too that the system can always come to rest: nothing runs in circles for ever.")
    var rest = false
    @Flag(help: "Count states that differ only by the names of nodes with equal work as one.")
    var symmetry = false
    @Flag(help: "Take steps that only their own node can notice together: fewer states, the same verdict.")
    var reduction = false

    @Flag(help: "Print every step of a bad run, a column for each thread; else what fits the terminal.")
    var wide = false

    private var trial: Variant.Trial? { Variants.all.first { $0.name == variant }?.trial }
    var nodes: Int { nodesAsked ?? trial?.nodes ?? 2 }
    var workload: String { workloadAsked ?? trial?.workload ?? "fail" }

    func program() throws -> Program {
        var program = try MDCluster.program(variant: variant, nodes: nodes, workload: Workload(workload, nodes: nodes))
        for id in without {
            let known = program.ruleNames
            guard program.removeRules(RuleID(id)) else {
                throw ModelError.unknownRule(
                    id, near: NameSuggestions.of(id, among: known.map { "\($0.id)" }))
            }
        }
        program.mustComeToRest = rest
        return program
    }

    /// Where every step is to be seen, nothing is reduced.
    func machine(reduction isWanted: Bool = true) throws -> Machine {
        try Machine(try program(), symmetry: symmetry, reduction: reduction && isWanted)
    }

    func write(_ run: Counterexample, of machine: Machine, verdict: String, json: String?, svg: String?) throws {
        if let json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            let document = machine.document(of: run, variant: variant, workload: workload, verdict: verdict)
            try ModelFile.write(encoder.encode(document), to: json)
        }
        if let svg { try ModelFile.write(Data(SwimLanes(machine, run).svg.utf8), to: svg) }
    }
}

enum ModelFile {
    static func write(_ data: Data, to path: String) throws {
        do {
            try data.write(to: URL(fileURLWithPath: path))
        } catch {
            throw ModelFileError.cannotWrite(path: path)
        }
    }
}
