// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import RunRecord

/// The check no-hang for kernel logs alone: who waits for whom, by the stacks that sysrq-t, sysrq-w or the detector of
/// hung tasks printed. A log has neither lock tables nor mutex owners, and most show only the threads that are blocked,
/// so only a cycle is a hang; a wait whose end is not in sight is not decided.
enum LoggedHang {
    /// - Parameter logs: one for each node.
    /// - Returns: nil when no log shows a stack.
    static func result(_ logs: [(node: NodeID, log: KernelLog)]) -> CheckResult? {
        let all = logs.map { (node: $0.node, threads: $0.log.threads) }
        guard all.contains(where: { !$0.threads.isEmpty }) else { return nil }
        var moment = ClusterMoment(label: "log", snapshots: [], dead: [])
        var lasting: Set<WaitGraph.Thread> = []
        for (node, seen) in all {
            var last: [Int: LoggedThread] = [:]
            for thread in seen {
                let isSame = last[thread.thread.pid]?.thread.stack == thread.thread.stack
                if isSame || thread.blockedFor != nil {
                    lasting.insert(.init(node: node, pid: thread.thread.pid, comm: thread.thread.comm))
                }
                last[thread.thread.pid] = thread
            }
            moment.nodes.append(
                .init(
                    node: node, threads: last.values.map(\.thread).sorted { $0.pid < $1.pid }, locks: nil, arrays: nil))
        }
        let graph = WaitGraph(moment)
        var result = CheckResult(name: HangCheck.name, answer: .holds)
        for hang in graph.hangs {
            let isLasting = hang.edges.allSatisfy { lasting.contains($0.from) }
            let isCycle = hang.nobody == nil
            let names = hang.nodes.sorted().map(\.description)
            var finding = Finding(
                "", details: hang.lines, fact: FindingFact(.hang, hang.nobody?.rawValue ?? "cycle"), nodes: names)
            if isCycle {
                finding.text =
                    "\(count(hang.edges.count, "thread")) of \(names.joined(separator: ", ")) wait for each other in a cycle"
                if !isLasting { finding.text += " (seen once: whether it lasts is not in the log)" }
            } else {
                let from = hang.edges.last.map { "\($0.from.node) \($0.from.comm)" } ?? "a thread"
                finding.text =
                    "\(from) waits, as far as the log shows for \(hang.nobody?.rawValue ?? "nobody"); it may lack threads"
            }
            result.findings.append(finding)
            if isCycle && isLasting {
                result.answer = .fails
            } else if result.answer == .holds {
                result.answer = .notDecided
            }
        }
        // A thread that was blocked for minutes and waits for something that is not in the logs.
        let blocked = all.flatMap { node in node.threads.filter { $0.blockedFor != nil }.map { (node.node, $0) } }
        if result.answer == .holds, let (node, first) = blocked.first {
            result.answer = .notDecided
            result.findings.append(
                Finding(
                    "\(node) \(first.thread.comm) was blocked for \(first.blockedFor ?? 0) s; for whom it waits is not in the log: "
                        + "sysrq-t on all nodes would tell", node: node.description,
                    details: first.thread.stack))
        }
        let shown = all.reduce(0) { $0 + Set($1.threads.map(\.thread.pid)).count }
        result.seen = [
            "\(count(shown, "thread")) with a stack in \(count(logs.count, "log")), \(count(graph.edges.count, "wait")) for others"
        ]
        return result
    }
}

extension Judge {
    /// The verdict on kernel logs alone, one for each node: the check kernel-log, and no-hang where they show stacks.
    ///
    /// A text without any line of a kernel is not decided.
    public static func verdict(ofLogs logs: [(node: NodeID, log: KernelLog)], rules: LogRules) -> Verdict {
        let nodes = logs.map(\.node)
        var checks = [
            LogCheck.result(
                nodes, logs: Dictionary(logs.map { ($0.node, [$0.log]) }) { $0 + $1 }, rules: rules,
                scope: { node in
                    LogScope(kernelRelease: logs.first { $0.node == node }.flatMap { $0.log.kernelRelease })
                }, taints: nil)
        ]
        if let hang = LoggedHang.result(logs) { checks.append(hang) }
        let (word, reason) = word(for: checks)
        return Verdict(
            scenario: "log", variant: nil, kernelRelease: logs.compactMap { $0.log.kernelRelease }.first ?? "not said",
            word: word, reason: reason, checks: checks, metadataUpdates: [], detectorsOff: [:])
    }
}
