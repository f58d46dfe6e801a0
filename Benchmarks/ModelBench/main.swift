// SPDX-License-Identifier: GPL-2.0
import Foundation
import MDClusterModel
import ModelChecker
import ProcedureModel

// Compares the checker with SPIN in the same run, one core, exact, no reductions: two-phase commit, and the reference model
// exported to Promela. Ends with 1 if the numbers of states or the verdicts differ.
//
//     swift run -c release model-bench [--managers 8,9] [--workload fail] [--seconds 60]
//
// --seconds: how long a search of three nodes may take before it counts as not decided.

func value(_ name: String, _ standard: String) -> String {
    guard let index = CommandLine.arguments.firstIndex(of: name), index + 1 < CommandLine.arguments.count else {
        return standard
    }
    return CommandLine.arguments[index + 1]
}

var isGood = true

/// Each search is run so often, and the fastest run counts: the machine may be busy with something else.
let runs = 5

func fastest(_ system: any TransitionSystem) -> SearchResult {
    var best = Search(system).run()
    for _ in 1..<runs {
        let next = Search(system).run()
        if next.seconds < best.seconds { best = next }
    }
    return best
}

@MainActor func compare(_ title: String, _ own: SearchResult, _ promela: String) {
    print(title)
    func line(_ name: String, states: Int, seconds: Double, bytes: Double, verdict: String) {
        let rate = Double(states) / max(seconds, 0.001) / 1e6
        print(
            String(
                format: "  %-6@ %12d states  %8.2f s  %6.2f M states/s  %6.1f bytes a state  %@", name as NSString,
                states, seconds, rate, bytes, verdict))
    }
    let holds = own.verdict == .holds
    line(
        "mdlab", states: own.states, seconds: own.seconds, bytes: own.bytesPerState,
        verdict: holds ? "holds" : "\(own.verdict)")
    do {
        let spin = try Spin.run(promela, runs: runs)
        line(
            "SPIN", states: spin.states, seconds: spin.seconds, bytes: spin.bytesPerState,
            verdict: spin.errors == 0 ? "holds" : "fails")
        let ratio = (Double(own.states) / max(own.seconds, 0.001)) / (Double(spin.states) / max(spin.seconds, 0.001))
        print(
            String(
                format: "  states a second: %.1f times SPIN's; bytes a state: %.2f times SPIN's", ratio,
                own.bytesPerState / spin.bytesPerState))
        if holds, spin.states != own.states || spin.errors != 0 {
            print("  DIFFERENT: \(own.states) and \(spin.states) states")
            isGood = false
        }
        if !holds, spin.errors == 0 {
            print("  DIFFERENT verdicts")
            isGood = false
        }
    } catch Spin.Failure.missing(let program) {
        print("  SPIN was not run: there is no '\(program)'; install the packages spin and gcc")
        isGood = false
    } catch {
        print("  SPIN was not run: \(error)")
        isGood = false
    }
}

for text in value("--managers", "8,9").split(separator: ",") {
    guard let managers = Int(text), (1...9).contains(managers) else {
        print("--managers \(text): give numbers from 1 to 9, such as 8,9")
        exit(2)
    }
    let commit = fastest(TwoPhaseCommit(managers: managers, stateWords: 4))
    compare(
        "two-phase commit, \(managers) resource managers, 32-byte states", commit,
        twoPhaseCommitPromela(managers: managers))
}
guard let limit = Double(value("--seconds", "60")), limit > 0 else {
    print("--seconds: give a number above 0")
    exit(2)
}

let workload = value("--workload", "fail")
do {
    var program = try MDCluster.program(variant: "v5.11", nodes: 2, workload: Workload(workload, nodes: 2))
    // What holds at rest is not exported.
    program.rules.removeAll { $0.kind == .atEnd }
    let machine = try Machine(program)
    compare("v5.11, 2 nodes, workload \(workload)", fastest(machine), PromelaExport(machine).text)
} catch {
    print("--workload \(workload): \(error)")
    exit(2)
}

/// Every variant's known fault, and the reference without one.
@MainActor func tryVariants() throws {
    print("variants")
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
                trial.nodes,
                trial.workload as NSString, result.states, result.seconds, result.counterexample?.steps.count ?? 0,
                isKnown ? "its known fault" : "DIFFERENT: \(result.verdict)"))
    }
    print("reference, 2 nodes, every single operation on both")
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
}

/// Three nodes, of which one, two or all do something, with all reductions.
@MainActor func tryThreeNodes() throws {
    print("reference, 3 nodes, reduced, two workers, at most \(limit) s each")
    for operation in ["fail", "grow", "stop", "resync", "remove", "re-add", "add"] {
        for workload in ["\(operation)//", "\(operation)/\(operation)/", operation] {
            let program = try MDCluster.program(variant: "v5.11", nodes: 3, workload: Workload(workload, nodes: 3))
            let machine = try Machine(program, symmetry: true, reduction: true)
            let result = Search(machine, bounds: Bounds(seconds: limit, bytes: 12 << 30), workers: 2).run()
            print(
                String(
                    format: "  %-18@ %10d states  %8.2f s  %6d MiB  %@", workload as NSString, result.states,
                    result.seconds, result.bytes >> 20, "\(result.verdict)"))
        }
    }
}

do {
    try tryVariants()
    try tryThreeNodes()
} catch {
    print("the variants could not be tried: \(error)")
    isGood = false
}
exit(isGood ? 0 : 1)
