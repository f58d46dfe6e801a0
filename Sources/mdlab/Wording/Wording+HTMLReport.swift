// SPDX-License-Identifier: GPL-2.0
import Comparison
import Foundation
import HTMLReport
import ProtocolTrace
import RunRecord
import Validation

extension ReportPage.Failure: Worded {
    var line: String {
        switch self {
        case .template(let name, let reason):
            "the template '\(name)' of the report is broken (\(reason)); build mdlab again"
        case .data(let reason):
            "the report's numbers cannot be written (\(reason)); judge the run again with mdlab check"
        }
    }
    var exitCode: Int32 { Exit.untestable }
}

/// What a report of records says beside what is recorded.
enum ReportWording {
    static func sentence(_ words: [VerdictWord]) -> String {
        let counts = VerdictWord.allCases.compactMap { word in
            let count = words.count { $0 == word }
            return count == 0 ? nil : "\(count) \(word.rawValue)"
        }
        return "\(words.count) runs: " + counts.joined(separator: ", ")
    }

    /// What to do next, the most urgent first.
    static func advice(_ runs: [(folder: String, verdict: Verdict, comparison: ReportDocument.Stage?)]) -> [String] {
        var lines: [String] = []
        func add(_ line: String) { if !lines.contains(line) { lines.append(line) } }
        for (folder, verdict, _) in runs {
            switch verdict.word {
            case .fail:
                let failing = verdict.checks.failing.first
                if failing?.name == "no-hang" {
                    add("Look at the cycle of waits below: each box waits for the next. Break it at one of its arrows.")
                } else if let failing {
                    add("Look at the findings of \"\(failing.name)\" below, and at their events in the timeline.")
                }
                add("See whether the unpatched kernel does the same: run the same scenario without the patch.")
            case .error: add("Correct the scenario or the command: the reason above says where.")
            case .userSpace: add("mdadm failed by itself: look at its message; the kernel refused it nothing.")
            case .miss: add("This run says nothing of the kernel: run it again (\(folder)).")
            case .skip: add("Nothing ran: the reason above says what it needs.")
            case .xfail, .pass: break
            }
        }
        if runs.contains(where: { $0.comparison?.word == "does not conform" }) {
            add("A run is no behaviour of the reference model: mdlab compare RUN shows the event.")
        }
        if lines.isEmpty {
            add(
                runs.contains { $0.verdict.word == .xfail }
                    ? "Nothing: the broken kernel failed as it had to."
                    : "Read below what was not covered before you rely on it.")
        }
        return lines
    }

    /// - Parameter calls: nil when no trace can show the function.
    static func calls(of function: String, calls: Int?) -> String {
        switch calls {
        case nil:
            "no trace shows \(function): it was not called, or it has no probe, or the compiler put it into its callers"
        case 0?: "\(function) had a probe and was never called"
        case let count?: "\(function) was called \(count) times"
        }
    }

    /// What the reference model says of a run.
    static func stage(_ run: RunComparison) -> ReportDocument.Stage {
        let (comparison, figures) = (run.comparison, run.comparison.figures)
        var text = "\(figures.matched) of \(figures.compared) events are those of the model \(comparison.variant)"
        var word = "does not conform"
        switch run.answer {
        case .conforms: word = "conforms"
        case .notDecided(let doubts):
            word = "not decided"
            text += ": " + doubts.map(ComparisonWording.text).joined(separator: "; ")
        case .event(let mismatch):
            if let event = mismatch.event { text += "; not in the model: \(ComparisonWording.sentence(event))" }
        case .goesOn(let threads): text += ", and it \(MatrixWording.goesOn(threads))"
        case .hang: text += "; it hangs, and the model does not"
        case .endState: text += "; its end state is not"
        }
        let report = ComparisonWording.report(
            comparison, Observation(comparison, run.endState, run.recording.description), run.recording.description)
        let hang = ComparisonWording.text(run.hang, variant: comparison.variant) ?? ""
        let details = [report, ComparisonWording.text(run.endState), hang].filter { !$0.isEmpty }.flatMap {
            $0.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        }
        return ReportDocument.Stage("the reference model", word: word, text: text, details: details)
    }

    /// The same of a run that a validation has compared.
    static func stage(_ outcome: ComparisonOutcome) -> ReportDocument.Stage {
        let (word, text) =
            switch outcome {
            case .conforms: ("conforms", "every event and the end state are the model's")
            case .differs(_, let text): ("does not conform", text)
            case .notDecided(let reason): ("not decided", reason)
            }
        return ReportDocument.Stage("the reference model", word: word, text: text)
    }

    /// The model's run into a deadlock beside what the kernels did.
    static func counterexample(_ deadlock: HangMatch.ModelDeadlock, _ run: ReportRun) -> ReportCounterexample {
        ReportCounterexample(
            "The same deadlock in the model \(deadlock.variant): step \(deadlock.steps) of \"\(deadlock.workload)\" on "
                + "\(deadlock.nodes) nodes; its nodes may have other numbers",
            steps: deadlock.course.map {
                .init(
                    $0.numbers.lowerBound, thread: $0.thread,
                    text: $0.texts.joined(separator: "; ") + ($0.hidden > 0 ? " (+\($0.hidden) tests and jumps)" : ""))
            }, end: deadlock.situation.split(separator: "\n").map(String.init), kernel: course(of: run), run: run.id)
    }

    /// What the kernels began and never ended, in order, and how its threads then stood.
    private static func course(of run: ReportRun) -> [String] {
        let timeline = run.timeline
        var begun: [(time: Int64, text: String)] = timeline.slices.filter { $0.end == nil }.map { slice in
            let lane = timeline.lanes[slice.lane]
            return (slice.start, "\(lane.node) \(lane.name) enters \(slice.name) and does not return")
        }
        begun += timeline.bars.filter { $0.isWaiting && $0.end == nil }.map { bar in
            let lane = timeline.lanes[bar.lane], thread = timeline.lanes[timeline.events[bar.event].lane]
            return (
                bar.start, "\(thread.node) \(thread.name) asks for \(lane.name) \(bar.mode), which is never granted"
            )
        }
        let steps = begun.sorted { $0.time < $1.time }.suffix(24).map {
            String(format: "%.3f ms: ", Double($0.time) / 1e6) + $0.text
        }
        let waits = run.hangs.flatMap(\.waiters).map { "\($0.thread) waits for \($0.waitsFor)" }
        return steps + waits
    }

    /// What nobody looked at in these runs.
    static func gaps(
        _ recordings: [Recording], _ verdicts: [Verdict], hasPatch: Bool, compares: Bool
    ) -> [ReportDocument.Gap] {
        var gaps: [ReportDocument.Gap] = []
        if hasPatch {
            gaps.append(.init("Which changed lines ran is not in this page.", wouldCover: "mdlab validate PATCH"))
        }
        let undecided = Set(verdicts.flatMap(\.checks).filter { $0.answer == .notDecided }.map(\.name)).sorted()
        if !undecided.isEmpty {
            let names = undecided.joined(separator: ", ")
            gaps.append(.init("Checks that were not decided: \(names).", wouldCover: "another run"))
        }
        if !compares {
            gaps.append(.init("The reference model: the runs were not compared.", wouldCover: "mdlab compare RUN"))
        }
        let stock = Set(recordings.flatMap(\.description.modules).filter(\.stock).map(\.name)).sorted()
        if !stock.isEmpty {
            gaps.append(
                .init(
                    "Functions that the compiler put into their callers, in \(stock.joined(separator: ", ")): these "
                        + "are the distribution's own modules.", wouldCover: "a run without --stock"))
        }
        let kernels = Set(recordings.map(\.description.kernelRelease)).sorted()
        gaps.append(
            .init(
                "Every kernel but \(kernels.joined(separator: ", ")), and every other scenario.",
                wouldCover: "mdlab run --kernel K"))
        return gaps
    }

    static func text(_ part: MissingPart) -> String {
        switch part.why {
        case .absent: "\(part.path) is not there"
        case .unreadable(let reason): "\(part.path) cannot be read: \(reason)"
        case .notUnderstood(let line): "\(part.path) is damaged" + (line.map { " in line \($0)" } ?? "")
        case .incomplete(let error): "\(part.path): \(error.line)"
        case .stillWritten: "\(part.path): the run still goes on"
        case .trace(let error): error.line
        case .rules(let error): error.line
        }
    }
}
