// SPDX-License-Identifier: GPL-2.0

/// The word for a run, worst first. A parent has the worst word of its children, XFAIL and SKIP do not make it worse.
public enum VerdictWord: String, Codable, Sendable, Comparable, CaseIterable {
    /// The kernel is wrong.
    case fail = "FAIL"
    /// The scenario or the tool is wrong.
    case error = "ERROR"
    /// The lab failed: no boot, no cluster.
    case miss = "MISS"
    case skip = "SKIP"
    /// Failed, as it had to.
    case xfail = "XFAIL"
    case pass = "PASS"

    public static func < (left: VerdictWord, right: VerdictWord) -> Bool {
        allCases.firstIndex(of: left)! < allCases.firstIndex(of: right)!  // swift-format-ignore: NeverForceUnwrap
    }
}

/// One check's answer. `notDecided` is an answer of its own: a check that did not run must not look like one that passed.
public enum CheckAnswer: String, Codable, Sendable { case holds, fails, notDecided = "not decided" }

/// One finding of a check: a line for a person, and the place it is about.
public struct Finding: Codable, Sendable, Equatable {
    public var text: String
    public var node: String?
    /// Guest seconds of the event, if there is one.
    public var time: Double?
    /// More lines: a cycle, a stack, the events around it.
    public var details: [String]
    public init(_ text: String, node: String? = nil, time: Double? = nil, details: [String] = []) {
        (self.text, self.node, self.time, self.details) = (text, node, time, details)
    }
}

/// One of the checks (a) to (e), or a scenario's own expectation.
public struct CheckResult: Codable, Sendable, Equatable {
    /// "synchronous", "dlm-words", "agreement", "kernel-log", "no-hang", "scenario".
    public var name: String
    public var answer: CheckAnswer
    /// Why it fails, or why it could not be decided.
    public var findings: [Finding]
    /// What the check saw, for people and against vacuity: "4 METADATA_UPDATED: 3 by trylock, 1 by HOLDING_MUTEX_FOR_RECVD".
    public var seen: [String]
    public init(name: String, answer: CheckAnswer, findings: [Finding] = [], seen: [String] = []) {
        (self.name, self.answer, self.findings, self.seen) = (name, answer, findings, seen)
    }
}

/// One METADATA_UPDATED as one receiver handled it.
public struct MetadataUpdate: Codable, Sendable, Equatable {
    public enum Path: String, Codable, Sendable {
        /// mddev_trylock succeeded; mddev_unlock follows md_reload_sb.
        case trylock
        /// MD_CLUSTER_HOLDING_MUTEX_FOR_RECVD was set: md_reload_sb ran under somebody else's reconfig_mutex.
        case holdingMutexForRecvd = "HOLDING_MUTEX_FOR_RECVD"
        /// md_reload_sb did not run between the bast and the ack.
        case none
    }
    public var sender: String
    /// comm of the sending thread.
    public var senderThread: String
    public var receiver: String
    public var path: Path
    /// Seconds from the bast on `ack` to `ack` NL at the receiver.
    public var handling: Double
    /// Seconds inside md_reload_sb, if it ran.
    public var reload: Double?
    /// Guest seconds at the receiver when the bast came.
    public var time: Double
    public init(
        sender: String, senderThread: String, receiver: String, path: Path, handling: Double, reload: Double?,
        time: Double
    ) {
        self.sender = sender
        self.senderThread = senderThread
        self.receiver = receiver
        self.path = path
        self.handling = handling
        self.reload = reload
        self.time = time
    }
}

/// verdict.json
public struct Verdict: Codable, Sendable, Equatable {
    public var format = 1
    public var scenario: String
    public var variant: String?
    public var kernelRelease: String
    public var word: VerdictWord
    /// One sentence: why this word.
    public var reason: String
    public var checks: [CheckResult]
    public var metadataUpdates: [MetadataUpdate]
    public var detectorsOff: [String: String]
    public init(
        scenario: String, variant: String?, kernelRelease: String, word: VerdictWord, reason: String,
        checks: [CheckResult],
        metadataUpdates: [MetadataUpdate], detectorsOff: [String: String]
    ) {
        self.scenario = scenario
        self.variant = variant
        self.kernelRelease = kernelRelease
        self.word = word
        self.reason = reason
        self.checks = checks
        self.metadataUpdates = metadataUpdates
        self.detectorsOff = detectorsOff
    }
}
