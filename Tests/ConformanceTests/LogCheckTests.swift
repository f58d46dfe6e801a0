// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import KernelTrace
import RunRecord
import Testing

@testable import Conformance

/// The rules of the project.
let projectRules = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
    .appending(path: "kernel-tests/rules")

@Suite struct LogCheckTests {
    private let quiet = "6,1,1000000,-;md/raid1:md0: active with 2 out of 2 mirrors\n"

    private func judge(_ log: String?, taint: String? = "12288\n", rules: Bool = true) throws -> CheckResult {
        LogCheck.result(
            [node1], logs: log.map { [node1: [KernelLog(text: $0)]] } ?? [:],
            rules: rules ? try LogRules.load(directory: projectRules) : nil,
            scope: { _ in LogScope(scenario: "fail-device", kernelRelease: "6.1.0-56-amd64") },
            taints: taint.map { [node1: $0] } ?? [:])
    }

    @Test func aQuietLogHolds() throws {
        let result = try judge(quiet)
        #expect(result.findings == [])
        #expect(result.answer == .holds)
        #expect(
            result.seen == ["node1: 1 line of kernel log, 0 notes; no taint beyond out-of-tree and unsigned modules"])
    }

    @Test(arguments: [
        "3,2,2000000,-;md-cluster: failed to get EX on MESSAGE (-16)\n",
        "4,2,2000000,-;WARNING: CPU: 0 PID: 131 at drivers/md/md-cluster.c:704 lock_comm+0x1/0x2 [md_cluster]\n",
        "0,2,2000000,-;Kernel panic - not syncing: Fatal exception\n",
    ]) func aLineThatMustNotBeThereFails(line: String) throws {
        let result = try judge(quiet + line)
        #expect(result.answer == .fails)
        #expect(result.findings.count == 1)
        #expect(result.findings[0].time == 2)
        #expect(result.findings[0].node == "node1")
    }

    @Test func theConsoleDoesNotSayItTwice() throws {
        let line = "md-cluster: failed to get EX on MESSAGE (-16)"
        let result = LogCheck.result(
            [node1],
            logs: [node1: [KernelLog(text: "3,1,2000000,-;\(line)\n"), KernelLog(text: "[    2.000000] \(line)\n")]],
            rules: try LogRules.load(directory: projectRules),
            scope: { _ in LogScope(scenario: "s", kernelRelease: "6.1") },
            taints: [node1: "0"])
        #expect(result.findings.count == 1)
    }

    @Test func anUnexpectedTaintFails() throws {
        let result = try judge(quiet, taint: "12800\n")
        #expect(result.answer == .fails)
        #expect(result.findings.map(\.text) == ["the kernel is tainted with W: kernel issued a warning"])
    }

    /// An exception for a WARN() covers the taint that it leaves, and no other WARN().
    @Test func anExceptedWarningExplainsItsTaint() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "mdlab-rules-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let rules = """
            deny: warning
            kind: warning
            text: WARNING: CPU:
            meaning: a WARN() of the kernel was reached

            allow: known
            rule: warning
            text: dlm_add_requestqueue
            scope: all
            reason: a known one
            """
        try Data(rules.utf8).write(to: folder.appending(path: "1.rules"))
        let known =
            "4,2,2000000,-;WARNING: CPU: 0 PID: 9 at fs/dlm/requestqueue.c:47 dlm_add_requestqueue+0xe7/0xf0 [dlm]\n"
        let other = "4,3,3000000,-;WARNING: CPU: 0 PID: 9 at fs/dlm/lock.c:1 x+0x1/0x2 [dlm]\n"
        func judge(_ log: String) throws -> CheckResult {
            LogCheck.result(
                [node1], logs: [node1: [KernelLog(text: log)]], rules: try LogRules.load(directory: folder),
                scope: { _ in LogScope(scenario: "s", kernelRelease: "6.1") }, taints: [node1: "12800"])
        }
        #expect(try judge(quiet + known).answer == .holds)
        #expect(try judge(quiet + known).seen[0].hasSuffix("excepted: known: a known one"))
        #expect(try judge(quiet + known + other).findings.count == 2)
        #expect(try judge(quiet).findings.count == 1)
    }

    /// kmsg has the line that explains the next one, the console only the next one.
    @Test func aConsoleThatShowsLessBlamesNobody() throws {
        let kmsg = """
            4,1,20000000,-;md0: invalid bitmap file superblock: bad magic
            3,2,20000100,-;md_bitmap_copy_from_slot can't get bitmap from slot 2

            """
        let console = "[   20.000100] md_bitmap_copy_from_slot can't get bitmap from slot 2\n"
        func judge(_ logs: [String]) throws -> CheckResult {
            LogCheck.result(
                [node1], logs: [node1: logs.map { KernelLog(text: $0) }],
                rules: try LogRules.load(directory: projectRules), scope: { _ in LogScope() }, taints: [node1: "12288"])
        }
        let both = try judge([kmsg, console])
        #expect(both.answer == .holds)
        #expect(both.findings.map(\.rank) == [.userSpace])
        #expect(try judge([console]).answer == .fails)
        #expect(try judge([console, console]).findings.count == 1)
    }

    @Test func whatWasNotReadIsNotDecided() throws {
        #expect(try judge(nil).answer == .notDecided)
        #expect(try judge(quiet, taint: nil).answer == .notDecided)
        let died = LogCheck.result(
            [node1], logs: [node1: [KernelLog(text: quiet)]], rules: try LogRules.load(directory: projectRules),
            scope: { _ in LogScope(scenario: "node-dies", kernelRelease: "6.1") }, taints: [:], died: [node1])
        #expect(died.answer == .holds)
        #expect(died.seen == ["node1: 1 line of kernel log, 0 notes; taint not read before it died"])
        #expect(try judge(quiet, taint: "garbage").answer == .notDecided)
        #expect(try judge(quiet, rules: false).answer == .notDecided)
        let gap = try judge("6,1,1,-;a\n6,5,2,-;b\n")
        #expect(gap.answer == .notDecided)
        #expect(gap.findings[0].text == "the log lacks 3 records")
        #expect(
            LogCheck.result(
                [], logs: [:], rules: nil, scope: { _ in LogScope(scenario: "s", kernelRelease: "6") }, taints: [:]
            )
            .answer == .notDecided)
    }
}
