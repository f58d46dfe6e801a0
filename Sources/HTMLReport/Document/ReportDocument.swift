// SPDX-License-Identifier: GPL-2.0

/// What one report.html says. Everything in it is text or numbers; how it looks is the page's business.
///
/// A record gives one run and its patch (`ReportRun.init(_:verdict:)`). A validation adds stages, both kernels and what
/// was not covered. What is empty is left out of the page, so whoever makes a document fills in what there is:
///
///     var report = ReportDocument(title: "md-cluster: keep token", word: "FAIL", sentence: "node2 acknowledges early")
///     report.stages.append(.init("module", word: "PASS", seconds: 21.4))
///     let page = try ReportPage.html(report)
public struct ReportDocument: Codable, Sendable, Equatable {
    /// What was looked at: the patch's subject, or the run's name.
    public var title: String
    /// The verdict's word: PASS, FAIL, NOT DECIDED, ERROR, MISS, USER, SKIP, XFAIL.
    public var word: String
    /// The verdict in one sentence.
    public var sentence: String
    /// Why: a line each, the strongest first.
    public var reasons: [String] = []
    /// What to do next, in order.
    public var advice: [String] = []
    /// Of the making: kernel, commit, machine.
    public var facts: [Fact] = []
    public var stages: [Stage] = []
    public var patch: ReportPatch?
    public var runs: [ReportRun] = []
    /// The same scenario on the unpatched kernel and on the patched one.
    public var baseline: [BaselinePair] = []
    public var counterexamples: [ReportCounterexample] = []
    public var notCovered: [Gap] = []
    public var detectorsOff: [Detector] = []

    public init(title: String, word: String, sentence: String) {
        (self.title, self.word, self.sentence) = (title, word, sentence)
    }

    /// A name and its value: "kernel", "6.1.0-56-amd64".
    public struct Fact: Codable, Sendable, Equatable {
        public var name: String
        public var value: String
        public init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
    }

    /// A part of a validation with a verdict of its own.
    public struct Stage: Codable, Sendable, Equatable {
        public var name: String
        public var word: String
        public var seconds: Double?
        /// Its answer in one line.
        public var text: String
        /// More lines, shown on request.
        public var details: [String]

        public init(_ name: String, word: String, seconds: Double? = nil, text: String = "", details: [String] = []) {
            (self.name, self.word, self.seconds, self.text, self.details) = (name, word, seconds, text, details)
        }
    }

    /// One scenario on both kernels.
    public struct BaselinePair: Codable, Sendable, Equatable {
        public struct Side: Codable, Sendable, Equatable {
            public var word: String
            public var sentence: String
            /// Of `ReportRun.id`, where the report has the run.
            public var run: String?
            public init(word: String, sentence: String, run: String? = nil) {
                (self.word, self.sentence, self.run) = (word, sentence, run)
            }
        }
        public var name: String
        public var unpatched: Side
        public var patched: Side
        /// What the difference means: "the patch's", "known: docs/findings.md 3", "not told apart".
        public var meaning: String

        public init(_ name: String, unpatched: Side, patched: Side, meaning: String) {
            (self.name, self.unpatched, self.patched, self.meaning) = (name, unpatched, patched, meaning)
        }
    }

    /// Something that nothing looked at.
    public struct Gap: Codable, Sendable, Equatable {
        public var text: String
        /// What would look at it: a scenario, a gate, another kernel.
        public var wouldCover: String?
        public init(_ text: String, wouldCover: String? = nil) { (self.text, self.wouldCover) = (text, wouldCover) }
    }

    /// A detector of the kernel that was off.
    public struct Detector: Codable, Sendable, Equatable {
        public var name: String
        public var reason: String
        public init(_ name: String, _ reason: String) { (self.name, self.reason) = (name, reason) }
    }
}

/// A run of the model that breaks a rule or ends in a deadlock, and the kernel's run that came there.
public struct ReportCounterexample: Codable, Sendable, Equatable {
    public struct Step: Codable, Sendable, Equatable {
        /// From 1, in the model's run; of the first step where several are folded.
        public var number: Int
        /// "node1 raid1d"
        public var thread: String
        public var text: String
        public init(_ number: Int, thread: String, text: String) {
            (self.number, self.thread, self.text) = (number, thread, text)
        }
    }
    public var title: String
    public var steps: [Step]
    /// Stacks, locks and who waits for whom at its end.
    public var end: [String]
    /// The kernel's side: what it did to come to the same place, a line each. Empty when no kernel came there.
    public var kernel: [String]
    /// Of `ReportRun.id`.
    public var run: String?

    public init(_ title: String, steps: [Step], end: [String], kernel: [String] = [], run: String? = nil) {
        (self.title, self.steps, self.end, self.kernel, self.run) = (title, steps, end, kernel, run)
    }
}
