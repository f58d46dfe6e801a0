// SPDX-License-Identifier: GPL-2.0

/// A line of a kernel log that must not be there.
public struct LogRule: Sendable, Equatable {
    public enum Severity: String, Sendable {
        /// The kernel is wrong.
        case error
        /// Worth showing; not wrong by itself.
        case note
        /// User space did something wrong, and the kernel says so.
        case userSpace = "user-space"
    }

    /// Unique; the log that trips the rule in the tests has this name.
    public var name: String
    /// What family of trouble it is: bug, warning, hang, memory, lock, rcu, panic, md-cluster, dlm, md, stack.
    public var kind: String
    public var severity: Severity
    /// Text that the line has, exactly. Looked for first, because it is quick.
    public var text: String
    /// A regular expression that the line matches too; nil when the text says it all.
    public var pattern: String?
    /// The line has at most this level (3: errors and worse). A line of a console, which has no level, does not match.
    public var level: Int?
    /// Whether a stack follows that belongs to the finding.
    public var stack: Bool
    /// Often a part of another report (a "WARNING: CPU:" after "refcount_t:", a "Call Trace:"): a finding only when no
    /// other finding has the line in its excerpt.
    public var secondary: Bool
    /// What the line means, for a person.
    public var meaning: String
}

/// A line that a rule finds and that is no fault, with the reason.
public struct LogException: Sendable, Equatable {
    public enum Scope: Sendable, Equatable {
        case all
        case scenarios([String])
        /// Releases that begin with one of these ("6.1.").
        case kernels([String])
        /// The node stops the array meanwhile: it calls leave() of md-cluster.c soon after the line.
        case stopping
        /// In the end the nodes agree (the check of that name): what was refused once was done later.
        case agreed
        /// The line follows one of this rule, which says why.
        case after(String)
    }
    public var name: String
    /// The rule it makes an exception of.
    public var rule: String
    public var text: String
    public var pattern: String?
    public var scope: Scope
    public var reason: String
}

/// What is known beside a log, for the scope of exceptions. What is nil is not known, and decides nothing.
public struct LogScope: Sendable, Equatable {
    public var scenario: String?
    public var kernelRelease: String?
    /// When the node called leave() of md-cluster.c: seconds since it booted.
    public var leaves: [Double]?
    /// Until when `leaves` is known, in the same seconds; nil: to the end.
    public var tracedUntil: Double?
    /// Whether the nodes agree in the end.
    public var agrees: Bool?

    public init(
        scenario: String? = nil, kernelRelease: String? = nil, leaves: [Double]? = nil, agrees: Bool? = nil
    ) {
        (self.scenario, self.kernelRelease, self.leaves, self.agrees) = (scenario, kernelRelease, leaves, agrees)
    }
}

/// A line that a rule found.
public struct LogFinding: Sendable, Equatable {
    public var rule: LogRule
    public var line: KernelLog.Line
    /// Seconds since the node booted.
    public var time: Double? { line.time }
    /// The line and what belongs to it: the stack that follows, at most 60 lines.
    public var excerpt: [String]
}

/// What a look through a log gave.
public struct LogReport: Sendable, Equatable {
    public var findings: [LogFinding] = []
    /// Findings that an exception covers.
    public var excepted: [(finding: LogFinding, exception: LogException)] = []
    /// Findings of which it is not known whether an exception covers them.
    public var open: [(finding: LogFinding, exception: LogException)] = []
    /// Lines of the kernel that were looked at. None means that nothing was checked.
    public var linesChecked = 0
    /// Records that the log lost: what they said was not checked.
    public var linesLost: UInt64 = 0

    public static func == (left: LogReport, right: LogReport) -> Bool {
        left.findings == right.findings && left.linesChecked == right.linesChecked && left.linesLost == right.linesLost
            && left.excepted.elementsEqual(right.excepted) { $0.finding == $1.finding && $0.exception == $1.exception }
            && left.open.elementsEqual(right.open) { $0.finding == $1.finding && $0.exception == $1.exception }
    }
}
