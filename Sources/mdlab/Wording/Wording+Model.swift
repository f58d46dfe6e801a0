// SPDX-License-Identifier: GPL-2.0
import Foundation
import MDClusterModel
import ModelChecker
import ProcedureModel
import Reporting

extension ModelError: Worded {
    var line: String {
        switch self {
        case .unknownVariant(let name, let known):
            "there is no variant '\(name)' of the model; give one of \(known.joined(separator: ", "))"
        case .unknownOperation(let name, let known):
            "there is no operation '\(name)'; a workload is made of \(known.joined(separator: ", "))"
        case .unknownProcedure(let name, _):
            "the model has no procedure '\(name)'; 'mdlab model show' lists them"
        case .unknownRule(let id, let near):
            "the model has no rule '\(id)'" + (near.isEmpty ? "" : " (perhaps \(near.joined(separator: " or ")))")
                + "; 'mdlab model show' lists them"
        case .tooManyParts(let workload, let nodes):
            "workload '\(workload)' has more parts than there are nodes (\(nodes)); give --nodes or fewer parts"
        case .emptyWorkload(let known):
            "the workload is empty; it is made of \(known.joined(separator: ", "))"
        case .unsupportedNodes(let nodes):
            "the model has 2 to 4 nodes, not \(nodes); give --nodes 2"
        }
    }
    var exitCode: Int32 { Exit.usage }
}

extension MutationError: Worded {
    var line: String {
        switch self {
        case .theReferenceFails(let workloads):
            "the model without a fault is not right, so no fault can be told: "
                + workloads.sorted { $0.key < $1.key }.map { "\($0.key) \(ModelWording.verdict($0.value))" }.joined(
                    separator: "; ")
        }
    }
    var exitCode: Int32 { Exit.fail }
}

enum ModelFileError: Error {
    case cannotWrite(path: String)
}

extension ModelFileError: Worded {
    var line: String {
        switch self {
        case .cannotWrite(let path):
            "cannot write '\(path)'; give a file in a folder that exists and that you may write to"
        }
    }
    var exitCode: Int32 { Exit.usage }
}

extension CheckpointError: Worded {
    var line: String {
        switch self {
        case .cannotWrite(let path):
            "cannot write the checkpoint '\(path)'; give a file in a folder with room that you may write to"
        case .cannotRead(let path): "cannot read the checkpoint '\(path)'; give a file that --checkpoint has written"
        case .malformed(let path): "'\(path)' is no checkpoint, or is damaged; begin without --resume"
        case .ofAnotherSearch(let path):
            "'\(path)' is of another search; give the same variant, nodes, workload, rules and --workers as then"
        case .tooLarge(let path): "the checkpoint '\(path)' does not fit; give a larger --memory or --states"
        }
    }
    var exitCode: Int32 { Exit.usage }
}

extension ProgramError: Worded {
    var line: String {
        switch self {
        case .unknownName(let name, let kind, let procedure):
            "procedure \(procedure) uses the \(kind) '\(name)', which is not declared; declare it or correct the name"
        case .missingArgument(let name, let procedure):
            "procedure \(procedure) is called without its parameter '\(name)'; pass it"
        case .notAConstant(let expression, let procedure):
            "in procedure \(procedure), '\(expression)' must be known when it is compiled; pass it as a parameter"
        case .endlessWait(let procedure):
            "procedure \(procedure) has a wait that cannot end; give it a condition that can become true"
        case .blockingInAtomic(let procedure):
            "procedure \(procedure) waits in the middle of an atomic; only its first statement may wait"
        case .recursion(let procedure):
            "procedure \(procedure) calls itself; calls are inlined, so make it a loop"
        case .leaveOutsideLoop(let procedure):
            "procedure \(procedure) has a break outside a loop; remove it"
        case .tooManyValues(let name):
            "\(name) needs more values than there is room for; declare more values or use fewer"
        case .unsupported(let what, let procedure):
            "procedure \(procedure): \(what) is not supported; write it in simpler steps"
        }
    }
    var exitCode: Int32 { Exit.usage }
}

/// What the commands about the model say.
enum ModelWording {
    static func line(_ progress: ModelChecker.Progress) -> String {
        String(
            format: "%@ states, depth %d, %@ states/s, %@", count(progress.states), progress.depth,
            count(Int(Double(progress.states) / max(progress.seconds, 0.001))), memory(progress.bytes))
    }

    private static func settings(_ options: ModelOptions, _ machine: Machine) -> String {
        var parts = ["variant \(options.variant)", "\(options.nodes) nodes", "workload \(options.workload)"]
        if options.symmetry {
            parts.append(machine.usesSymmetry ? "nodes with equal work interchangeable" : "no two nodes alike")
        }
        if options.reduction { parts.append("unnoticed steps merged") }
        if !options.without.isEmpty { parts.append("without \(options.without.joined(separator: ", "))") }
        return parts.joined(separator: ", ")
    }

    static func report(_ result: SearchResult, machine: Machine, options: ModelOptions) -> String {
        var lines = [
            "\(settings(options, machine)): \(verdict(result.verdict))",
            String(
                format: "%@ states, %@ transitions, depth %d, %.2f s, %@ states/s, %.1f bytes a state (state: %d bits)",
                count(result.states), count(Int(result.transitions)), result.depth, result.seconds,
                count(Int(Double(result.states) / max(result.seconds, 0.001))), result.bytesPerState, machine.stateBits),
        ]
        let unused = machine.unusedSteps(result.coverage)
        if result.verdict == .holds, !unused.isEmpty {
            lines.append("\(unused.count) of \(machine.stepTexts) steps never taken:")
            lines += unused.map { "  \($0)" }
        }
        if let run = result.counterexample { lines += show(run, machine, options) }
        return text(lines, options)
    }

    private static func show(_ run: Counterexample, _ machine: Machine, _ options: ModelOptions) -> [String] {
        [
            "counterexample: \(run.steps.count) steps, \(run.actorSwitches) changes of thread"
                + (run.fewestSwitches ? " (no run as short has fewer)" : "")
        ] + CounterexampleText(machine, run, isWide: options.wide).lines
    }

    static func report(_ result: FingerprintSearch.Result, machine: Machine, options: ModelOptions) -> String {
        var lines = [
            "\(settings(options, machine)), fingerprints: \(verdict(result.verdict))",
            String(
                format: "%@ fingerprints, %@ transitions, depth %d, %.2f s, %@", count(result.states),
                count(Int(result.transitions)), result.depth, result.seconds, memory(result.bytes)),
            String(
                format: "the odds that a state was taken for another and missed: %.1e; another --seed asks again",
                result.omissionOdds),
        ]
        if let run = result.counterexample { lines += show(run, machine, options) }
        return text(lines, options)
    }

    static func report(_ result: DirectedSearch.Result, machine: Machine, options: ModelOptions) -> String {
        var lines = [String(format: "%@ states, %.2f s, nearest first", count(result.states), result.seconds)]
        switch result.outcome {
        case .found(let failure, let run):
            lines.insert("\(settings(options, machine)): \(verdict(.fails(failure)))", at: 0)
            lines += show(run, machine, options)
        case .nothing: lines.insert("\(settings(options, machine)): \(verdict(.holds))", at: 0)
        case .undecided(let reason):
            lines.insert("\(settings(options, machine)): \(verdict(.undecided(reason)))", at: 0)
        }
        return text(lines, options)
    }

    /// No wider than the terminal, unless somebody wants it wide.
    private static func text(_ lines: [String], _ options: ModelOptions) -> String {
        let columns = Terminal.columns(environment: ProcessInfo.processInfo.environment)
        let folded = lines.flatMap { line in
            options.wide ? [line] : CounterexampleText.folded(line, columns: columns, indent: 4)
        }
        return folded.joined(separator: "\n")
    }

    static func verdict(_ verdict: Verdict) -> String {
        switch verdict {
        case .holds: "holds: no deadlock, no rule broken, every state explored"
        case .fails(.deadlock): "FAILS: deadlock (I9)"
        case .fails(.invariant(let name)): "FAILS: \(name)"
        case .fails(.unreachable(let name)): "FAILS: never happens: \(name)"
        case .fails(.noProgress(let name)): "FAILS: can become impossible for ever: \(name)"
        case .undecided(let reason): "not decided: \(why(reason))"
        }
    }

    /// What became of a fault: one word, and the details.
    static func fate(_ fate: MutationTrial.Fate) -> (String, String) {
        switch fate {
        case .killed(let failure, let workload): ("killed", " (\(verdict(.fails(failure))) in \(workload))")
        case .survived: ("survived", "")
        case .stillborn: ("refused", " (does not compile)")
        case .notReached: ("not reached", " (no workload goes there)")
        case .harmless(let reason): ("harmless", " (\(reason))")
        case .equivalent(let states):
            ("equivalent", " (the same \(count(states)) values of variables, locks and mutexes, changing alike)")
        case .notBacked(let other):
            ("not backed", " (said to be harmless because of the step that '\(other)' leaves out; correct the reason)")
        }
    }

    static func stale(_ fault: MutantIdentity) -> String {
        "stale: \(fault) (no such fault goes unnoticed; remove its reason from HarmlessMutants.swift)"
    }

    private static func why(_ reason: Verdict.Reason) -> String {
        switch reason {
        case .states(let states): "the bound of \(count(states)) states was reached; give a larger --states"
        case .depth(let depth): "the bound of \(depth) steps was reached; give a larger --depth"
        case .seconds(let seconds): "the time of \(seconds) s was up; give a larger --seconds"
        case .memory(let bytes):
            "the \(memory(bytes)) for states were full; give a larger --memory or a smaller workload"
        case .interrupted: "interrupted"
        }
    }

    static func memory(_ bytes: Int) -> String { "\(bytes >> 20) MiB" }

    /// With a comma after each three digits.
    static func count(_ number: Int) -> String {
        let digits = Array(String(number))
        return String(
            digits.enumerated().flatMap { index, digit in
                index > 0 && (digits.count - index) % 3 == 0 ? [",", digit] : [digit]
            })
    }
}
