// SPDX-License-Identifier: GPL-2.0
import Foundation
import MDClusterModel
import ModelChecker
import ProcedureModel

// Compares the checker with SPIN in the same run, one core each, exact, no reductions: two-phase commit, and the
// reference model exported to Promela. Then what the model finds. Ends with 1 if the numbers of states or the verdicts
// differ.
//
//     swift run -c release model-bench [--managers 8,9] [--rounds 3] [--workload fail] [--seconds 90] [--only commit]
//
// --seconds: how long a search of three nodes may take before it counts as not decided.
// --only: one of commit, export, variants, nodes.

func value(_ name: String, _ standard: String) -> String {
    guard let index = CommandLine.arguments.firstIndex(of: name), index + 1 < CommandLine.arguments.count else {
        return standard
    }
    return CommandLine.arguments[index + 1]
}

func number(_ name: String, _ standard: String, _ example: String) -> Double {
    guard let number = Double(value(name, standard)), number > 0 else {
        print("\(name): give a number above 0, such as \(example)")
        exit(2)
    }
    return number
}

let parts = ["commit", "export", "variants", "nodes"]
let only = value("--only", "")
guard only.isEmpty || parts.contains(only) else {
    print("--only \(only): give one of \(parts.joined(separator: ", "))")
    exit(2)
}
let rounds = Int(number("--rounds", "3", "3"))
let limit = number("--seconds", "90", "90")
let managers = value("--managers", "8,9").split(separator: ",").map { Int($0) ?? 0 }
guard managers.allSatisfy({ (1...9).contains($0) }) else {
    print("--managers: give numbers from 1 to 9, such as 8,9")
    exit(2)
}
var isGood = true

@MainActor func compare(_ title: String, _ system: any TransitionSystem, _ promela: String) throws {
    do {
        let result = try Rounds(rounds, of: system, promela: promela)
        result.print(title)
        guard !result.agree else { return }
        print("  DIFFERENT states or verdicts")
    } catch Spin.Failure.missing(let program) {
        print("\(title): SPIN was not run: there is no '\(program)'; install the packages spin and gcc")
    }
    isGood = false
}

do {
    if only.isEmpty || only == "commit" {
        for count in managers {
            try compare(
                "two-phase commit, \(count) resource managers, 32-byte states",
                TwoPhaseCommit(managers: count, stateWords: 4), twoPhaseCommitPromela(managers: count))
        }
    }
    if only.isEmpty || only == "export" {
        let workload = value("--workload", "fail")
        var program = try MDCluster.program(variant: "v5.11", nodes: 2, workload: Workload(workload, nodes: 2))
        // What holds at rest is not exported.
        program.rules.removeAll { $0.kind == .atEnd }
        let machine = try Machine(program)
        try compare("v5.11, 2 nodes, workload \(workload)", machine, PromelaExport(machine).text)
    }
    if only.isEmpty || only == "variants", try !Tables.variants() { isGood = false }
    if only.isEmpty || only == "nodes", try !Tables.threeNodes(seconds: limit) { isGood = false }
} catch {
    print("the bench could not go on: \(error)")
    exit(125)
}
exit(isGood ? 0 : 1)
