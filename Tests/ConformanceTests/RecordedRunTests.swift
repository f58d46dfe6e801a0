// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import ProtocolTrace
import KernelTrace
import RunRecord
import TestRecords
import Testing

@testable import Conformance

/// Verdicts on recorded runs of Linux 6.1 on two nodes.
@Suite struct RecordedRunTests {
    private func answers(_ verdict: Verdict) -> [String: CheckAnswer] {
        Dictionary(uniqueKeysWithValues: verdict.checks.map { ($0.name, $0.answer) })
    }

    @Test func theKernelAsItIsPasses() throws {
        let verdict = Judge.verdict(try FixtureRun.load("smoke"), expecting: Expectations(metadataUpdates: 5))
        #expect(verdict.checks.flatMap(\.findings) == [])
        #expect(verdict.word == .pass)
        #expect(verdict.metadataUpdates.count == 7)
        #expect(verdict.metadataUpdates.count { $0.path == .trylock } == 5)
        #expect(verdict.metadataUpdates.count { $0.path == .holdingMutexForRecvd } == 2)
        #expect(
            verdict.metadataUpdates.allSatisfy {
                $0.handling > 0 && ($0.reload ?? 0) > 0 && ($0.reload ?? 0) < $0.handling
            })
    }

    @Test func deferredHandlingFailsTheSynchronousCheckAlone() throws {
        let verdict = Judge.verdict(try FixtureRun.load("smoke@async"))
        #expect(verdict.word == .fail)
        #expect(
            answers(verdict) == [
                "synchronous": .fails, "dlm-words": .holds, "agreement": .holds, "kernel-log": .holds,
                "no-hang": .holds,
            ])
        #expect(
            verdict.reason
                == "synchronous: fails: METADATA_UPDATED of node2 mdadm: node1 let go of ack before md_reload_sb had returned"
        )
        #expect(verdict.metadataUpdates.allSatisfy { $0.path == .none })
        let findings = verdict.checks[0].findings
        #expect(findings.count == 7)
        #expect(
            findings.allSatisfy {
                $0.details.count == 1 && $0.details[0].hasPrefix("md_reload_sb was called by md0_raid1 ")
            })
    }

    @Test func theMissingBitIsACycleOverBothNodes() throws {
        var evidence = try FixtureRun.load("smoke@no-holding-in-start")
        let verdict = Judge.verdict(evidence)
        #expect(verdict.word == .fail)
        #expect(verdict.reason == "no-hang: fails: 3 threads of node1, node2 wait for each other in a cycle")
        #expect(answers(verdict)["dlm-words"] == .holds)
        #expect(answers(verdict)["kernel-log"] == .holds)
        #expect(answers(verdict)["synchronous"] == .notDecided)
        let lines = verdict.checks.first { $0.name == HangCheck.name }?.findings.first?.details ?? []
        #expect(lines.count == 3)
        #expect(
            lines[0].hasPrefix("node1 md0_raid1: dlm_lock_sync(token, EX) <- metadata_update_start <- md_update_sb"))
        #expect(lines[0].hasSuffix("waits for node2 md0_raid1, which holds token EX"))
        #expect(lines[1].contains("dlm_lock_sync(ack, EX) <- __sendmsg <- metadata_update_finish"))
        #expect(
            lines[2].hasSuffix(
                "recv_daemon waits for reconfig_mutex, held by node1 md0_raid1 (HOLDING_MUTEX_FOR_RECVD is clear)"))

        // The same without the kernel's memory, and then with one set of snapshots only.
        for place in evidence.snapshots.indices { evidence.snapshots[place].arrays = nil }
        #expect(answers(Judge.verdict(evidence))["no-hang"] == .fails)
        evidence.snapshots.removeAll { $0.label == "hang-2" }
        #expect(answers(Judge.verdict(evidence))["no-hang"] == .notDecided)
    }

    /// What the other scenarios bring: adding with and without confirmation, two messages under one token, cancelled
    /// resyncs, stopping and assembling again. Their kernel logs are judged where the rules are tested.
    @Test(arguments: [
        ("concurrent-updates", 34, 19), ("add-device", 30, 2), ("add-device-missing", 3, 0), ("grow-size", 10, 3),
        ("stop-while-resyncing", 6, 0),
        ("resync-handover", 24, 0),
    ]) func otherScenariosHold(name: String, receptions: Int, holding: Int) throws {
        let verdict = Judge.verdict(try FixtureRun.load(name))
        for check in verdict.checks where check.name != LogCheck.name {
            #expect(check.findings == [], "\(check.name)")
            #expect(check.answer == .holds, "\(check.name)")
        }
        #expect(verdict.metadataUpdates.count == receptions)
        #expect(verdict.metadataUpdates.count { $0.path == .holdingMutexForRecvd } == holding)
    }

    /// Seen in a run: the node had answered 0.3 s late, and the joins and leaves of its record could not be placed.
    @Test(arguments: [-0.4, -0.15, 0.15, 0.4]) func aClockThatIsFarOffLeavesNothingUndecided(error: Double) throws {
        var run = try FixtureRun.load("stop-while-resyncing")
        let right = Judge.verdict(run).metadataUpdates
        run.description.clockOffsets[0] += error
        let verdict = Judge.verdict(run)
        #expect(verdict.checks.first { $0.name == SynchronousCheck.name }?.answer == .holds)
        #expect(verdict.metadataUpdates.map(\.path) == right.map(\.path))
    }

    /// mdlab killed or a node dead at any moment, with names and without: what is left of a healthy kernel never fails.
    @Test(arguments: ["smoke", "concurrent-updates", "add-device", "stop-while-resyncing", "grow-size"])
    func whatIsLeftOfAHealthyRunNeverFails(name: String) throws {
        let whole = try TrimmedRun(name).recording
        let rules = try LogRules.load(directory: projectRules)
        for seed in 0..<12 {
            var run = whole
            let died = seed % 4 == 3
            run.description.ending = died ? .finished : .running
            if died { run.events.append(RunEvent(time: 1e9, kind: .nodeDied, node: "node2", text: "died")) }
            for node in run.nodes.indices where !died || node == 1 {
                let count = run.nodes[node].trace?.count ?? 0
                run.nodes[node].trace?.removeLast((seed * 613 + node * (seed + 7) * 31) % count)
                run.nodes[node].snapshots.removeAll { $0.label == "final" }
                guard seed % 2 == 0 || died else { continue }
                run.forgetNames(of: node)
            }
            run.identifyThreads()
            let verdict = Judge.verdict(Evidence(run, rules: rules))
            for check in verdict.checks where check.name != AgreementCheck.name {
                #expect(check.answer != .fails, "\(seed): \(check.name): \(check.findings.first?.text ?? "")")
            }
        }
    }

    /// No thread of node 3 has a name, and it had received messages before its power was cut.
    @Test func aNodeThatDiedLateIsNotBlamed() throws {
        let verdict = Judge.verdict(try FixtureRun.load("node-dies-late"))
        for check in verdict.checks { #expect(check.findings == [], "\(check.name)") }
        #expect(verdict.word == .pass)
        #expect(verdict.metadataUpdates.count == 20)
        #expect(verdict.metadataUpdates.contains { $0.senderThread.hasPrefix("raid1d (") && $0.sender == "node3" })
        let seen = verdict.checks[0].seen
        #expect(seen.first?.hasPrefix("16 METADATA_UPDATED of 16 messages: 20 receptions") == true, "\(seen)")
    }

    @Test func aRunThatWasKilledIsNotBlamed() throws {
        let verdict = Judge.verdict(try FixtureRun.load("killed"))
        #expect(verdict.word == .miss)
        #expect(!verdict.checks.contains { $0.answer == .fails })
        let words = try #require(verdict.checks.first { $0.name == WordCheck.name })
        #expect(words.answer == .holds && words.findings == [])
        #expect(!verdict.metadataUpdates.isEmpty)
    }

    /// Without names a broken kernel is caught all the same.
    @Test func aBrokenKernelIsCaughtWithoutNames() throws {
        var run = try TrimmedRun("smoke@async").recording
        for node in run.nodes.indices {
            run.forgetNames(of: node)
        }
        run.identifyThreads()
        let verdict = Judge.verdict(Evidence(run, rules: nil))
        #expect(answers(verdict)["synchronous"] == .fails && answers(verdict)["dlm-words"] == .holds)
    }

    @Test func theLateAstOfACancelIsTold() throws {
        let verdict = Judge.verdict(try FixtureRun.load("stop-while-resyncing"))
        let seen = verdict.checks.first { $0.name == WordCheck.name }?.seen ?? []
        #expect(
            seen.contains {
                $0.hasPrefix("node1 md0_recover: the ast of the cancelled bitmap0001 came after lockres_free")
            })
    }

    /// A real trace with one thing changed at a time is never judged as if nothing had happened.
    @Test func bentRealTracesAreCaught() throws {
        let good = try FixtureRun.load("smoke").traces.sorted { $0.key < $1.key }.map {
            NodeTrace(node: $0.key, events: $0.value)
        }
        #expect(WordCheck.result(good).answer == .holds)
        var caught = 0
        for (place, event) in good[1].events.enumerated() {
            guard case .dlm(var dlm) = event.body, dlm.kind == .lockStart, let mode = dlm.mode else { continue }
            var bent = good
            dlm.mode = mode == .cw ? .pr : .cw
            var events = bent[1].events
            events[place].body = .dlm(dlm)
            bent[1] = NodeTrace(node: bent[1].node, events: events)
            #expect(WordCheck.result(bent).answer == .fails, "\(event)")
            caught += 1
        }
        #expect(caught > 50)
    }

    @Test func aRecordWithoutTracesIsAMiss() throws {
        var evidence = try FixtureRun.load("smoke")
        evidence.traces = [:]
        evidence.unreadable = ["node1/trace.dat": "no such file"]
        let verdict = Judge.verdict(evidence)
        #expect(verdict.word == .miss)
        #expect(verdict.checks[0].findings.map(\.text).contains("node1/trace.dat could not be read: no such file"))
        #expect(answers(verdict)["agreement"] == .holds)
    }
}
