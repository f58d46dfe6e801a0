// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import ProtocolTrace
import RunRecord
import Testing

@testable import Conformance

@Suite struct WordCheckTests {
    @Test(arguments: [2, 3]) func everythingTheKernelSaysIsLegal(count: Int) {
        let result = WordCheck.result(Cluster.everything(count).traces)
        #expect(result.findings == [])
        #expect(result.answer == .holds)
        #expect(result.seen.count == count)
        #expect(result.seen[0].contains("7 messages sent, 4 messages received"), "\(result.seen)")
    }

    /// Each protocol operation of a good trace, left out: no word survives it.
    @Test func everyMissingOperationIsCaught() {
        let good = Cluster.everything(2)
        let starts = good.events[node1]!.filter { isProtocolStart($0) }
        #expect(starts.count >= 70)
        var missed: [String] = []
        for start in starts {
            var bent = good
            bent.events[node1]!.removeAll { same($0, start) }
            let result = WordCheck.result(bent.traces)
            if result.answer == .holds { missed.append("\(start.index) \(letter(start))") }
        }
        // no-new-dev CR of a receiver is optional for the automaton: it depends on the message, which the synchronous
        // check knows. An own bitmap that is never held, a resync lock that is never used, and a NEWDISK that nobody
        // asks about are words as well.
        let optional = [
            "md0_cluster_rec no-new-dev CR", "mdadm no-new-dev EX", "mdadm resync NL", "mdadm bitmap0000 PW",
        ]
        #expect(missed.filter { entry in !optional.contains { entry.hasSuffix($0) } } == [])
        #expect(missed.count <= 4, "\(missed)")
    }

    @Test func everyWrongModeIsCaught() {
        let good = Cluster.everything(2)
        for start in good.events[node1]! where isProtocolStart(start) {
            var bent = good
            guard case .dlm(var dlm) = start.body, let mode = dlm.mode else { continue }
            dlm.mode = mode == .pw ? .cw : .pw
            bent.events[node1]![start.index].body = .dlm(dlm)
            let result = WordCheck.result(bent.traces)
            #expect(result.answer == .fails, "\(start.index) \(letter(start))")
        }
    }

    @Test func swappedConversionsAreNamed() {
        var cluster = Cluster(2)
        cluster.join(node1)
        cluster.sync(node1, "md0_raid1", .token, .ex)
        cluster.sync(node1, "md0_raid1", .message, .cw)
        let result = WordCheck.result([cluster.traces[0]])
        #expect(result.answer == .fails)
        #expect(
            result.findings.first?.text
                == "md0_raid1, as sender: message CW is not legal here: after token EX comes message EX or no-new-dev EX or token NL"
        )
        #expect(
            result.findings.first?.details.last?.contains("md0_raid1-100: message CW  (granted after 0.20 ms)") == true)
    }

    @Test func anAckGivenTwiceIsCaught() {
        var cluster = Cluster(2)
        cluster.join(node1)
        cluster.sync(node1, Cluster.recv, .message, .cr)
        cluster.sync(node1, Cluster.recv, .ack, .nl)
        cluster.sync(node1, Cluster.recv, .ack, .cr)
        let result = WordCheck.result([cluster.traces[0]])
        #expect(result.answer == .fails)
        #expect(result.findings[0].text.contains("as receiver: ack CR is not legal here"))
        #expect(result.findings[0].text.hasSuffix("comes message PR"))
    }

    @Test func aRequestBeforeTheAnswerIsCaught() {
        var cluster = Cluster(2)
        cluster.join(node1)
        cluster.ask(node1, "md0_raid1", .token, .ex)
        cluster.ask(node1, "md0_raid1", .message, .ex)
        let result = WordCheck.result([cluster.traces[0]])
        #expect(result.answer == .fails)
        #expect(
            result.findings[0].text.contains("message EX is asked for while token EX of md0_raid1 has no answer yet"))
    }

    @Test func aFailedConversionIsCaught() {
        var cluster = Cluster(2)
        cluster.join(node1)
        cluster.dlm(node1, "md0_raid1", .lockStart, .token, .ex, flags: 4)
        cluster.dlm(node1, "md0_raid1", .lockEnd, .token, .ex, flags: 4, status: -16)
        let result = WordCheck.result([cluster.traces[0]])
        #expect(result.answer == .fails)
        #expect(result.findings[0].text.contains("token EX failed with -16"))
    }

    @Test func aRefusedDiskMustGiveTheTokenBack() {
        var cluster = Cluster(2)
        cluster.join(node1)
        cluster.message(node1, .newDisk, by: "mdadm", keepToken: true)
        cluster.ask(node1, "mdadm", .noNewDev, .ex, flags: 5)
        cluster.grant(node1, .noNewDev, status: -11)
        cluster.sync(node1, "mdadm", .noNewDev, .cr)
        let result = WordCheck.result([cluster.traces[0]])
        #expect(result.answer == .fails)
        #expect(result.findings[0].text.hasSuffix("comes token NL"))
    }

    @Test func confirmOutsideOfNewDiskIsCaught() {
        var cluster = Cluster(2)
        cluster.join(node1)
        cluster.sync(node1, "mdadm", .noNewDev, .nl)
        let result = WordCheck.result([cluster.traces[0]])
        #expect(result.answer == .fails)
        #expect(result.findings[0].text.contains("no-new-dev NL while no NEWDISK is being handled"))
    }

    @Test func confirmWhileNewDiskIsHandledIsLegal() {
        var cluster = Cluster(2)
        cluster.join(node1)
        cluster.sync(node1, Cluster.recv, .message, .cr)
        cluster.sync(node1, "mdadm", .noNewDev, .nl)
        cluster.sync(node1, Cluster.recv, .ack, .nl)
        cluster.sync(node1, Cluster.recv, .message, .pr)
        cluster.sync(node1, Cluster.recv, .ack, .cr)
        cluster.sync(node1, Cluster.recv, .message, .nl)
        #expect(WordCheck.result([cluster.traces[0]]).answer == .holds)
    }

    @Test func anInterruptedResyncIsLegal() {
        var cluster = Cluster(2)
        cluster.join(node1)
        cluster.ask(node1, "md0_resync", .resync, .ex)
        cluster.dlm(node1, "md0_resync", .unlockStart, .resync, nil, flags: 2)
        cluster.grant(node1, .resync, status: -0x10001)
        cluster.leave(node1)
        let result = WordCheck.result([cluster.traces[0]])
        #expect(result.findings == [])
        #expect(result.answer == .holds)
    }

    /// As seen in a real trace: the unlock is asked for before the ast of the cancelled request came.
    @Test func theUnlockAfterACancelHasAnAnswerOfItsOwn() {
        var cluster = Cluster(2)
        cluster.join(node1)
        let bitmap = LockResource.bitmap(slot: 1)
        cluster.sync(node1, "md0_recover", bitmap, .nl, flags: 0x408)
        cluster.ask(node1, "md0_recover", bitmap, .pw, flags: 0xc)
        cluster.dlm(node1, "md0_recover", .unlockStart, bitmap, nil, flags: 2)
        cluster.dlm(node1, "md0_recover", .unlockEnd, bitmap, nil, flags: 2, status: 0)
        cluster.dlm(node1, "md0_recover", .unlockStart, bitmap, nil, flags: 0x20000)
        cluster.dlm(node1, "md0_recover", .unlockEnd, bitmap, nil, flags: 0x20000, status: 0)
        cluster.grant(node1, bitmap, status: -0x10001)
        cluster.grant(node1, bitmap, status: -0x10002)
        let result = WordCheck.result([cluster.traces[0]])
        #expect(result.findings == [])
        #expect(result.answer == .holds)
        #expect(
            result.seen.contains {
                $0.hasPrefix("node1 md0_recover: the ast of the cancelled bitmap0001 came after lockres_free")
            })
    }

    @Test func aCutTraceIsLegalAndSaidAnUncutOneIsAQuestion() {
        var cluster = Cluster(2)
        cluster.join(node1)
        cluster.ask(node1, "md0_raid1", .token, .ex)
        var trace = cluster.traces[0]
        let open = WordCheck.result([trace])
        #expect(open.answer == .notDecided)
        #expect(
            open.findings[0].text == "as sender: the trace ends inside a word, after token EX of md0_raid1, unanswered")
        trace.cut = "the run hung"
        let cut = WordCheck.result([trace])
        #expect(cut.answer == .holds)
        #expect(cut.seen.contains { $0.contains("ends inside a word") && $0.hasSuffix("(the run hung)") })
    }

    @Test func aTraceThatBeginsInTheMiddleIsJudgedFromThere() {
        let good = Cluster.everything(2)
        for cutAt in stride(from: 10, to: 200, by: 7) {
            var bent = good
            bent.events[node1]!.removeFirst(cutAt)
            #expect(WordCheck.result([bent.traces[0]]).findings == [], "from \(cutAt)")
        }
    }

    @Test func lostEventsAreAGapNotAViolation() {
        var bent = Cluster.everything(2)
        let hole = 150..<170
        for index in hole { bent.events[node1]![index].body = .other(system: "x", name: "y", fields: [:]) }
        #expect(WordCheck.result([bent.traces[0]]).answer == .fails)
        bent.events[node1]![hole.upperBound - 1].body = .lost(20)
        let result = WordCheck.result([bent.traces[0]])
        #expect(result.findings == [])
        #expect(result.seen[0].hasSuffix("1 gap in the trace"))
    }

    @Test func anEmptyTraceIsNotDecided() {
        let result = WordCheck.result([NodeTrace(node: node1, events: [])])
        #expect(result.answer == .notDecided)
        #expect(result.findings[0].text == "there is no trace")
        #expect(WordCheck.result([]).answer == .notDecided)
        // Two nodes of which one never joined: its trace has events, and none of an array.
        var cluster = Cluster(2)
        cluster.join(node1)
        cluster.add(node2, "mdadm", .function(name: "md_open", caller: "x"))
        #expect(WordCheck.result(cluster.traces).answer == .holds)
        #expect(WordCheck.result(cluster.traces).seen[1] == "node2: no lock of a clustered array: it never joined")
        #expect(WordCheck.result([cluster.traces[1]]).answer == .notDecided)
    }

    @Test func anUnknownLockIsNamed() {
        var cluster = Cluster(2)
        cluster.join(node1)
        cluster.sync(node1, "mdadm", LockResource(rawValue: "surprise"), .nl, flags: 0x400)
        let result = WordCheck.result([cluster.traces[0]])
        #expect(result.answer == .fails)
        #expect(result.findings[0].text == "mdadm: md-cluster.c has no lock named surprise")
    }

    @Test func mdadmsOwnLockspaceIsNotTheArrays() {
        var cluster = Cluster(2)
        cluster.join(node1)
        cluster.add(
            node1, "mdadm",
            .dlm(
                DLMEvent(
                    kind: .lockStart, lockspace: 99, lock: 1, resource: LockResource(rawValue: "bitmapmdlab"),
                    mode: .pw,
                    flags: 1, status: nil)))
        #expect(WordCheck.result([cluster.traces[0]]).answer == .holds)
    }
}

private func isProtocolStart(_ event: KernelEvent) -> Bool {
    guard case .dlm(let dlm) = event.body else { return false }
    return dlm.kind == .lockStart
}

private func letter(_ event: KernelEvent) -> String {
    guard case .dlm(let dlm) = event.body else { return "" }
    return "\(event.comm) \(dlm.resource) \(dlm.mode ?? .none)"
}

/// The start event itself, and the end and ast that belong to it.
private func same(_ event: KernelEvent, _ start: KernelEvent) -> Bool {
    guard case .dlm(let dlm) = event.body, case .dlm(let begun) = start.body, dlm.lock == begun.lock else {
        return false
    }
    if event.index == start.index { return true }
    return event.index > start.index && event.index <= start.index + 2 && (dlm.kind == .lockEnd || dlm.kind == .ast)
}
