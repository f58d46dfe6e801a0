// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Foundation
import MDClusterModel
import ModelChecker
import ProcedureModel

/// mdlab model: the reference model of md-cluster.
struct ModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model",
        abstract: "The reference model of md-cluster: explore it, read it, change it.",
        subcommands: [
            ModelCheckCommand.self,
            ModelShowCommand.self,
        ])
}

/// What every command about the model takes.
struct ModelOptions: ParsableArguments {
    @Option(help: "The version of md-cluster; 'mdlab model show' lists them.")
    var variant = "v5.11"
    @Option(help: "Number of nodes, 2 to 4.")
    var nodes = 2
    @Option(
        help: ArgumentHelp(
            "What the nodes do: \(Workload.operationNames.joined(separator: ", ")).",
            discussion: "fail,remove: every node fails its device and then removes it. fail/resync: node 1 fails its device while node 2 resyncs."))
    var workload = "fail"

    func program() throws -> Program {
        try MDCluster.program(variant: variant, nodes: nodes, workload: Workload(workload, nodes: nodes))
    }
}
