// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import RunRecord
import Testing

@testable import Conformance

/// Verdicts on recorded runs: a device failed on one of two nodes, Linux 6.1.
@Suite struct RecordedRunTests {
    private func answers(_ verdict: Verdict) -> [String: CheckAnswer] {
        Dictionary(uniqueKeysWithValues: verdict.checks.map { ($0.name, $0.answer) })
    }

    @Test func theKernelAsItIsPasses() throws {
        let verdict = Judge.verdict(try FixtureRun.load("fail-device-stock"), expecting: Expectations(metadataUpdates: 5))
        #expect(verdict.checks.flatMap(\.findings) == [])
        #expect(verdict.word == .pass)
        #expect(verdict.metadataUpdates.count == 7)
        #expect(verdict.metadataUpdates.count { $0.path == .trylock } == 5)
        #expect(verdict.metadataUpdates.count { $0.path == .holdingMutexForRecvd } == 2)
        #expect(verdict.metadataUpdates.allSatisfy { $0.handling > 0 && ($0.reload ?? 0) > 0 && ($0.reload ?? 0) < $0.handling })
    }

    @Test func deferredHandlingFailsTheSynchronousCheckAlone() throws {
        let verdict = Judge.verdict(try FixtureRun.load("fail-device-async"))
        #expect(verdict.word == .fail)
        #expect(
            answers(verdict) == [
                "synchronous": .fails, "dlm-words": .holds, "agreement": .holds, "kernel-log": .holds, "no-hang": .holds,
            ])
        #expect(verdict.reason.hasPrefix("synchronous: fails: METADATA_UPDATED of node2 mdadm: node1 let go of ack before md_reload_sb"))
        #expect(verdict.metadataUpdates.allSatisfy { $0.path == .none })
        let findings = verdict.checks[0].findings
        #expect(findings.count == 7)
        #expect(findings.allSatisfy { $0.details.count == 1 && $0.details[0].hasPrefix("md_reload_sb was called by md0_raid1 ") })
    }

    /// The record has one set of snapshots of the hang; the second is the same some seconds later, the requests older by as much.
    @Test func theMissingBitIsACycleOverBothNodes() throws {
        var evidence = try FixtureRun.load("fail-device-no-holding-in-start")
        evidence.description.ending = .hung
        for place in evidence.snapshots.indices { evidence.snapshots[place].label = "hang-1" }
        #expect(answers(Judge.verdict(evidence))["no-hang"] == .notDecided)
        evidence.snapshots += evidence.snapshots.map { snapshot in
            var later = snapshot
            later.label = "hang-2"
            later.time += 2
            return later
        }
        let verdict = Judge.verdict(evidence)
        #expect(verdict.word == .fail)
        #expect(verdict.reason == "no-hang: fails: 3 threads of node1, node2 wait for each other in a cycle")
        #expect(answers(verdict)["dlm-words"] == .holds)
        #expect(answers(verdict)["synchronous"] == .notDecided)
        let lines = verdict.checks.first { $0.name == "no-hang" }?.findings.first?.details ?? []
        #expect(lines.count == 3)
        #expect(lines[0].hasPrefix("node1 md0_raid1: dlm_lock_sync(token, EX) <- metadata_update_start <- md_update_sb"))
        #expect(lines[0].hasSuffix("waits for node2 md0_raid1, which holds token EX"))
        #expect(lines[1].contains("dlm_lock_sync(ack, EX) <- __sendmsg <- metadata_update_finish"))
        #expect(lines[2].hasSuffix("recv_daemon waits for reconfig_mutex, held by node1 md0_raid1 (HOLDING_MUTEX_FOR_RECVD is clear)"))
    }

    /// A real trace with one thing changed at a time is never judged as if nothing had happened.
    @Test func bentRealTracesAreCaught() throws {
        let good = try FixtureRun.load("fail-device-stock")
        var caught = 0
        for (place, event) in good.traces[node2]!.enumerated() {
            guard case .dlm(var dlm) = event.body, dlm.kind == .lockStart, let mode = dlm.mode else { continue }
            var bent = good
            dlm.mode = mode == .cw ? .pr : .cw
            bent.traces[node2]![place].body = .dlm(dlm)
            #expect(Judge.verdict(bent).word != .pass, "\(event)")
            caught += 1
        }
        #expect(caught > 50)
    }

    @Test func aRecordWithoutTracesIsAMiss() throws {
        var evidence = try FixtureRun.load("fail-device-stock")
        evidence.traces = [:]
        evidence.unreadable = ["node1/trace.dat": "no such file"]
        let verdict = Judge.verdict(evidence)
        #expect(verdict.word == .miss)
        #expect(verdict.checks[0].findings.map(\.text).contains("node1/trace.dat could not be read: no such file"))
        #expect(answers(verdict)["agreement"] == .holds)
    }
}
