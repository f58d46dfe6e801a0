// SPDX-License-Identifier: GPL-2.0
import Foundation
import MDClusterModel
import ModelChecker
import ProcedureModel

/// Searches without a comparison: what the model is there for. Each says whether it went as it should.
enum Tables {
    /// Every variant's known fault, and two nodes that do every single operation.
    static func variants() throws -> Bool {
        var isGood = true
        print("variants, nothing reduced")
        for variant in Variants.all {
            guard let trial = variant.trial else { continue }
            let program = try MDCluster.program(
                variant: variant.name, nodes: trial.nodes, workload: Workload(trial.workload, nodes: trial.nodes))
            let result = Search(try Machine(program)).run()
            let isKnown: Bool
            switch result.verdict {
            case .fails(.deadlock): isKnown = trial.fault == "deadlock"
            case .fails(.invariant(let rule)): isKnown = rule.hasPrefix(trial.fault)
            default: isKnown = false
            }
            if !isKnown { isGood = false }
            print(
                String(
                    format: "  %-20@ %d nodes  %-24@ %9d states  %6.2f s  %3d steps  %@", variant.name as NSString,
                    trial.nodes, trial.workload as NSString, result.states, result.seconds,
                    result.counterexample?.steps.count ?? 0,
                    isKnown ? "its known fault" : "DIFFERENT: \(result.verdict)"))
        }
        print("reference, 2 nodes, every single operation on both, nothing reduced")
        var seconds = 0.0
        for operation in Workload.operationNames {
            let program = try MDCluster.program(variant: "v5.11", nodes: 2, workload: Workload(operation, nodes: 2))
            let result = Search(try Machine(program)).run()
            seconds += result.seconds
            if result.verdict != .holds { isGood = false }
            print(
                String(
                    format: "  %-14@ %9d states  %6.2f s  %@", operation as NSString, result.states, result.seconds,
                    "\(result.verdict)"))
        }
        print(String(format: "  in all %.1f s", seconds))
        return isGood
    }

    /// Three nodes, of which one, two or all do something, with all reductions; a search that takes longer counts as not
    /// decided.
    static func threeNodes(seconds limit: Double) throws {
        print("reference, 3 nodes, reduced, two workers, at most \(Int(limit)) s each")
        for operation in ["fail", "grow", "stop", "resync", "remove", "re-add", "add"] {
            for workload in ["\(operation)//", "\(operation)/\(operation)/", operation] {
                let program = try MDCluster.program(variant: "v5.11", nodes: 3, workload: Workload(workload, nodes: 3))
                let machine = try Machine(program, symmetry: true, reduction: true)
                let before = Rounds.processorSeconds()
                let result = Search(machine, bounds: Bounds(seconds: limit, bytes: 12 << 30), workers: 2).run()
                print(
                    String(
                        format: "  %-18@ %10d states  %8.2f s (%8.2f s of processor time)  %6d MiB  %@",
                        workload as NSString, result.states, result.seconds,
                        Rounds.processorSeconds() - before, result.bytes >> 20, "\(result.verdict)"))
            }
        }
    }
}
