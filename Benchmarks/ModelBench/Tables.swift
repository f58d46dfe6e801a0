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
                    isKnown ? "its known fault" : "DIFFERENT: \(text(result.verdict))"))
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
                    text(result.verdict)))
        }
        print(String(format: "  in all %.1f s", seconds))
        return isGood
    }

    /// Three nodes that all do an operation, with all reductions; a search that takes longer counts as not decided. A
    /// rule that is found broken, as docs/findings.md says, is left out then, so that every operation is explored to
    /// its end.
    static func threeNodes(seconds limit: Double) throws -> Bool {
        print("reference, 3 nodes, every single operation on all, reduced, two workers, at most \(Int(limit)) s each")
        let start = Rounds.processorSeconds()
        let begin = Date()
        var isGood = true
        for operation in Workload.operationNames {
            var program = try MDCluster.program(variant: "v5.11", nodes: 3, workload: Workload(operation, nodes: 3))
            var without: [String] = []
            var verdict = Verdict.undecided(.interrupted)
            repeat {
                if case .fails(.invariant(let name)) = verdict {
                    // As `--without I10` does.
                    guard let group = program.rules.first(where: { $0.name == name })?.id.parts.first else { break }
                    without.append(String(group))
                    _ = program.removeRules(RuleID(String(group)))
                }
                let machine = try Machine(program, symmetry: true, reduction: true)
                let before = Rounds.processorSeconds()
                let result = Search(machine, bounds: Bounds(seconds: limit, bytes: 12 << 30), workers: 2).run()
                verdict = result.verdict
                print(
                    String(
                        format: "  %-14@ %10d states  %7.2f s  (%7.2f s of processor time)  %5d MiB  %@",
                        operation as NSString, result.states, result.seconds, Rounds.processorSeconds() - before,
                        result.bytes >> 20,
                        text(verdict) + (without.isEmpty ? "" : ", without \(without.joined(separator: ", "))")))
                // What was found is there when the next search is given up.
                fflush(nil)
            } while isBrokenRule(verdict, of: program)
            // A search that was given up says nothing against the model.
            if case .fails = verdict { isGood = false }
        }
        print(
            String(
                format: "  in all %.0f s, %.0f s of processor time", Date().timeIntervalSince(begin),
                Rounds.processorSeconds() - start))
        return isGood
    }

    /// A rule of the list, not one that a procedure requires.
    private static func isBrokenRule(_ verdict: Verdict, of program: Program) -> Bool {
        guard case .fails(.invariant(let name)) = verdict else { return false }
        return program.rules.contains { $0.name == name }
    }

    private static func text(_ verdict: Verdict) -> String {
        switch verdict {
        case .holds: "holds"
        case .fails(.deadlock): "deadlock"
        case .fails(.invariant(let name)): "broken: \(name)"
        case .fails(let failure): "fails: \(failure)"
        case .undecided(let reason): "not decided: \(reason)"
        }
    }
}
