// SPDX-License-Identifier: GPL-2.0
import Foundation
import TestRecords
import Testing

@testable import KernelTrace

/// Logs as mails and bug reports show them: broken lines, and reports without a stamp among other text.
@Suite struct PastedLogTests {
    private func log(_ text: String) -> KernelLog { KernelLog(pasted: Array(text.utf8)) }

    private func findings(_ text: String) throws -> [String] {
        try LogRules.load(directory: LogRulesTests.directory).match(log(text), in: LogScope()).findings.map(\.rule.name)
    }

    @Test func aLineThatAMailHasBrokenIsPutTogether() throws {
        let text = """
            > [16098.862049] INFO: task md0_raid1:57927 blocked for more than 368 \u{20}
            > seconds.
            > [16098.863049]       Not tainted 6.11.0-rc1-00078-g761e5afb6ddb-dirty #362
            > [16098.863802] "echo 0 > /proc/sys/kernel/hung_task_timeout_secs"\u{20}
            > disables this message.
            > [16098.864900] task:md0_raid1       state:D stack:0     pid:57927 tgid:57927\u{20}
            > ppid:2      flags:0x00004000
            > [16098.865000] Call Trace:
            > [16098.865100]  metadata_update_start_of_a_long_name.isra.0+0x1f/0x30\u{20}
            > [md_cluster]
            """
        let thread = try #require(log(text).threads.first)
        #expect(thread.blockedFor == 368 && thread.thread.pid == 57927)
        #expect(thread.thread.stack == ["metadata_update_start_of_a_long_name.isra.0+0x1f/0x30 [md_cluster]"])
        #expect(try findings(text) == ["hung-task"])
    }

    /// What was not broken stays what it was: a sentence behind a short line, and a line behind a long one.
    @Test func otherTextIsNotJoined() {
        for text in [
            "[    1.000000] md: md0 stopped.\nThat was all.\n",
            "[    1.000000] Modules linked in: \(String(repeating: "module ", count: 30))\nThat was all.\n",
            "[    1.000000] md: some line that is just as long as a mail program has it\n\nThat was all.\n",
        ] {
            let log = log(text)
            #expect(log.lines.count == 2 && !log.lines[1].isKernel, "\(text)")
        }
    }

    @Test func aReportWithoutAStampIsFoundInAMail() throws {
        let text = """
            Subject: a hang
            Hello, I saw BUG: reports and general protection faults. This is one:

                INFO: task (udev-worker):63822 blocked in I/O wait for more than 122 seconds.
                      Not tainted 7.0.0 #4
                task:(udev-worker)   state:D stack:0     pid:63822 tgid:63822 ppid:2      flags:0x00004000
                Call Trace:
                 <TASK>
                 dlm_lock_sync+0x8e/0xd0 [md_cluster]
                 </TASK>

            failed to convert CR to EX on ACK
            """
        let log = log(text)
        #expect(log.lines.filter(\.isKernel).count == 7)
        #expect(log.threads.map(\.blockedFor) == [122])
        #expect(log.threads.first?.thread.comm == "(udev-worker)")
        #expect(try findings(text) == ["hung-task"])
    }

    /// Each is a report by itself, with the lines that have to follow.
    @Test(arguments: [
        ("WARNING: CPU: 7 PID: 5660 at drivers/md/md-cluster.c:4105 f+0xee/0x100 [md_cluster]", "warning"),
        ("WARNING: drivers/md/md.c:6348 at f+0x510/0x540 [md_mod], CPU#1: mdadm/314", "warning"),
        ("watchdog: BUG: soft lockup - CPU#10 stuck for 27s! [md0_raid10:1293]", "soft-lockup"),
        ("kernel:watchdog: BUG: soft lockup - CPU#3 stuck for 26s! [mdX_resync:6976]", "soft-lockup"),
        ("BUG: kernel NULL pointer dereference, address: 0000000000000040\n#PF: supervisor read", "null-pointer"),
        (
            "BUG: KASAN: use-after-free in f+0x1/0x2\nRead of size 8 at addr ffff888007a0 by task md0_raid1/5\n\nCPU: 1 PID: 5",
            "kasan"
        ),
        (" Call Trace:\n  f+0x1/0x2\n  ? g+0x1/0x2", "call-trace"),
    ])
    func reportsAreKnownByTheirForm(report: String, rule: String) throws {
        #expect(try findings("From: x\n[    1.000000] md: md0 stopped.\n\n\(report)\n\nThat was all.\n") == [rule])
    }

    @Test(arguments: [
        "From: x\nBUG: kernel NULL pointer dereference is what I get\n", "To: x\nOops: I meant raid1\n",
        "From: x\ntask: write a test\n", "Subject: x\nCall Trace:\nthat is all\n",
        "diff --git a/x b/x\n+\tpr_err(\"md-cluster: failed to convert CR to EX on ACK\");\n",
        "From: x\ngeneral protection fault happens when I stop it\n\nINFO: task is done\n",
    ])
    func sentencesAboutReportsAreNone(text: String) {
        #expect(log(text).lines.filter(\.isKernel) == [])
    }
}
