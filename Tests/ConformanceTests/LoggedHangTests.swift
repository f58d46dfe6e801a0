// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import RunRecord
import TestRecords
import Testing

@testable import Conformance

/// Logs as sysrq-t and the detector of hung tasks print them, made of the stacks of a recorded hang of 6.1 without the
/// bit in metadata_update_start.
@Suite struct LoggedHangTests {
    private static func threads(_ node: Int, _ label: String) throws -> [NodeSnapshot.Thread] {
        let run = try TrimmedRun("smoke@no-holding-in-start")
        let snapshot = try #require(run.snapshots.first { $0.node == NodeID(node) && $0.label == label })
        return snapshot.threads.filter { $0.comm.hasPrefix("md") }
    }

    private static func log(_ node: Int, hung: Bool, times: Int = 1) throws -> (node: NodeID, log: KernelLog) {
        var lines: [String] = ["Linux version 6.1.0-50-amd64 (x)"]
        for _ in 0..<times {
            for thread in try threads(node, "hang-2") {
                if hung, thread.state == "D" {
                    lines.append("INFO: task \(thread.comm):\(thread.pid) blocked for more than 120 seconds.")
                }
                lines.append("task:\(thread.comm) state:\(thread.state) stack:0 pid:\(thread.pid) ppid:2 flags:0x4000")
                lines += ["Call Trace:", " <TASK>"] + thread.stack.map { " " + $0 } + [" </TASK>"]
            }
        }
        let text = lines.enumerated().map { "[   \(100 + $0 / 1000).\(100_000 + $0)] \($1)" }.joined(separator: "\n")
        return (NodeID(node), KernelLog(text: text))
    }

    private func noHang(_ logs: [(node: NodeID, log: KernelLog)]) throws -> CheckResult {
        let verdict = Judge.verdict(ofLogs: logs, rules: try LogRules.load(directory: projectRules))
        return try #require(verdict.checks.first { $0.name == HangCheck.name })
    }

    @Test func theCycleOverBothNodesIsExplained() throws {
        let check = try noHang([try Self.log(1, hung: true), try Self.log(2, hung: true)])
        #expect(check.answer == .fails)
        let finding = try #require(check.findings.first)
        #expect(finding.nodes == ["node1", "node2"] && finding.fact == FindingFact(.hang, "cycle"))
        #expect(finding.details.contains { $0.contains("recv_daemon") })
        #expect(finding.details.contains { $0.contains("dlm_lock_sync") })
    }

    /// One list of sysrq-t is one moment; two of the same are a hang.
    @Test func whatIsSeenOnceIsNotDecided() throws {
        let once = try noHang([try Self.log(1, hung: false), try Self.log(2, hung: false)])
        #expect(once.answer == .notDecided)
        #expect(once.findings.first?.text.contains("seen once") == true)
        let twice = try noHang([try Self.log(1, hung: false, times: 2), try Self.log(2, hung: false, times: 2)])
        #expect(twice.answer == .fails)
    }

    /// The log of one node alone has one half of the cycle.
    @Test func oneNodeAloneDecidesNothing() throws {
        let check = try noHang([try Self.log(1, hung: true)])
        #expect(check.answer == .notDecided)
    }

    @Test func aLogWithoutStacksHasNoSuchCheck() throws {
        let quiet = (node: NodeID(1), log: KernelLog(text: "[    1.000000] md: md0: recovery done.\n"))
        let verdict = Judge.verdict(ofLogs: [quiet], rules: try LogRules.load(directory: projectRules))
        #expect(verdict.word == .pass && verdict.checks.map(\.name) == [LogCheck.name])
    }

    /// The line that was printed first is a complaint; what came of it is the headline.
    @Test func theCrashIsTheHeadlineAndNotWhatCameBefore() throws {
        let log = KernelLog(text: try Fixture.text("logs/recorded/broken-bitmap-slot-node1.kmsg.log"))
        let verdict = Judge.verdict(ofLogs: [(NodeID(1), log)], rules: try LogRules.load(directory: projectRules))
        #expect(verdict.word == .fail)
        let headline =
            "node1: divide-error (a division by zero) in md_bitmap_create: divide error: 0000 [#1] PREEMPT SMP NOPTI"
        #expect(verdict.reason.hasSuffix(headline), "\(verdict.reason)")
        let names = verdict.checks.first?.findings.compactMap { $0.fact?.subject }
        #expect(names == ["divide-error", "bitmap-superblock"])
    }

    @Test func aTextWithoutKernelLinesIsNotDecided() throws {
        let text = (node: NodeID(1), log: KernelLog(text: "Dear all,\nit does not work.\n"))
        let verdict = Judge.verdict(ofLogs: [text], rules: try LogRules.load(directory: projectRules))
        #expect(verdict.word == .miss)
        let panic = (node: NodeID(1), log: KernelLog(text: "[    1.000000] Kernel panic - not syncing: x\n"))
        let rules = try LogRules.load(directory: projectRules)
        #expect(Judge.verdict(ofLogs: [panic], rules: rules).word == .fail)
    }
}
