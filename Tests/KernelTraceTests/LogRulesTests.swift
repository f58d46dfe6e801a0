// SPDX-License-Identifier: GPL-2.0
import Foundation
import TestRecords
import Testing

@testable import KernelTrace

@Suite struct LogRulesTests {
    static let directory = Fixture.root.deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "kernel-tests/rules")
    static let scope = LogScope(
        scenario: "fail-device", kernelRelease: "6.1.0-50-amd64", leaves: [], agrees: false)
    static let names: [String] =
        (try? LogRules.load(directory: directory).rules.map(\.name)) ?? ["the rules cannot be read"]

    /// Every rule has its log, and that log trips this rule and no other error.
    @Test(arguments: names) func theLogOfARuleTripsIt(name: String) throws {
        let rules = try LogRules.load(directory: Self.directory)
        let report = rules.match(KernelLog(text: try Fixture.text("logs/\(name).log")), in: Self.scope)
        #expect(report.findings.map(\.rule.name) == [name])
        let finding = try #require(report.findings.first)
        #expect(finding.excerpt.first == finding.line.text)
        #expect(finding.time == finding.line.time && finding.time != nil)
        if finding.rule.stack { #expect(!finding.excerpt.contains { $0.contains("md: md0: recovery done") }) }
    }

    @Test func everyLogBelongsToARule() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Fixture.root.appending(path: "logs").path)
        #expect(Set(files.filter { $0.hasSuffix(".log") }) == Set(Self.names.map { $0 + ".log" }))
    }

    /// Logs of runs in which nothing was wrong.
    @Test(arguments: [
        "fail-device-node1.kmsg.log", "fail-device-node2.console.log", "resync-and-recovery-node2.kmsg.log",
        "stack-of-a-running-thread-node3.kmsg.log",
    ])
    func aCleanLogIsClean(file: String) throws {
        let rules = try LogRules.load(directory: Self.directory)
        let report = rules.match(KernelLog(text: try Fixture.text("logs/clean/\(file)")), in: Self.scope)
        #expect(report.findings == [])
        #expect(report.linesChecked > 0)
    }

    /// The same log must fail when one line of trouble is put into it: the detector is on.
    @Test func oneBadLineInACleanLogIsFound() throws {
        let rules = try LogRules.load(directory: Self.directory)
        let clean = try Fixture.text("logs/clean/resync-and-recovery-node2.kmsg.log")
        let bad = clean + "3,9999,99000000,-;md-cluster: failed to convert CR to EX on ACK(-16)\n"
        let report = rules.match(KernelLog(text: bad), in: Self.scope)
        #expect(report.findings.map(\.rule.name) == ["ack-ex"])
        #expect(report.findings.first?.rule.severity == .error)
        #expect(report.findings.first?.time == 99)
    }

    @Test func aStackBelongsToItsReport() throws {
        let rules = try LogRules.load(directory: Self.directory)
        let report = rules.match(KernelLog(text: try Fixture.text("logs/hung-task.log")), in: Self.scope)
        let finding = try #require(report.findings.first)
        #expect(finding.excerpt.contains(" recv_daemon+0x2d1/0x550 [md_cluster]"))
        #expect(finding.excerpt.last == " </TASK>")
    }

    @Test func twoReportsInARowAreTwo() throws {
        let rules = try LogRules.load(directory: Self.directory)
        let one = "[ 5.000000] INFO: task md0_raid1:296 blocked for more than 5 seconds.\n[ 5.000100] Call Trace:\n"
        let other = one.replacingOccurrences(of: "md0_raid1:296", with: "mdadm:1486")
        let report = rules.match(KernelLog(text: one + other), in: Self.scope)
        #expect(report.findings.map(\.excerpt.count) == [2, 2])
    }

    @Test func anExceptionSaysWhy() throws {
        let rules = try LogRules.load(directory: Self.directory)
        let log = try Fixture.text("logs/hung-task.log").replacingOccurrences(of: "md0_cluster_rec", with: "md0_resync")
        let report = rules.match(KernelLog(text: log), in: Self.scope)
        #expect(report.findings == [])
        #expect(report.excepted.map(\.exception.name) == ["resync-waits-its-turn"])
        #expect(rules.exceptions.allSatisfy { !$0.reason.isEmpty })
    }

    @Test func theLaboratorysOwnWarningIsExceptedAndSaid() throws {
        let rules = try LogRules.load(directory: Self.directory)
        let log = try Fixture.text("logs/clean/stack-of-a-running-thread-node3.kmsg.log")
        let report = rules.match(KernelLog(text: log), in: Self.scope)
        #expect(report.excepted.map(\.exception.name) == ["stack-of-a-running-thread"])
        let other = log.replacingOccurrences(of: "rethook_find_ret_addr", with: "lock_comm")
        #expect(rules.match(KernelLog(text: other), in: Self.scope).findings.map(\.rule.name) == ["warning"])
    }

    /// A run of resync-handover/raid10 on Linux 6.12: node 1 left the lockspace and joined it again.
    @Test func aMessageOfANodeThatLeftIsExceptedOn612Only() throws {
        let rules = try LogRules.load(directory: Self.directory)
        let log = KernelLog(text: try Fixture.text("logs/clean/message-of-a-node-that-left-node2.kmsg.log"))
        let report = rules.match(
            log, in: LogScope(scenario: "resync-handover/raid10", kernelRelease: "6.12.117+deb12-amd64"))
        #expect(report.excepted.map(\.exception.name) == ["message-of-a-node-that-left"])
        #expect(report.findings == [])
        #expect(rules.match(log, in: Self.scope).findings.map(\.rule.name) == ["warning"])
    }

    @Test func exceptionsHoldOnlyInTheirScope() throws {
        var rules = LogRules()
        try rules.add(
            """
            deny: bad
            kind: bug
            text: bad
            meaning: it is bad

            allow: here
            rule: bad
            text: bad
            scope: scenario add-device
            reason: it has to be

            allow: old
            rule: bad
            text: bad
            scope: kernel 5.10. 5.4.
            reason: it was so
            """, path: "x")
        let log = KernelLog(text: "[ 1.000000] bad\n")
        func count(_ scenario: String, _ kernel: String) -> Int {
            rules.match(log, in: LogScope(scenario: scenario, kernelRelease: kernel)).findings.count
        }
        #expect(count("fail-device", "6.1.0") == 1)
        #expect(count("add-device", "6.1.0") == 0)
        #expect(count("fail-device", "5.10.99") == 0)
    }

    /// An exception holds where what it depends on is so, does not hold where it is not, and else nobody knows.
    @Test func anExceptionDependsOnWhatIsKnown() throws {
        let rules = try LogRules.load(directory: Self.directory)
        func outcome(_ log: String, _ change: (inout LogScope) -> Void) -> String {
            var scope = Self.scope
            change(&scope)
            let report = rules.match(KernelLog(text: log), in: scope)
            return "\(report.findings.count) \(report.open.count) \(report.excepted.count)"
        }
        let gaveUp = "[   20.000000] md-cluster: Could not DLM lock bitmap0001: -1\n"
        #expect(outcome(gaveUp) { $0.leaves = [20.5] } == "0 0 1")
        #expect(outcome(gaveUp) { $0.leaves = [200, 3] } == "1 0 0")
        #expect(outcome(gaveUp) { $0.leaves = nil } == "0 1 0")
        // The trace ends before the node could have called leave().
        #expect(outcome(gaveUp) { $0.tracedUntil = 21 } == "0 1 0")
        #expect(outcome(gaveUp) { $0.tracedUntil = 200 } == "1 0 0")
        #expect(outcome(gaveUp.replacing(": -1", with: ": -22")) { $0.leaves = [20.5] } == "1 0 0")
        let busy = "[   20.000000] md: updating array disks failed. -16\n"
        #expect(outcome(busy) { $0.agrees = true } == "0 0 1")
        #expect(outcome(busy) { $0.agrees = false } == "1 0 0")
        #expect(outcome(busy) { $0.agrees = nil } == "0 1 0")
        #expect(outcome(busy.replacing("-16", with: "-22")) { $0.agrees = true } == "1 0 0")
        let cannot = "[   20.100000] md_bitmap_copy_from_slot can't get bitmap from slot 2\n"
        let superblock = "[   20.000000] md0: invalid bitmap file superblock: bad magic\n"
        #expect(outcome(superblock + cannot) { _ in } == "1 0 1")
        #expect(outcome(cannot) { _ in } == "1 0 0")
        #expect(outcome(cannot + superblock) { _ in } == "2 0 0")
        #expect(outcome(superblock + cannot.replacing("20.1", with: "29.1")) { _ in } == "2 0 0")
    }

    @Test func linesOfUserSpaceDoNotTrip() throws {
        let rules = try LogRules.load(directory: Self.directory)
        let report = rules.match(KernelLog(text: "Kernel panic - not syncing: said a shell\n"), in: Self.scope)
        #expect(report.findings == [] && report.linesChecked == 0)
    }

    @Test func manyLines() throws {
        let rules = try LogRules.load(directory: Self.directory)
        var text = ""
        for number in 0..<20_000 {
            text +=
                "6,\(number),\(number)000,-;dlm: c3544980-f077-430c-8c33-2224dd0fa4fa: dlm_recover_directory \(number) in 0 new\n"
        }
        let log = KernelLog(text: text)
        func processorTime() -> Int {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return time.tv_sec
        }
        let start = processorTime()
        let report = rules.match(log, in: Self.scope)
        #expect(report.linesChecked == 20_000 && report.findings == [])
        // A debug build, in seconds of this thread; it is here against a rule that backtracks.
        #expect(processorTime() - start < 60)
    }

    @Test func noRulesIsNotACleanLog() throws {
        let folder = try TemporaryFolder()
        #expect(throws: LogRulesError.empty(path: folder.url.path)) { try LogRules.load(directory: folder.url) }
        let file = folder.url.appending(path: "a.rules")
        try "# only a comment\n".write(to: file, atomically: true, encoding: .utf8)
        #expect(throws: LogRulesError.empty(path: file.path)) { try LogRules.load(directory: folder.url) }
        let missing = folder.url.appending(path: "missing")
        #expect(
            throws: LogRulesError.unreadable(
                path: missing.path, reason: "no such directory, or no permission to read it")
        ) {
            try LogRules.load(directory: missing)
        }
    }

    @Test(arguments: [
        ("nonsense", 1, "not \"key: value\""),
        ("deny: a\nkind: b\ntext:\nmeaning: c", 3, "text is empty"),
        ("deny: a\nkind: b\ntext: c", 1, "no meaning"),
        ("deny: a\nkind: b\ntext: c\ntext: d\nmeaning: e", 4, "text is said twice"),
        ("deny: a\nkind: b\ntext: c\nmeaning: d\npattern: (", 1, "pattern is no regular expression"),
        ("deny: a\nkind: b\ntext: c\nmeaning: d\ncolour: red", 1, "nothing is known of colour"),
        ("deny: a\nkind: b\ntext: c\nmeaning: d\nstack: perhaps", 1, "stack is yes or no"),
        ("deny: a\nkind: b\ntext: c\nmeaning: d\nseverity: dire", 1, "severity is error, note or user-space"),
        ("deny: a\nkind: b\ntext: c\nmeaning: d\nlevel: 9", 1, "level is 0 to 7"),
        ("deny: a\nkind: b\ntext: c\nmeaning: d\n\ndeny: a\nkind: b\ntext: c\nmeaning: d", 6, "a second rule a"),
        ("allow: a\nrule: b\ntext: c\nscope: all", 1, "no reason"),
        (
            "allow: a\nrule: b\ntext: c\nscope: some\nreason: d", 1,
            "scope is \"all\", \"scenario NAME...\", \"kernel RELEASE...\", \"stopping\", \"agreed\" or \"after RULE\""
        ),
        ("kind: b", 1, "an entry begins with \"deny: NAME\" or \"allow: NAME\""),
    ]) func aMistakeIsNamed(text: String, line: Int, reason: String) {
        var rules = LogRules()
        #expect(throws: LogRulesError.malformed(path: "x", line: line, reason: reason)) {
            try rules.add(text, path: "x")
        }
    }

    @Test func anExceptionFromNoRuleIsAMistake() throws {
        let folder = try TemporaryFolder()
        let text = "deny: a\nkind: b\ntext: c\nmeaning: d\n\nallow: e\nrule: f\ntext: g\nscope: all\nreason: h\n"
        try text.write(to: folder.url.appending(path: "a.rules"), atomically: true, encoding: .utf8)
        #expect(
            throws: LogRulesError.malformed(
                path: folder.url.path, line: 0, reason: "exception e is from f, which is no rule")
        ) {
            try LogRules.load(directory: folder.url)
        }
    }
}
