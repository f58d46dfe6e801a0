// SPDX-License-Identifier: GPL-2.0
import RunRecord

/// The word for a stage, or for a whole validation: worst first.
public enum ValidationWord: String, Codable, Sendable, Comparable, CaseIterable {
    /// The patch is wrong.
    case fail = "FAIL"
    /// The patch cannot be used, or a scenario or the tool is wrong.
    case error = "ERROR"
    /// The lab failed: no boot, no cluster.
    case miss = "MISS"
    /// Something that belongs to the answer is open.
    case notDecided = "NOT DECIDED"
    case pass = "PASS"
    /// Left out, with the reason.
    case skip = "SKIP"

    public static func < (left: ValidationWord, right: ValidationWord) -> Bool {
        (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
    }
}

/// One stage of a validation.
public struct StageResult: Codable, Sendable, Equatable {
    public enum Name: String, Codable, Sendable {
        case intake, build, `static`, module, model, kernels, schedules, delays, coverage

        /// What goes wrong there is a fault, and blamed on somebody or not.
        public var runsKernels: Bool { [.kernels, .schedules, .delays].contains(self) }
    }
    public var name: Name
    public var word: ValidationWord
    /// Wall-clock time. Stages may have run side by side.
    public var seconds: Double
    public var lines: [String]
    /// What tools that read source found, with its place; nil in stages without such.
    public var findings: [SourceFinding]?

    /// A line of a tool, and the line of source that it is about.
    public struct SourceFinding: Codable, Sendable, Equatable {
        public var tool: String
        /// "md-cluster.c", or the patch's file where `isInPatch`.
        public var file: String
        public var line: Int
        public var text: String
        /// `line` counts in the patch, not in the patched source.
        public var isInPatch: Bool
        public init(tool: String, file: String, line: Int, text: String, isInPatch: Bool) {
            (self.tool, self.file, self.line) = (tool, file, line)
            (self.text, self.isInPatch) = (text, isInPatch)
        }
    }

    public init(
        _ name: Name, _ word: ValidationWord, seconds: Double = 0, lines: [String] = [],
        findings: [SourceFinding]? = nil
    ) {
        (self.name, self.word, self.seconds, self.lines) = (name, word, seconds, lines)
        self.findings = findings
    }
}

/// Whether what the kernels did is a behaviour of the reference model.
public enum ComparisonOutcome: Codable, Sendable, Equatable {
    case conforms
    /// `text` says it for a person.
    case differs(Difference, text: String)
    case notDecided(reason: String)
}

/// What a record has that the reference model has not.
public enum Difference: Codable, Sendable, Hashable {
    /// The first event that is not in the model: "dlm_lock_start(token, EX, -)".
    case event(String)
    /// The run hung where the model goes on.
    case goesOn
    case hang
    case endState
}

/// One run of a scenario, judged and compared.
public struct RunOutcome: Codable, Sendable, Equatable {
    public var scenario: String
    public var word: VerdictWord
    public var reason: String
    /// Of the failing checks, the worst first, with the name of the check.
    public var findings: [CheckFinding]
    /// Checks that could not be decided.
    public var undecided: [String]
    public var comparison: ComparisonOutcome
    /// Wall-clock time with the start of the cluster.
    public var seconds: Double
    /// The record's folder; nil for what comes out of the cache.
    public var record: String?
    /// The functions of drivers/md that ran.
    public var functions: [String]
    /// The stage that ran it; nil for kernels.
    public var stage: StageResult.Name?

    public struct CheckFinding: Codable, Sendable, Equatable {
        public var check: String
        public var finding: Finding
        public init(check: String, finding: Finding) { (self.check, self.finding) = (check, finding) }
    }

    public init(
        scenario: String, word: VerdictWord, reason: String, findings: [CheckFinding] = [], undecided: [String] = [],
        comparison: ComparisonOutcome = .conforms, seconds: Double = 0, record: String? = nil, functions: [String] = []
    ) {
        (self.scenario, self.word, self.reason, self.findings) = (scenario, word, reason, findings)
        (self.undecided, self.comparison, self.seconds) = (undecided, comparison, seconds)
        (self.record, self.functions) = (record, functions)
    }
}

/// validation.json: all that a validation found out.
public struct ValidationReport: Codable, Sendable {
    public var format = 1
    public var patches: [String]
    public var kernel: String
    public var word: ValidationWord
    public var sentence: String
    public var why: [String]
    public var next: [String]
    public var stages: [StageResult]
    public var runs: [RunOutcome]
    public var baseline: [RunOutcome]
    public var faults: [Fault]
    public var changed: [ChangedLine]

    public enum State: String, Codable, Sendable {
        case ran
        case neverRan = "never ran"
        case noCode = "no code"
        case usedElsewhere = "used elsewhere"
    }

    /// A changed line and whether it ran.
    public struct ChangedLine: Codable, Sendable, Equatable {
        public var file: String
        public var line: Int
        public var text: String
        public var removed: Bool
        public var state: State
        public var count: UInt64?
        public init(file: String, line: Int, text: String, removed: Bool, state: State, count: UInt64?) {
            (self.file, self.line, self.text) = (file, line, text)
            (self.removed, self.state, self.count) = (removed, state, count)
        }
    }

    public init(
        patches: [String], kernel: String, conclusion: Conclusion, stages: [StageResult], runs: [RunOutcome],
        baseline: [RunOutcome], faults: [Fault], changed: [ChangedLine]
    ) {
        (self.patches, self.kernel, self.stages) = (patches, kernel, stages)
        (word, sentence, why, next) = (conclusion.word, conclusion.sentence, conclusion.why, conclusion.next)
        (self.runs, self.baseline, self.faults, self.changed) = (runs, baseline, faults, changed)
    }
}
