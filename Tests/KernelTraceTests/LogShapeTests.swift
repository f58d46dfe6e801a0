// SPDX-License-Identifier: GPL-2.0
import Foundation
import TestRecords
import Testing

@testable import KernelTrace

/// One recorded log in all the forms in which people have logs: the lines must be the same.
@Suite struct LogShapeTests {
    /// What a form does to a line: seconds since boot, level, text.
    private static let shapes: [(name: String, line: @Sendable (Double, Int, String) -> String)] = [
        ("a serial line", { String(format: "[%12.6f] ", $0) + $2 + "\r" }),
        ("with a caller", { String(format: "[%12.6f][  T123] ", $0) + $2 }),
        ("with a caller and a blank", { String(format: "[%12.6f] [    C0] ", $0) + $2 }),
        ("with a level", { String(format: "<%d>[%12.6f] ", $1, $0) + $2 }),
        ("dmesg -x", { "kern  :warn  : " + String(format: "[%12.6f] ", $0) + $2 + ($1 == 4 ? "" : "?") }),
        ("dmesg -T", { "[Thu Nov 26 10:00:\(10 + Int($0) % 50) 2026] " + $2 }),
        ("dmesg -H", { ($1 == 4 ? "[Nov26 10:00] " : "[  +0.000012] ") + $2 }),
        ("dmesg -d", { String(format: "[%12.6f <    0.000012>] ", $0) + $2 }),
        ("journald", { "Nov 26 10:00:00 host kernel: " + $2 }),
        ("journald in another language", { "\u{43a}\u{432}\u{456} 09 19:54:36 spock kernel: " + $2 }),
        ("journald -o short-iso", { "2026-11-26T10:00:00+0000 host kernel: " + $2 }),
        ("syslog with the kernel's stamp", { "Nov 26 10:00:00 host kernel: " + String(format: "[%12.6f] ", $0) + $2 }),
        ("a mail that quotes", { "> > " + String(format: "[%12.6f] ", $0) + $2 }),
        ("colours", { "\u{1b}[32m" + String(format: "[%12.6f] ", $0) + "\u{1b}[0m\u{1b}[31m" + $2 + "\u{1b}[0m" }),
        ("bare text", { $2 }),
        ("a block of code in a mail", { ">     " + String(format: "[%12.6f] ", $0) + $2 }),
        ("a mail with blanks that do not break", { ">> " + String(format: "[\u{a0} %.6f] ", $0) + $2 }),
        ("quoted again and again", { "> >> >>> " + String(format: "[%12.6f] ", $0) + $2 }),
        ("quoted with a name", { ">Sasha> " + String(format: "[%12.6f] ", $0) + $2 }),
        ("an editor's line numbers", { String(format: "%d  <4>[%.6f] ", 1162 + $1, $0) + $2 }),
        ("a chat", { String(format: "21:42:17 >>> [%.6f] ", $0) + $2 }),
        ("a collector of netconsole", { String(format: "| [ 1:10.129] 4,12129,%.0f,-;", $0 * 1e6) + $2 }),
        ("dmesg -T in another language", { "[\u{56db} 9\u{6708} 26 20:15:\(10 + Int($0) % 50) 2024] " + $2 }),
        ("dmesg -T with blanks that do not break", { "[Tue Jun\u{a0} 7 09:58:\(10 + Int($0) % 50) 2022] " + $2 }),
        ("dmesg -H in another language", { ($1 == 4 ? "[\u{10d}en 1 13:05] " : "[  +0,000012] ") + $2 }),
        ("dmesg -H on the third", { ($1 == 4 ? "[Jun 3 09:02] " : "[  +0.000012] ") + $2 }),
        ("dmesg --time-format iso", { "2026-11-26T10:00:00,\(100_000 + Int($0))+00:00 " + $2 }),
        ("journald -o short-monotonic", { String(format: "[%12.6f] host kernel: ", $0) + $2 }),
        ("journald -o short-monotonic without the host", { String(format: "[%12.6f] kernel: ", $0) + $2 }),
        ("journald -o short-unix", { String(format: "17826%012.6f host kernel: ", 10_000 + $0) + $2 }),
        ("journald -o short-full", { "Thu 2026-11-26 10:00:00 UTC host kernel: " + $2 }),
        ("journald -o with-unit in the day's own zone", { "2026-11-26T10:00:00+01:00 kernel: " + $2 }),
        ("journald without the host", { "Oct 12 18:12:16 kernel: " + $2 }),
        ("without host and program", { "Jul  2 12:00:06 : " + $2 }),
        ("without date and host", { "kernel: " + $2 }),
        ("without date and host, with a stamp", { "> > kernel: " + String(format: "[%12.6f] ", $0) + $2 }),
        (
            "logread of OpenWrt",
            { "Thu Nov 26 10:00:00 2026 kern.warn kernel: " + String(format: "[%12.6f] ", $0) + $2 }
        ),
    ]

    private static let recorded = """
        WARNING: CPU: 0 PID: 296 at drivers/md/md-cluster.c:723 unlock_comm+0x5c/0x70 [md_cluster]
        CPU: 0 PID: 296 Comm: md0_raid1 Tainted: G           OE      6.1.0-50-amd64 #1  Debian 6.1.176-1
        Call Trace:
         <TASK>
         recv_daemon+0x2d1/0x550 [md_cluster]
         </TASK>
        ---[ end trace 0000000000000000 ]---
        """.split(separator: "\n").map(String.init)

    @Test(arguments: shapes.indices) func everyFormGivesTheSameLines(number: Int) throws {
        let shape = Self.shapes[number]
        let text = Self.recorded.enumerated().map { shape.line(12.5 + Double($0) / 1000, 4, $1) }.joined(
            separator: "\n")
        let log = KernelLog(text: text)
        #expect(log.lines.map(\.text) == Self.recorded, "\(shape.name)")
        #expect(log.lines.filter { !$0.isKernel } == [], "\(shape.name)")
        let rules = try LogRules.load(directory: LogRulesTests.directory)
        let report = rules.match(log, in: LogScope())
        #expect(report.findings.map(\.rule.name) == ["warning"], "\(shape.name)")
        #expect(report.findings.first?.excerpt.count == Self.recorded.count, "\(shape.name)")
    }

    /// Since 2025 the place comes first and the thread's name last.
    @Test func theNewerWarningIsFound() throws {
        let text = "[  1.000000] WARNING: drivers/md/md.c:6348 at md_stop+0x510/0x540 [md_mod], CPU#1: mdadm/314\n"
        let rules = try LogRules.load(directory: LogRulesTests.directory)
        // The module's name stands between place and CPU; both forms are WARN().
        // decode_stacktrace.sh puts the place there.
        let decoded = text.replacing("at md_stop+0x510/0x540", with: "at md_stop drivers/md/md.c:6348 [inline]")
        #expect(rules.match(KernelLog(text: decoded), in: LogScope()).findings.map(\.rule.name) == ["warning"])
        let plain = text.replacing(" [md_mod]", with: "")
        #expect(rules.match(KernelLog(text: plain), in: LogScope()).findings.map(\.rule.name) == ["warning"])
        #expect(rules.match(KernelLog(text: text), in: LogScope()).findings.map(\.rule.name) == ["warning"])
    }

    @Test(arguments: [
        "hello\nworld\n", "Nov 26 10:00:00 host sshd[1]: kernel: BUG: x\n", "[1] + done\n", "[not a stamp] x\n",
        "> quoted\n",
        "> kernel: x\n", "kernel: nothing to see\nkernel: here\n", "[Mon 1 2 3 4] x\n", "[in 1 a:b] x\n", "12:00 x\n",
        "2026-11-26T10:00:00 host sshd[1]: x\n", "17826.123456 host kernel: x\n", "\u{a0}\u{a0}\n", "\u{1b}[",
        "kern :\n", "kern:warn\n", "a kernel: b\n", "Nov 99 99 host kernel: x\n", "\0\0\0",
    ]) func whatIsNoKernelLineIsNone(text: String) {
        #expect(KernelLog(text: text).lines.filter { $0.isKernel } == [])
    }

    /// Another program's line on the kernel's clock.
    @Test func aJournalOnTheKernelsClockHasOtherProgramsToo() {
        let log = KernelLog(
            text: """
                [    1.000000] host kernel: md: md0 stopped.
                [    2.000000] host mdadm[1]: BUG: no kernel
                [    3.000000] host kernel: md: md1 stopped.
                """)
        #expect(log.lines.map(\.isKernel) == [true, false, true])
        #expect(log.lines[0].text == "md: md0 stopped.")
    }

    @Test func garbageIsRead() {
        var random = Xorshift(seed: 7)
        for _ in 0..<300 {
            let bytes = (0..<Int.random(in: 0...400, using: &random)).map { _ in
                let letters = Array("[]<>: .0123456789kernel:task\n\u{1b}".utf8) + [0, 255]
                return letters.randomElement(using: &random) ?? 0
            }
            let log = KernelLog(bytes: bytes)
            #expect(log.threads.count <= log.lines.count)
            #expect(KernelLog(pasted: bytes).lines.count <= log.lines.count)
        }
        #expect(KernelLog(bytes: [UInt8](repeating: 65, count: 8 << 20)).lines.count == 1)
    }

    @Test func stacksOfThreadsAreRead() throws {
        let log = KernelLog(text: try Fixture.text("logs/hung-task.log"))
        let thread = try #require(log.threads.first)
        #expect(log.threads.count == 1 && thread.blockedFor == 5)
        #expect(thread.thread.comm == "md0_cluster_rec" && thread.thread.pid == 314 && thread.thread.state == "D")
        #expect(thread.thread.stack[2] == "recv_daemon+0x2d1/0x550 [md_cluster]")
        #expect(thread.thread.stack.count == 6)
        // As kernels before 5.14 have it.
        let old =
            "[ 1.000000] md0_raid1       D    0   128      2 0x80000000\n[ 1.000001] Call Trace:\n"
            + "[ 1.000002]  schedule+0x28/0x80\n[ 1.000003]  ? guess+0x1/0x2\n[ 1.000004]  dlm_lock_sync+0x8e/0xd0 [md_cluster]\n"
            + "[ 1.000005] other text\n[ 1.000006]  late+0x1/0x2\n"
        let threads = KernelLog(text: old).threads
        #expect(threads.map(\.thread.comm) == ["md0_raid1"] && threads[0].blockedFor == nil)
        #expect(threads[0].thread.stack == ["schedule+0x28/0x80", "dlm_lock_sync+0x8e/0xd0 [md_cluster]"])
        // Kernels before 4.9, and those that are sure of no frame.
        let older = """
            INFO: task md0_raid1:2070 blocked for more than 120 seconds.
            md0_raid1     D 0000000000000000     0  2070      2 0x00000000
             ffff88066bf5fb30 0000000000000046 0000000000000000 ffff880c6d33e800
            Call Trace:
             [<ffffffff811140c0>] ? sync_page+0x0/0x50
             [<ffffffffa007de69>] ? dlm_lock_sync+0x8e/0xd0 [md_cluster]
            """.split(separator: "\n").map { "[    1.000000] \($0)" }.joined(separator: "\n")
        let unsure = try #require(KernelLog(text: older).threads.first)
        #expect(unsure.thread.pid == 2070 && unsure.blockedFor == 120)
        #expect(unsure.thread.stack == ["sync_page+0x0/0x50", "dlm_lock_sync+0x8e/0xd0 [md_cluster]"])
    }
}
