// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import KernelTrace
import RunRecord
import Testing

@testable import Conformance

/// The rules of the project.
let projectRules = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "kernel-tests/rules")

@Suite struct LogCheckTests {
    private let quiet = "6,1,1000000,-;md/raid1:md0: active with 2 out of 2 mirrors\n"

    private func judge(_ log: String?, taint: String? = "12288\n", rules: Bool = true) throws -> CheckResult {
        LogCheck.result(
            [node1], logs: log.map { [node1: [KernelLog(text: $0)]] } ?? [:], rules: rules ? try LogRules.load(directory: projectRules) : nil,
            scope: LogScope(scenario: "fail-device", kernelRelease: "6.1.0-56-amd64"), taints: taint.map { [node1: $0] } ?? [:])
    }

    @Test func aQuietLogHolds() throws {
        let result = try judge(quiet)
        #expect(result.findings == [])
        #expect(result.answer == .holds)
        #expect(result.seen == ["node1: 1 line of kernel log, 0 notes; no taint beyond out-of-tree and unsigned modules"])
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
            [node1], logs: [node1: [KernelLog(text: "3,1,2000000,-;\(line)\n"), KernelLog(text: "[    2.000000] \(line)\n")]],
            rules: try LogRules.load(directory: projectRules), scope: LogScope(scenario: "s", kernelRelease: "6.1"), taints: [node1: "0"])
        #expect(result.findings.count == 1)
    }

    @Test func anUnexpectedTaintFails() throws {
        let result = try judge(quiet, taint: "12800\n")
        #expect(result.answer == .fails)
        #expect(result.findings.map(\.text) == ["the kernel is tainted with W: kernel issued a warning"])
    }

    @Test func whatWasNotReadIsNotDecided() throws {
        #expect(try judge(nil).answer == .notDecided)
        #expect(try judge(quiet, taint: nil).answer == .notDecided)
        #expect(try judge(quiet, taint: "garbage").answer == .notDecided)
        #expect(try judge(quiet, rules: false).answer == .notDecided)
        let gap = try judge("6,1,1,-;a\n6,5,2,-;b\n")
        #expect(gap.answer == .notDecided)
        #expect(gap.findings[0].text == "the log lacks 3 records")
        #expect(LogCheck.result([], logs: [:], rules: nil, scope: LogScope(scenario: "s", kernelRelease: "6"), taints: [:]).answer == .notDecided)
    }
}
