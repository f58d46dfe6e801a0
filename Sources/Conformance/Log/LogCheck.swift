// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import RunRecord

/// Check (d): the kernels printed nothing that they must not print, and are not tainted beyond what modules under test
/// bring.
public struct LogCheck: Sendable {
    public static let name = "kernel-log"

    /// - Parameters:
    ///   - nodes: the nodes that must have a log.
    ///   - logs: per node kmsg.log, and console.log, which has the last words of a node that died.
    ///   - rules: nil when they could not be read; then nothing was checked.
    ///   - scope: what is known of a node beside its log.
    ///   - taints: /proc/sys/kernel/tainted of each node's last snapshot; nil for logs alone, which are not asked for
    ///     it.
    ///   - died: nodes that died, whose log says what they had to say.
    static func result(
        _ nodes: [NodeID], logs: [NodeID: [KernelLog]], rules: LogRules?, scope: (NodeID) -> LogScope,
        taints: [NodeID: String]?, died: Set<NodeID> = []
    ) -> CheckResult {
        var result = CheckResult(name: name, answer: .holds)
        var faults: [Finding] = []
        var undecided: [Finding] = []
        var userSpace: [Finding] = []
        if rules == nil { undecided.append(Finding("there are no rules to look at the logs with")) }
        for node in nodes {
            var log = NodeLog(node: node)
            for text in logs[node] ?? [] {
                if let report = rules?.match(text, in: scope(node)) { log.add(report) }
            }
            if rules != nil, log.lines == 0 {
                undecided.append(Finding("there is no line of a kernel in its log", node: node.description))
            }
            if let taints { log.judge(taint: taints[node], isDead: died.contains(node)) }
            faults += log.faults
            undecided += log.undecided
            userSpace += log.userSpace
            result.seen.append(log.summary)
        }
        result.answer = !faults.isEmpty ? .fails : undecided.isEmpty && !nodes.isEmpty ? .holds : .notDecided
        result.findings = faults + undecided + userSpace
        return result
    }
}

/// What the logs of one node say, kmsg.log and console.log together.
private struct NodeLog {
    let node: NodeID
    var lines = 0
    var faults: [Finding] = []
    var undecided: [Finding] = []
    var userSpace: [Finding] = []
    private var notes = 0
    private var excused: Set<String> = []
    /// The console says again what kmsg said.
    private var told: Set<String> = []
    /// A console shows fewer levels than kmsg, and with them not the line on which an exception depends.
    private var excusedLines: Set<String> = []
    private var excusedWarning = false
    private var warned = false
    private var taintWords = "taint not read"

    init(node: NodeID) { self.node = node }

    mutating func add(_ report: LogReport) {
        lines += report.linesChecked
        if report.linesLost > 0 {
            undecided.append(Finding("the log lacks \(report.linesLost) records", node: node.description))
        }
        for finding in report.findings where !excusedLines.contains(finding.line.text) {
            warned = warned || finding.rule.kind == "warning"
            switch finding.rule.severity {
            case .note: notes += 1
            case .error:
                if told.insert(finding.line.text).inserted { faults.append(self.finding(finding)) }
            case .userSpace:
                guard told.insert(finding.line.text).inserted else { continue }
                var found = self.finding(finding)
                found.rank = .userSpace
                userSpace.append(found)
            }
        }
        for (finding, exception) in report.open
        where !excusedLines.contains(finding.line.text) && told.insert(finding.line.text).inserted {
            var found = self.finding(finding)
            found.text += "; no fault if this is so, which is not known: \(exception.reason)"
            undecided.append(found)
        }
        excusedWarning = excusedWarning || report.excepted.contains { $0.finding.rule.kind == "warning" }
        excusedLines.formUnion(report.excepted.map(\.finding.line.text))
        excused.formUnion(report.excepted.map { "\($0.exception.name): \($0.exception.reason)" })
    }

    private func finding(_ finding: LogFinding) -> Finding {
        Finding(
            "\(finding.rule.name) (\(finding.rule.meaning))\(place(of: finding)): \(finding.line.text)",
            node: node.description,
            time: finding.time, details: finding.excerpt, fact: FindingFact(.log, finding.rule.name),
            rank: finding.rule.rank)
    }

    /// " in md_bitmap_create": the function in which the kernel died, where the line itself does not say it.
    private func place(of finding: LogFinding) -> String {
        guard finding.rule.rank == .crash else { return "" }
        for line in finding.excerpt {
            let text = line.drop { $0 == " " }
            guard text.hasPrefix("RIP: 0010:"), let frame = StackFrame(text.dropFirst(10)) else { continue }
            return " in \(frame.function)"
        }
        return ""
    }

    mutating func judge(taint text: String?, isDead: Bool) {
        guard let text, let taint = Taint(file: text) else {
            if isDead {
                taintWords = "taint not read before it died"
            } else {
                undecided.append(Finding("/proc/sys/kernel/tainted was not read", node: node.description))
            }
            return
        }
        for word in taint.unexpected {
            // The one WARN() that there was is excepted, and left its mark.
            if word.hasPrefix("W:"), excusedWarning, !warned { continue }
            faults.append(
                Finding(
                    "the kernel is tainted with \(word)", node: node.description,
                    fact: FindingFact(.taint, String(word.prefix { $0 != ":" })), rank: .consequence))
        }
        taintWords =
            taint.unexpected.isEmpty
            ? "no taint beyond out-of-tree and unsigned modules"
            : "tainted with \(taint.unexpected.joined(separator: ", "))"
    }

    var summary: String {
        "\(node): \(count(lines, "line")) of kernel log, \(count(notes, "note")); \(taintWords)"
            + excused.sorted().map { "; excepted: \($0)" }.joined()
    }
}

extension LogRule {
    /// How bad a line is that breaks the rule, by the family of trouble that the rule is of.
    var rank: FindingRank {
        switch kind {
        case "panic", "bug": .crash
        case "memory": .corruption
        case "hang": .hang
        case "lock", "rcu", "warning", "stack": .splat
        default: .message
        }
    }
}
