// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import RunRecord

/// Check (d): the kernels printed nothing that they must not print, and are not tainted beyond what modules under test bring.
public struct LogCheck: Sendable {
    public static let name = "kernel-log"

    /// - Parameters:
    ///   - nodes: the nodes that must have a log.
    ///   - logs: per node kmsg.log, and console.log, which has the last words of a node that died.
    ///   - rules: nil when they could not be read; then nothing was checked.
    ///   - taints: /proc/sys/kernel/tainted of each node's last snapshot.
    ///   - died: nodes that died, whose log says what they had to say.
    static func result(
        _ nodes: [NodeID], logs: [NodeID: [KernelLog]], rules: LogRules?, scope: LogScope, taints: [NodeID: String],
        died: Set<NodeID> = []
    ) -> CheckResult {
        var faults: [Finding] = []
        var undecided: [Finding] = []
        var seen: [String] = []
        if rules == nil { undecided.append(Finding("there are no rules to look at the logs with")) }
        for node in nodes {
            var lines = 0
            var notes = 0
            var excused: Set<String> = []
            var told: Set<String> = []
            var excusedWarning = false
            var warned = false
            for log in logs[node] ?? [] {
                guard let report = rules?.match(log, in: scope) else { continue }
                lines += report.linesChecked
                if report.linesLost > 0 {
                    undecided.append(
                        Finding("the log lacks \(report.linesLost) records", node: node.description))
                }
                for finding in report.findings {
                    guard finding.rule.severity == .error else { notes += 1; continue }
                    // The console says again what kmsg said.
                    warned = warned || finding.rule.kind == "warning"
                    guard told.insert(finding.line.text).inserted else { continue }
                    faults.append(
                        Finding(
                            "\(finding.rule.name) (\(finding.rule.meaning)): \(finding.line.text)",
                            node: node.description,
                            time: finding.time, details: finding.excerpt))
                }
                excusedWarning = excusedWarning || report.excepted.contains { $0.finding.rule.kind == "warning" }
                excused.formUnion(report.excepted.map { "\($0.exception.name): \($0.exception.reason)" })
            }
            if rules != nil, lines == 0 {
                undecided.append(Finding("no line of its kernel's log was recorded", node: node.description))
            }
            var taintWords = "taint not read"
            if let text = taints[node], let taint = Taint(file: text) {
                for word in taint.unexpected {
                    // The one WARN() that there was is excepted, and left its mark.
                    if word.hasPrefix("W:"), excusedWarning, !warned { continue }
                    faults.append(Finding("the kernel is tainted with \(word)", node: node.description))
                }
                taintWords =
                    taint.unexpected.isEmpty
                    ? "no taint beyond out-of-tree and unsigned modules"
                    : "tainted with \(taint.unexpected.joined(separator: ", "))"
            } else if died.contains(node) {
                taintWords = "taint not read before it died"
            } else {
                undecided.append(Finding("/proc/sys/kernel/tainted was not read", node: node.description))
            }
            seen.append(
                "\(node): \(count(lines, "line")) of kernel log, \(count(notes, "note")); \(taintWords)"
                    + excused.sorted().map { "; excepted: \($0)" }.joined())
        }
        let answer: CheckAnswer = !faults.isEmpty ? .fails : undecided.isEmpty && !nodes.isEmpty ? .holds : .notDecided
        return CheckResult(name: name, answer: answer, findings: faults + undecided, seen: seen)
    }
}
