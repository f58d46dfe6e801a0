// SPDX-License-Identifier: GPL-2.0
import Comparison
import Foundation
import RunRecord

/// What a comparison says, in words: one screen.
enum ComparisonWording {
    static func word(_ answer: ModelComparison.Answer) -> String {
        switch answer {
        case .conforms: "conforms"
        case .doesNotConform: "does not conform"
        case .notDecided: "not decided"
        }
    }

    /// One line for a run among many.
    static func line(_ comparison: ModelComparison, folder: String) -> String {
        let figures = comparison.figures
        let events = "\(figures.matched) of \(figures.compared) events"
        let detail =
            switch comparison.answer {
            case .conforms: ""
            case .doesNotConform(let mismatch): ": " + (mismatch.event.map(sentence) ?? "")
            case .notDecided(let doubts): ": " + doubts.map(text).joined(separator: "; ")
            }
        return
            "\(word(comparison.answer))  \(folder)  \(comparison.variant)  \(events), \(figures.states) states\(detail)"
    }

    static func report(_ comparison: ModelComparison, _ seen: Observation, _ run: RunDescription) -> String {
        if case .doesNotConform(let mismatch) = comparison.answer {
            return Screen.mismatch(comparison, mismatch, seen, run)
        }
        let figures = comparison.figures
        let kernel = run.kernelRelease + (run.variant.map { " \($0)" } ?? "")
        var lines = [
            "\(word(comparison.answer))  \(run.scenario), kernel \(kernel), with the model \(comparison.variant)"
        ]
        if case .notDecided(let doubts) = comparison.answer { lines += doubts.map { "  \(text($0))" } }
        lines.append(
            "  events     \(figures.events) recorded, \(figures.compared) compared, \(figures.matched) matched")
        for (rule, count) in figures.ignored.sorted(by: { $0.value > $1.value }) {
            lines.append("             \(count) ignored: \(rule.rawValue)")
        }
        lines.append(
            "  model      \(figures.hiddenSteps) steps that leave no event; \(figures.steps.count) of \(figures.allSteps) "
                + "steps of its text taken")
        lines += (Screen.messages(figures) + Screen.unobserved(seen)).flatMap { Screen.fold($0, indent: 13) }
        lines.append("  search     \(figures.states) states, \(max(1, figures.bytes >> 20)) MiB")
        return lines.joined(separator: "\n")
    }

    static func sentence(_ event: Mismatch.Event) -> String {
        "\(event.node) \(event.comm)-\(event.pid) at \(Screen.clock(event.time)): \(event.label)"
    }

    static func text(_ doubt: ModelComparison.Doubt) -> String {
        switch doubt {
        case .noTrace(let node): "\(node) has no trace that can be read: record the run again"
        case .noArray: "no trace has a lock of a clustered array: nothing to compare"
        case .severalArrays: "the traces show several clustered arrays: compare runs with one"
        case .lostEvents(let node, let count, let index, let time):
            "\(node) lost \(count == 0 ? "some" : String(count)) events before event \(index) at \(Screen.clock(time)): what follows is not compared; "
                + "record with a larger buffer"
        case .begun(let node, let index):
            "the trace of \(node) begins in the middle: event \(index) answers a request that is not in it; record from the "
                + "array's creation"
        case .tooManyProcesses(let count):
            "\(count) processes of a node are inside md at once: more than the search can follow"
        case .tooManyNodes(let count): "\(count) nodes: the model has 2 to 4"
        case .died(let node):
            "\(node) died, and what it did in its last 50 ms may be missing: without it there is no run; record the run again"
        case .noModel(let kernel): "no variant of the model was made for kernel \(kernel): name one with --variant"
        case .otherKernel(let node, let log, let record):
            "run.json says kernel \(record), but the kernel log of \(node) is of \(log): these files are not of one run"
        case .unfinished(let ending):
            "the run was cut off (\(ending.rawValue)), and what came behind its last event is not known: run it to its end"
        case .unended(let node):
            "\(node) did not answer when its trace was ended, so its last events may be missing: record the run again"
        case .unnamed(let node, let pid):
            "the trace of \(node) has no name for thread \(pid), which takes part: run it to its end"
        case .unmarked(let node, let what, let count):
            "the tracer of \(node) left out events that the trace does not mark (\(count) \(what)): record the run again"
        case .damaged(let path): "\(path) of the record is damaged: record the run again"
        case .limit(let states): "the search gave up at \(states) states: allow more with --states"
        }
    }

    static func mapping() -> String {
        var lines = ["compared: an event of the trace, and the step of the model that it must be"]
        for row in Mapping.rows { lines.append("  \(row.event)\n      \(row.step)") }
        lines += endStateMapping()
        lines.append("ignored, and counted:")
        lines += IgnoredEvent.allCases.map { "  \($0.rawValue)" }
        lines.append("exact: " + Mapping.exact)
        lines.append("general: " + Mapping.general)
        return lines.joined(separator: "\n")
    }

    static func text(_ match: HangMatch, variant: String) -> String? {
        switch match {
        case .noHang: return nil
        case .noCycle(let lines):
            return
                (["  hang       no circle of waits, and no lost wake-up that the model has"]
                + lines.map { "    \($0)" })
                .joined(separator: "\n")
        case .deadlock(let signature, let deadlock):
            return """
                  hang       this is a deadlock of the model \(deadlock.variant): step \(deadlock.steps) of "\(deadlock.workload)" \
                on \(deadlock.nodes) nodes
                    \(signature)
                """
        case .notInModel(let signature, let searched):
            return """
                  hang       no such state in the model \(variant), which has \(searched.count) deadlocks here
                    \(signature)
                """
        case .notDecided(let signature, let states):
            return "  hang       not found in \(states) states of the model \(variant), which has more: \(signature)"
        }
    }
}
