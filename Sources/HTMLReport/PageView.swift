// SPDX-License-Identifier: GPL-2.0
import ProtocolTrace
import RunRecord
import Validation

/// What the template names.
struct PageView {
    struct Stage {
        var name: String
        var word: String
        var wordClass: String
        var seconds: String
        var lines: [String]
    }
    struct File {
        var path: String
        var lines: [Line]
    }
    struct Line {
        var number: String
        var mark: String
        var text: String
        var state: String
        var stateClass: String
    }
    struct Run {
        var kernel: String
        var scenario: String
        var word: String
        var wordClass: String
        var seconds: String
        var reason: String
    }
    struct Check {
        var name: String
        var word: String
        var wordClass: String
        var lines: [String]
    }
    struct Detector {
        var name: String
        var reason: String
    }
    struct Record {
        var id: String
        var index: Int
        var name: String
        var word: String
        var wordClass: String
        var reason: String
        var checks: [Check]
        var off: [Detector]
        var hasOff: Bool
        var waits: [String] = []
        var hasWaits = false
        var hasTimeline = false
    }

    var title = ""
    var word = ""
    var wordClass = ""
    var sentence = ""
    var about = ""
    var next: [String] = []
    var hasNext = false
    var why: [String] = []
    var hasWhy = false
    var stages: [Stage] = []
    var hasStages = false
    var files: [File] = []
    var hasPatch = false
    var ran = 0
    var neverRan = 0
    var runs: [Run] = []
    var hasRuns = false
    var records: [Record] = []
    var version = ""
    var source = ""
    var style = ""
    var script = ""
    var data = ""

    init(_ recorded: [(recording: Recording, verdict: Verdict)], _ validation: ValidationReport?) {
        records = recorded.enumerated().map { Self.record($1.verdict, index: $0) }
        if let validation {
            take(validation)
        } else if let worst = recorded.map(\.verdict).min(by: { $0.word < $1.word }) {
            (word, wordClass) = (worst.word.rawValue, Self.colour(worst.word.rawValue))
            (sentence, title) = (worst.reason, worst.scenario)
            if sentence.isEmpty { sentence = "\(worst.scenario): every check holds" }
            about = "\(recorded.count) \(recorded.count == 1 ? "run" : "runs"), kernel \(worst.kernelRelease)"
            next = Self.advice(worst.word)
        }
        hasNext = !next.isEmpty
        source = records.map(\.name).joined(separator: ", ")
    }

    private mutating func take(_ report: ValidationReport) {
        (word, wordClass) = (report.word.rawValue, Self.colour(report.word.rawValue))
        (sentence, title) = (report.sentence, report.patches.first ?? "validation")
        about = "kernel \(report.kernel); " + report.patches.joined(separator: "; ")
        (next, why, hasWhy) = (report.next, report.why, !report.why.isEmpty)
        stages = report.stages.map {
            Stage(
                name: $0.name.rawValue, word: $0.word.rawValue, wordClass: Self.colour($0.word.rawValue),
                seconds: Self.seconds($0.seconds), lines: $0.lines)
        }
        hasStages = !stages.isEmpty
        files = Dictionary(grouping: report.changed, by: \.file).sorted { $0.key < $1.key }.map { path, lines in
            File(path: path, lines: lines.map(Self.line))
        }
        hasPatch = !files.isEmpty
        ran = report.changed.count { $0.state == .ran }
        neverRan = report.changed.count { $0.state == .neverRan }
        runs =
            report.runs.map { Self.run($0, kernel: "with the patch") }
            + report.baseline.map { Self.run($0, kernel: "without it") }
        hasRuns = !runs.isEmpty
    }

    private static func line(_ line: ValidationReport.ChangedLine) -> Line {
        let (mark, style) =
            switch line.state {
            case .ran: ("●", "ran")
            case .neverRan: ("○", "never")
            case .noCode, .usedElsewhere: (" ", "none")
            }
        let state = line.count.map { "ran \($0) times" } ?? line.state.rawValue
        return Line(
            number: "\(line.line)", mark: mark, text: (line.removed ? "- " : "+ ") + line.text, state: state,
            stateClass: style)
    }

    private static func run(_ run: RunOutcome, kernel: String) -> Run {
        var reason = run.word == .pass ? "" : run.reason
        switch run.comparison {
        case .conforms: reason += reason.isEmpty ? "as the model" : ""
        case .differs(_, let text): reason += " not in the model: \(text)"
        case .notDecided(let why): reason += " not compared: \(why)"
        }
        return Run(
            kernel: kernel, scenario: run.scenario, word: run.word.rawValue, wordClass: colour(run.word.rawValue),
            seconds: seconds(run.seconds), reason: reason)
    }

    private static func record(_ verdict: Verdict, index: Int) -> Record {
        let checks = verdict.checks.map { check in
            Check(
                name: check.name, word: check.answer.rawValue, wordClass: colour(check.answer.rawValue),
                lines: check.findings.flatMap { [$0.text] + $0.details } + check.seen)
        }
        let off = verdict.detectorsOff.sorted { $0.key < $1.key }.map { Detector(name: $0.key, reason: $0.value) }
        return Record(
            id: "record-\(index)", index: index,
            name: verdict.scenario + (verdict.variant.map { "@\($0)" } ?? ""), word: verdict.word.rawValue,
            wordClass: colour(verdict.word.rawValue), reason: verdict.reason, checks: checks, off: off,
            hasOff: !off.isEmpty)
    }

    private static func seconds(_ seconds: Double) -> String { "\((seconds * 10).rounded() / 10)" }

    /// The class of a word: good, bad, or open.
    private static func colour(_ word: String) -> String {
        switch word {
        case "PASS", "holds", "XFAIL": "pass"
        case "FAIL", "fails": "fail"
        default: "open"
        }
    }

    private static func advice(_ word: VerdictWord) -> [String] {
        switch word {
        case .fail: ["look at the failing check below, and at the messages before it"]
        case .userSpace: ["a program of the nodes failed by itself: look at the step's output in events.ndjson"]
        case .error: ["correct the scenario, or report the fault of the tool"]
        case .miss: ["run it again: the lab failed, and nothing is said about the kernel"]
        case .skip, .xfail, .pass: []
        }
    }
}
