// SPDX-License-Identifier: GPL-2.0

/// The word for a run, worst first. A parent has the worst word of its children, XFAIL and SKIP do not make it worse.
public enum VerdictWord: String, Codable, Sendable, Comparable, CaseIterable {
    /// The kernel is wrong.
    case fail = "FAIL"
    /// The scenario or the tool is wrong.
    case error = "ERROR"
    /// A program of the nodes' user space (mdadm) failed by itself: the kernel had refused it nothing.
    case userSpace = "USER"
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

/// One check's answer. `notDecided` is an answer of its own: a check that did not run must not look like one that
/// passed.
public enum CheckAnswer: String, Codable, Sendable { case holds, fails, notDecided = "not decided" }

/// What a finding is about, as facts: what decides anything looks at these and never at the text, which may be
/// reworded.
public struct FindingFact: Codable, Sendable, Hashable {
    public enum Kind: String, Codable, Sendable {
        /// Two nodes show different values; `subject` is a file below /sys/block/ARRAY/md, "dev-vdb" for membership.
        case differs
        /// A superblock and a node, or two superblocks, differ; `subject` is the device.
        case superblock
        /// A value is not what the scenario expects; `subject` is the attribute or the device.
        case expected
        /// A line of a kernel log; `subject` is the rule's name.
        case log
        /// The kernel is tainted; `subject` is the bit's number.
        case taint
        /// Threads wait for what cannot come.
        case hang
        /// A step of the scenario did not do what it should.
        case step
    }
    public var kind: Kind
    public var subject: String
    /// What was seen: node names to values, or "is" and "expected".
    public var values: [String: String]

    public init(_ kind: Kind, _ subject: String, _ values: [String: String] = [:]) {
        (self.kind, self.subject, self.values) = (kind, subject, values)
    }

    /// Whether this is what `wanted` describes: kind and subject, and each value that is said there.
    public func fits(_ wanted: FindingFact) -> Bool {
        kind == wanted.kind && subject == wanted.subject && wanted.values.allSatisfy { values[$0.key] == $0.value }
    }
}

/// One finding of a check: a line for a person, and the place it is about.
public struct Finding: Codable, Sendable, Equatable {
    public var text: String
    public var node: String?
    /// Guest seconds of the event, if there is one.
    public var time: Double?
    /// More lines: a cycle, a stack, the events around it.
    public var details: [String]
    /// nil where nothing is decided by it, and in verdicts of older versions.
    public var fact: FindingFact?
    /// All nodes that have a part in it, where that is more than `node`.
    public var nodes: [String]?
    /// How bad it is; nil: as its check is.
    public var rank: FindingRank?

    public init(
        _ text: String, node: String? = nil, time: Double? = nil, details: [String] = [], fact: FindingFact? = nil,
        nodes: [String]? = nil, rank: FindingRank? = nil
    ) {
        (self.text, self.node, self.time, self.details) = (text, node, time, details)
        (self.fact, self.nodes, self.rank) = (fact, nodes, rank)
    }
}

/// How bad a finding is, worst first: the worst is what the verdict begins with.
public enum FindingRank: Int, Codable, Sendable, Comparable {
    /// The kernel ended: panic, oops, BUG.
    case crash
    /// Memory is damaged, or a detector says that it may be: KASAN, list corruption.
    case corruption
    /// Nobody gets on.
    case hang
    /// A lock is used wrongly, RCU stalls, a WARNING.
    case splat
    /// The protocol is broken: an acknowledgement too early, nodes that do not agree, a word that md-cluster.c has not.
    case `protocol`
    /// md-cluster or DLM complained.
    case message
    /// Not what the scenario expects.
    case expectation
    /// User space is at fault.
    case userSpace
    /// What another finding brings with it, as taint.
    case consequence

    public static func < (left: FindingRank, right: FindingRank) -> Bool { left.rawValue < right.rawValue }
}

extension CheckResult {
    /// The rank of a finding that has none of its own.
    public var rank: FindingRank {
        switch name {
        case "no-hang": .hang
        case "kernel-log": .message
        case "scenario": .expectation
        default: .protocol
        }
    }

    /// The worst of the findings, and of these the first.
    public var worst: (finding: Finding, rank: FindingRank)? {
        findings.enumerated().min { ($0.element.rank ?? rank, $0.offset) < ($1.element.rank ?? rank, $1.offset) }
            .map { ($0.element, $0.element.rank ?? rank) }
    }
}

extension [CheckResult] {
    /// The failing checks, that with the worst finding first.
    public var failing: [CheckResult] {
        filter { $0.answer == .fails }.enumerated().sorted { left, right in
            let (first, second) = (left.element.worst?.rank ?? .expectation, right.element.worst?.rank ?? .expectation)
            return (first, left.offset) < (second, right.offset)
        }.map(\.element)
    }
}

/// One of the checks (a) to (e), or a scenario's own expectation.
public struct CheckResult: Codable, Sendable, Equatable {
    /// "synchronous", "dlm-words", "agreement", "kernel-log", "no-hang", "scenario".
    public var name: String
    public var answer: CheckAnswer
    /// Why it fails, or why it could not be decided.
    public var findings: [Finding]
    /// What the check saw, for people and against vacuity: "4 METADATA_UPDATED: 3 by trylock, 1 by
    /// HOLDING_MUTEX_FOR_RECVD".
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
