// SPDX-License-Identifier: GPL-2.0
import LineCoverage
import RunRecord

/// What a validation comes to: one sentence, then why, then what to do.
public struct Conclusion: Sendable, Equatable {
    public var word: ValidationWord
    public var sentence: String
    public var why: [String]
    public var next: [String]

    public init(_ word: ValidationWord, _ sentence: String, why: [String] = [], next: [String] = []) {
        (self.word, self.sentence, self.why, self.next) = (word, sentence, why, next)
    }

    /// What the runs and their coverage say.
    public struct Evidence: Sendable {
        public var stages: [StageResult]
        public var runs: [RunOutcome]
        public var faults: [Fault]
        public var coverage: PatchCoverage
        /// The compiler makes the same code with and without the patch.
        public var isSameCode: Bool
        /// Functions of the patch that no scenario reaches.
        public var unreached: Set<String>
        /// Runs in which a thread was delayed and nothing went wrong.
        public var delayed: Int
        /// Whether all stages came to their end: a validation can be broken off.
        public var isComplete: Bool

        public init(
            stages: [StageResult], runs: [RunOutcome], faults: [Fault], coverage: PatchCoverage, isSameCode: Bool,
            unreached: Set<String>, delayed: Int = 0, isComplete: Bool = true
        ) {
            (self.stages, self.runs, self.faults) = (stages, runs, faults)
            (self.coverage, self.isSameCode, self.unreached) = (coverage, isSameCode, unreached)
            (self.delayed, self.isComplete) = (delayed, isComplete)
        }
    }

    public init(_ evidence: Evidence) {
        let blamed = evidence.faults.filter { $0.blame == .patch }
        if let worst = blamed.first {
            self = Self.failure(worst, others: Array(blamed.dropFirst()))
        } else if let broken = evidence.stages.filter({ $0.word < .notDecided && !$0.name.runsKernels }).min(by: {
            $0.word < $1.word
        }) {
            self.init(
                broken.word, "\(broken.name.rawValue): \(broken.lines.first ?? "no reason")",
                why: Array(broken.lines.dropFirst()))
        } else if evidence.isSameCode, evidence.isComplete {
            self.init(
                .pass, "The compiler makes the same code with the patch as without it.",
                why: ["nothing that runs is changed, so nothing was run"])
        } else {
            self = Self.open(evidence)
        }
        let known = evidence.faults.filter { $0.blame == .known }
        why += known.map {
            "known: \($0.text) (the unpatched kernel too: \($0.unpatched.hits) of \($0.unpatched.runs) runs)"
        }
    }

    private static func failure(_ worst: Fault, others: [Fault]) -> Conclusion {
        let rate = "\(worst.patched.hits) of \(worst.patched.runs) runs of \(worst.scenarios.joined(separator: ", "))"
        let without = "without it \(worst.unpatched.hits) of \(worst.unpatched.runs)"
        return Conclusion(
            .fail, "With this patch: \(worst.text) (\(rate); \(without)).",
            why: worst.details + others.map { "also: \($0.text) (\($0.patched.hits) of \($0.patched.runs) runs)" })
    }

    /// Nothing is wrong; is everything known?
    private static func open(_ evidence: Evidence) -> Conclusion {
        var (open, next) = ([String](), [String]())
        if !evidence.isComplete { open.append("the validation was broken off") }
        let coverage = evidence.coverage
        if !coverage.neverRan.isEmpty {
            open.append(lines(coverage.neverRan) + " never ran")
            let functions = Set(coverage.neverRan.compactMap(\.function))
            let alone = functions.intersection(evidence.unreached).sorted()
            if !alone.isEmpty {
                next.append("no scenario reaches \(alone.joined(separator: ", ")): write one that does (HACKING.md)")
            }
            if functions.count > alone.count { next.append("run more scenarios: mdlab validate --full") }
        } else if coverage.ran.isEmpty {
            open.append("no changed line has code of its own that a run could execute")
            if !coverage.usedElsewhere.isEmpty {
                open.append(lines(coverage.usedElsewhere) + " is used elsewhere, and that is not followed")
            }
        }
        open += evidence.faults.filter { $0.blame == .open }.map { fault in
            "\(fault.text): seen in \(fault.patched.hits) of \(fault.patched.runs) runs, \(fault.unpatched.hits) of "
                + "\(fault.unpatched.runs) without the patch, in code that it does not change"
        }
        for run in evidence.runs {
            if run.word == .miss || run.word == .error { open.append("\(run.scenario): \(run.reason)") }
            if !run.undecided.isEmpty {
                open.append("\(run.scenario): not decided: \(run.undecided.joined(separator: ", "))")
            }
            if case .notDecided(let reason) = run.comparison {
                open.append("\(run.scenario): not compared with the model: \(reason)")
            }
        }
        // What the source does not show the runs do: coverage says of which lines.
        open += evidence.stages.filter { $0.word == .notDecided && ![.coverage, .model].contains($0.name) }.flatMap(
            \.lines)
        guard open.isEmpty else {
            return Conclusion(.notDecided, "Not decided: \(open[0]).", why: Array(open.dropFirst()), next: next)
        }
        let runs = evidence.runs.count == 1 ? "1 run is" : "\(evidence.runs.count) runs are"
        let delayed = evidence.delayed > 0 ? " Threads were delayed in \(evidence.delayed) more." : ""
        return Conclusion(
            .pass,
            "Every changed line that has code ran (\(coverage.ran.count) places), and \(runs) as without the patch.\(delayed)"
        )
    }

    /// "md-cluster.c:828, 830 to 833 (metadata_update_cancel)"
    static func lines(_ places: [PatchCoverage.Place]) -> String {
        Dictionary(grouping: places) { $0.change.path }.sorted { $0.key < $1.key }.map { path, places in
            let numbers = Set(places.map(\.change.line)).sorted()
            var ranges: [ClosedRange<Int>] = []
            for number in numbers {
                if let last = ranges.last, last.upperBound + 1 == number {
                    ranges[ranges.count - 1] = last.lowerBound...number
                } else {
                    ranges.append(number...number)
                }
            }
            let text = ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound) to \($0.upperBound)" }
            let functions = Set(places.compactMap(\.function)).sorted()
            let name = path.split(separator: "/").last.map(String.init) ?? path
            return "\(name):\(text.joined(separator: ", "))"
                + (functions.isEmpty ? "" : " (\(functions.joined(separator: ", ")))")
        }.joined(separator: "; ")
    }
}
