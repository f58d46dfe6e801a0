// SPDX-License-Identifier: GPL-2.0
import Foundation
import RunRecord
import Synchronization
import Testing

@testable import Reporting

private func update(_ path: MetadataUpdate.Path, _ seconds: Double) -> MetadataUpdate {
    MetadataUpdate(
        sender: "node1", senderThread: "md0_raid1", receiver: "node2", path: path, handling: seconds, reload: nil,
        time: 7)
}

private let passing = Verdict(
    scenario: "smoke", variant: nil, kernelRelease: "6.1.0-50-amd64", word: .pass, reason: "2 checks hold",
    checks: [
        CheckResult(name: "synchronous", answer: .holds, seen: ["2 METADATA_UPDATED"]),
        CheckResult(name: "agreement", answer: .notDecided, findings: [Finding("no final snapshot", node: "node2")]),
    ], metadataUpdates: [update(.trylock, 0.0123), update(.holdingMutexForRecvd, 1.5)],
    detectorsOff: ["lockdep": "not in this kernel"])

private let failing = Verdict(
    scenario: "smoke", variant: "async", kernelRelease: "6.1.0-50-amd64", word: .fail,
    reason: "no-hang: a cycle <over> node1 & node2",
    checks: [
        CheckResult(
            name: "no-hang", answer: .fails,
            findings: [Finding("a cycle <over> node1 & node2", details: ["node1 waits", "node2 waits"])])
    ], metadataUpdates: [], detectorsOff: [:])

private func with(_ word: VerdictWord, _ reason: String = "why") -> Verdict {
    var verdict = failing
    (verdict.word, verdict.reason) = (word, reason)
    return verdict
}

@Suite struct KTAPTests {
    @Test func text() {
        var ktap = KTAP()
        let text =
            KTAP.header(tests: 2) + ktap.test(passing, name: "smoke") + ktap.test(failing, name: "smoke # 3")
            + ktap.footer()
        #expect(
            text == """
                KTAP version 1
                1..2
                  KTAP version 1
                  1..2
                  # kernel 6.1.0-50-amd64
                  # sender  thread     receiver  path                         ms
                  # node1   md0_raid1  node2     trylock                    12.3
                  # node1   md0_raid1  node2     HOLDING_MUTEX_FOR_RECVD  1500.0
                  # detector off: lockdep: not in this kernel
                  # synchronous: 2 METADATA_UPDATED
                  ok 1 synchronous
                  # agreement: node2: no final snapshot
                  ok 2 agreement # SKIP not decided: no final snapshot
                ok 1 smoke
                  KTAP version 1
                  1..1
                  # kernel 6.1.0-50-amd64, variant async
                  # no-hang: a cycle <over> node1 & node2
                  #     node1 waits
                  #     node2 waits
                  not ok 1 no-hang
                # no-hang: a cycle <over> node1 & node2
                not ok 2 smoke _ 3
                # Totals: pass:1 fail:1 xfail:0 xpass:0 skip:0 error:0

                """)
        #expect(KTAPValidator.mistakes(in: text) == [])
    }

    @Test(arguments: [
        (with(.xfail), "ok 1 x # XFAIL why", "xfail:1"), (with(.skip), "ok 1 x # SKIP why", "skip:1"),
        (with(.error), "not ok 1 x # ERROR why", "error:1"),
        (with(.miss), "not ok 1 x # ERROR the lab: why", "error:1"),
        (with(.fail, "unexpected pass: y"), "not ok 1 x", "xpass:1"),
    ])
    func words(_ verdict: Verdict, line: String, total: String) {
        var ktap = KTAP()
        let text = KTAP.header(tests: 1) + ktap.test(verdict, name: "x") + ktap.footer()
        #expect(text.split(separator: "\n").contains(Substring(line)))
        #expect(text.contains(total))
        if verdict.word == .xfail { #expect(text.contains("  ok 1 no-hang # XFAIL a cycle")) }
    }

    @Test func aRunWithoutAVerdictIsStillALine() {
        var ktap = KTAP()
        let text =
            KTAP.header(tests: 2) + ktap.missing(name: "a", word: .miss, reason: "node1 did not\nboot")
            + ktap.missing(name: "b", word: .skip, reason: "no") + ktap.footer()
        #expect(text.contains("\nnot ok 1 a # ERROR node1 did not boot\nok 2 b # SKIP no\n"))
        #expect(KTAPValidator.mistakes(in: text) == [])
    }

    @Test func hostileTextStaysInItsLine() {
        var verdict = failing
        verdict.checks[0].findings = [Finding("a\nok 7 forged\r\u{1B}[2J")]
        verdict.detectorsOff = ["x\n1..9": "y"]
        var ktap = KTAP()
        let text = KTAP.header(tests: 1) + ktap.test(verdict, name: "n\nok 9 x") + ktap.footer()
        #expect(KTAPValidator.mistakes(in: text) == [])
        #expect(!text.contains("\u{1B}"))
    }

    @Test(arguments: [
        "1..1\nok 1 a\n", "KTAP version 1\nok 1 a\n", "KTAP version 1\n1..2\nok 1 a\n",
        "KTAP version 1\n1..1\nok 2 a\n",
        "KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n  not ok 1 b\nok 1 a\n",
        "KTAP version 1\n1..1\n  KTAP version 1\n  1..2\n  ok 1 b\nok 1 a\n", "KTAP version 1\n1..1\nok 1 a # MAYBE\n",
    ])
    func theValidatorFindsMistakes(_ text: String) {
        #expect(!KTAPValidator.mistakes(in: text).isEmpty)
    }
}

@Suite struct SummaryTests {
    @Test func text() {
        #expect(
            Summary(colours: false).text(passing, name: "smoke", folder: "runs/1") == """
                PASS  smoke  (kernel 6.1.0-50-amd64)
                      2 checks hold
                  holds        synchronous
                               2 METADATA_UPDATED
                  not decided  agreement
                               node2: no final snapshot

                  METADATA_UPDATED
                    sender  thread     receiver  path                         ms
                    node1   md0_raid1  node2     trylock                    12.3
                    node1   md0_raid1  node2     HOLDING_MUTEX_FOR_RECVD  1500.0

                  detectors that were off
                    lockdep: not in this kernel

                  record: runs/1

                """)
        #expect(
            Summary(colours: false).text(failing, name: "smoke") == """
                FAIL  smoke  (kernel 6.1.0-50-amd64, variant async)
                      no-hang: a cycle <over> node1 & node2
                  FAILS        no-hang
                               a cycle <over> node1 & node2
                                 node1 waits
                                 node2 waits

                """)
        #expect(Summary(colours: false).totals([.pass, .pass, .xfail]) == "3 runs: 2 PASS, 1 XFAIL\n")
    }

    @Test func coloursOnlyWhereTheyAreWanted() {
        #expect(Summary(colours: true).text(failing, name: "x").contains("\u{1B}[31mFAIL"))
        #expect(!Summary(colours: false).text(failing, name: "x").contains("\u{1B}"))
        #expect(Terminal.colours(isTerminal: true, environment: [:]))
        #expect(Terminal.colours(isTerminal: true, environment: ["NO_COLOR": ""]))
        #expect(!Terminal.colours(isTerminal: true, environment: ["NO_COLOR": "1"]))
        #expect(!Terminal.colours(isTerminal: true, environment: ["TERM": "dumb"]))
        #expect(!Terminal.colours(isTerminal: false, environment: [:]))
    }

    @Test func manyMessagesAreCounted() {
        let rows = UpdateTable.rows(Array(repeating: update(.trylock, 0.001), count: 100))
        #expect(rows.count == 42)
        #expect(rows.last == "and 60 more, see verdict.json")
        #expect(UpdateTable.milliseconds(.nan) == "?")
    }
}

@Suite struct JUnitTests {
    @Test func text() throws {
        let text = JUnit.text([("smoke", failing), ("other", passing), ("lab", with(.miss, "no \u{1} boot"))])
        #expect(text.contains("<testsuite name=\"smoke\" tests=\"2\" failures=\"2\" errors=\"0\" skipped=\"0\">"))
        #expect(text.contains("<failure message=\"a cycle &lt;over&gt; node1 &amp; node2\">"))
        #expect(text.contains("<testsuite name=\"other\" tests=\"3\" failures=\"0\" errors=\"0\" skipped=\"1\">"))
        #expect(text.contains("<error message=\"MISS: no   boot\"/>"))
        #expect(JUnit.text([("x", with(.xfail))]).contains("failures=\"0\""))
    }
}

@Suite struct ExitTests {
    @Test(arguments: [
        ([VerdictWord.pass], false, RunExit.pass), ([.xfail, .pass, .skip], false, .pass),
        ([.pass, .fail, .miss], false, .fail),
        ([.pass, .miss], false, .untestable), ([.error], false, .untestable), ([.skip, .skip], false, .skipped),
        ([], false, .untestable), ([.fail], true, .interrupted),
    ])
    func codes(_ words: [VerdictWord], interrupted: Bool, expected: RunExit) {
        #expect(RunExit(words: words, interrupted: interrupted) == expected)
    }
}

@Suite struct VerdictFileTests {
    private func folder() throws -> RunLayout {
        let url = FileManager.default.temporaryDirectory.appending(path: "mdlab-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return RunLayout(root: url)
    }

    @Test func roundTrip() throws {
        let layout = try folder()
        defer { try? FileManager.default.removeItem(at: layout.root) }
        #expect(throws: VerdictFile.Failure.missing(folder: layout.root.path)) { try VerdictFile.read(layout) }
        try VerdictFile.write(passing, name: "smoke", to: layout)
        #expect(try VerdictFile.read(layout) == passing)
        #expect(KTAPValidator.mistakes(in: try String(contentsOf: layout.ktap, encoding: .utf8)) == [])

        let whole = try Data(contentsOf: layout.verdict)
        for length in stride(from: 0, to: whole.count - 2, by: 97) {
            try whole.prefix(length).write(to: layout.verdict)
            #expect(throws: VerdictFile.Failure.self) { try VerdictFile.read(layout) }
        }
        let newer = String(decoding: whole, as: UTF8.self).replacing("\"format\" : 1", with: "\"format\" : 99")
        try Data(newer.utf8).write(to: layout.verdict)
        #expect(throws: VerdictFile.Failure.format(path: layout.verdict.path, format: 99, known: 1)) {
            try VerdictFile.read(layout)
        }
        let nowhere = RunLayout(root: layout.root.appending(path: "none"))
        #expect(throws: VerdictFile.Failure.self) { try VerdictFile.write(passing, name: "x", to: nowhere) }
    }
}

@Suite struct ProgressTests {
    @Test func linesInAPipeAndOneLineOnATerminal() {
        let event = RunEvent(time: 3.14159, kind: .step, node: "node1", text: "mdadm\n--fail", facts: [:])
        func output(live: Bool) -> String {
            let written = Mutex("")
            let progress = RunProgress(live: live, columns: 30) { text in written.withLock { $0 += text } }
            progress.show(event, of: "smoke")
            progress.show(RunEvent(time: 4, kind: .stepEnd, text: "x"), of: "smoke")
            progress.clear()
            return written.withLock { $0 }
        }
        #expect(output(live: false) == "smoke 3.1 s: node1: mdadm --fail\n")
        #expect(output(live: true) == "\r\u{1B}[Ksmoke 3.1 s: node1: mdadm --f\r\u{1B}[K")
    }
}
