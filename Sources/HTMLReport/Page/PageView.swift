// SPDX-License-Identifier: GPL-2.0
import Foundation

/// A document as the templates read it: every value is a stored property, since Mustache finds them by reflection. A
/// template that means the innermost value only begins its name with a point.
struct PageView {
    struct Pair {
        var name: String
        var value: String
    }
    struct Word {
        var word: String
        /// The class of its colour: good, bad, open, note.
        var tone: String
        init(_ word: String) {
            self.word = word
            tone =
                switch word {
                case "PASS", "holds", "conforms", "agrees": "good"
                case "FAIL", "fails", "does not conform": "bad"
                case "XFAIL", "SKIP": "note"
                default: "open"
                }
        }
    }
    struct Stage {
        var name: String
        var verdict: Word
        var time: String?
        var text: String?
        var hasDetails: Bool
        var details: [String]
        init(_ stage: ReportDocument.Stage) {
            (name, verdict, details) = (stage.name, Word(stage.word), stage.details)
            time = stage.seconds.map(PageView.seconds)
            text = stage.text.isEmpty ? nil : stage.text
            hasDetails = !stage.details.isEmpty
        }
    }
    struct Side {
        var verdict: Word
        var sentence: String
        var link: String?
    }
    struct BothSides {
        var name: String
        var unpatched: Side
        var patched: Side
        var meaning: String
    }
    struct Gap {
        var text: String
        var cover: String?
    }
    struct Link {
        var target: String
        var name: String
    }
    struct Example {
        var title: String
        var steps: [ReportCounterexample.Step]
        var end: [String]
        var hasKernel: Bool
        var kernel: [String]
        var link: String?
    }

    var title: String
    var verdict: Word
    var sentence: String
    var reasons: [String]
    var hasAdvice: Bool
    var advice: [String]
    var facts: [Pair]
    var contents: [Link]
    var hasStages: Bool
    var stages: [Stage]
    var patch: PatchView?
    var hasBaseline: Bool
    var baseline: [BothSides]
    var runs: [RunView]
    var hasExamples: Bool
    var examples: [Example]
    var hasGaps: Bool
    var gaps: [Gap]
    var hasDetectors: Bool
    var detectors: [Pair]
    var data = ""
    var style = ""
    var script = ""
    var nonce = ""

    init(_ document: ReportDocument) {
        (title, verdict, sentence) = (document.title, Word(document.word), document.sentence)
        (reasons, advice, hasAdvice) = (document.reasons, document.advice, !document.advice.isEmpty)
        facts = document.facts.map { Pair(name: $0.name, value: $0.value) }
        stages = document.stages.map(Stage.init)
        hasStages = !stages.isEmpty
        patch = document.patch.map { PatchView($0) }
        let names = Set(document.runs.map(\.id))
        func link(_ id: String?) -> String? { id.flatMap { names.contains($0) ? $0 : nil } }
        func side(_ side: ReportDocument.BaselinePair.Side) -> Side {
            Side(verdict: Word(side.word), sentence: side.sentence, link: link(side.run))
        }
        baseline = document.baseline.map {
            BothSides(
                name: $0.name, unpatched: side($0.unpatched), patched: side($0.patched), meaning: $0.meaning)
        }
        hasBaseline = !baseline.isEmpty
        runs = document.runs.map { RunView($0, isOnly: document.runs.count == 1) }
        examples = document.counterexamples.map {
            Example(
                title: $0.title, steps: $0.steps, end: $0.end, hasKernel: !$0.kernel.isEmpty || $0.run != nil,
                kernel: $0.kernel, link: link($0.run))
        }
        hasExamples = !examples.isEmpty
        gaps = document.notCovered.map { Gap(text: $0.text, cover: $0.wouldCover) }
        hasGaps = !gaps.isEmpty
        detectors = document.detectorsOff.map { Pair(name: $0.name, value: $0.reason) }
        hasDetectors = !detectors.isEmpty
        contents = []
        let sections: [(Bool, String, String)] = [
            (hasStages, "stages", "Stages"), (patch != nil, "patch", "Patch"),
            (hasBaseline, "baseline", "Baseline and patch"), (hasExamples, "counterexamples", "Counterexamples"),
        ]
        contents = sections.filter(\.0).map { Link(target: $0.1, name: $0.2) }
        contents += document.runs.prefix(12).map { Link(target: $0.id, name: $0.name) }
        if hasGaps { contents.append(Link(target: "not-covered", name: "Not covered")) }
        if hasDetectors { contents.append(Link(target: "detectors", name: "Detectors off")) }
    }

    /// "21.4 s", "3 min 05 s".
    static func seconds(_ seconds: Double) -> String {
        guard seconds.isFinite, (0..<1e7).contains(seconds) else { return "?" }
        if seconds < 99.95 { return String(format: "%.1f s", seconds) }
        let whole = Int(seconds.rounded())
        return String(format: "%d min %02d s", whole / 60, whole % 60)
    }
}
