// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import KernelTrace
import MDClusterModel
import Testing

@testable import Comparison

/// Recorded runs of real kernels (Tests/Fixtures/runs) against the model.
@Suite struct ModelComparisonTests {
    @Test(arguments: ["smoke", "concurrent-updates", "add-device"])
    func aRunOfTheReferenceKernelConforms(name: String) throws {
        let comparison = try Fixture.reference(name)
        #expect(comparison.answer == .conforms)
        #expect(comparison.figures.matched == comparison.words.count)
        #expect(comparison.figures.matched > 300)
        #expect(comparison.figures.messages["METADATA_UPDATED", default: 0] > 0)
    }

    @Test func theAsynchronousKernelAcknowledgesBeforeItReloads() throws {
        let comparison = try Fixture("smoke@async").compared(with: "v5.11")
        guard case .doesNotConform(let mismatch) = comparison.answer else {
            Issue.record("\(comparison.answer)")
            return
        }
        // Which node received is the run's; its receiving thread gives ack up where the model reads the superblock
        // again.
        let receiver = mismatch.nodes.first { $0.next?.label.description == "dlm_lock_start(ack, NL, -)" }
        #expect(receiver?.next?.comm.hasPrefix("md0_cluster_rec") == true)
        #expect(receiver?.refusals.contains { $0.stack.contains("process_metadata_update()") } == true)
    }

    @Test func theAsynchronousKernelConformsToItsOwnModel() throws {
        #expect(try Fixture("smoke@async").compared(with: "async").answer == .conforms)
    }

    @Test func lostEventsAreNeverConforming() throws {
        var time: UInt64 = 0
        let comparison = try Fixture("smoke").compared(with: "v5.11") { traces in
            var event = traces[1].events[200]
            event.body = .lost(7)
            traces[1].events[200] = event
            time = event.time
        }
        #expect(comparison.answer == .notDecided([.lostEvents(NodeID(2), 7, at: 200, time: time)]))
    }

    @Test func aTraceWithoutItsBeginningIsNotDecided() throws {
        let comparison = try Fixture("smoke").compared(with: "v5.11") { traces in
            let first = traces[0].events.firstIndex { event in
                if case .dlm(let dlm) = event.body { return dlm.kind == .ast && dlm.resource == .token }
                return false
            }
            traces[0].events.removeFirst(first ?? 0)
        }
        guard case .notDecided(let doubts) = comparison.answer else {
            Issue.record("\(comparison.answer)")
            return
        }
        #expect(doubts.contains { if case .begun(NodeID(1), _) = $0 { true } else { false } })
    }

    @Test func noTraceAndNoArrayAreNotDecided() throws {
        let none = try ModelComparison(
            traces: [(NodeID(1), nil), (NodeID(2), [])], variant: "v5.11")
        #expect(none.answer == .notDecided([.noTrace(NodeID(1))]))
        let empty = try ModelComparison(traces: [(NodeID(1), []), (NodeID(2), [])], variant: "v5.11")
        #expect(empty.answer == .notDecided([.noArray]))
        #expect(throws: ModelError.self) { try Fixture("smoke").compared(with: "v0.1") }
    }

    @Test func aSearchThatGivesUpSaysSo() throws {
        let comparison = try Fixture("smoke").compared(with: "v5.11", limit: 100)
        guard case .notDecided(let doubts) = comparison.answer else {
            Issue.record("\(comparison.answer)")
            return
        }
        #expect(doubts == [.limit(states: comparison.figures.states)])
    }
}

@Suite struct HangTests {
    @Test func theHangWithoutTheBitIsTheModelsDeadlock() throws {
        let match = try HangMatch.find(
            in: Fixture("smoke@no-holding-in-start").snapshots, variant: "no-holding-in-start")
        guard case .deadlock(let signature, let deadlock) = match else {
            Issue.record("\(match)")
            return
        }
        #expect(signature.waiters.count == 3)
        #expect(deadlock.steps > 10)
    }

    /// Stacks alone are not enough: the locks must be asked for, and the mutex held, as in the model.
    @Test func aHangWithOtherLocksIsNotTheModels() throws {
        var snapshots = try Fixture("smoke@no-holding-in-start").snapshots
        for index in snapshots.indices { snapshots[index].arrays?[0].reconfigMutexOwner = nil }
        #expect(try HangMatch.find(in: snapshots, variant: "no-holding-in-start", workloads: []) != .noHang)
        let found = try DeadlockSearch(
            variant: "no-holding-in-start", nodes: 2, workload: Workload("fail", nodes: 2), limit: 400_000)
        let hang = try Fixture("smoke@no-holding-in-start").snapshots.filter { $0.label == "hang-2" }
        let free = snapshots.filter { $0.label == "hang-2" }
        let signature = try #require(found.deadlocks.compactMap(\.signatures.first).first { $0.waiters.count == 3 })
        #expect(found.deadlocks.contains { $0.isSeen(signature, in: hang) })
        #expect(!found.deadlocks.contains { $0.isSeen(signature, in: free) })
    }

    /// The model without the wake-up ends with a receiving thread that sleeps though the bit is set.
    @Test func aLostWakeUpHasASignatureOfItsOwn() throws {
        let search = try DeadlockSearch(
            variant: "no-wakeup", nodes: 2, workload: Workload("fail", nodes: 2), limit: 400_000)
        let asleep = search.deadlocks.flatMap(\.signatures).filter(\.isLostWakeUp)
        #expect(asleep.contains { $0.waiters.map(\.role) == ["cluster_recv"] })
        #expect(search.deadlocks.contains { $0.waits.contains { $0.waitsFor == .wakeUp } })
    }

    @Test func whatARecordDidIsAWorkload() throws {
        let did = RecordedOperations.workload(of: try Fixture("smoke@no-holding-in-start").traces)
        #expect(did?.nodes == 2)
        #expect(did?.text.contains("fail") == true)
        let removal = RecordedOperations.workload(of: try Fixture("remove-device").traces)
        #expect(removal?.text.split(separator: "/").first == "fail,remove")
        #expect(RecordedOperations.workload(of: [(NodeID(1), []), (NodeID(2), [])]) == nil)
        #expect(RecordedOperations.workload(of: [(NodeID(1), [])]) == nil)
    }

    @Test func theReferenceHasNoSuchDeadlock() throws {
        let match = try HangMatch.find(
            in: Fixture("smoke@no-holding-in-start").snapshots, variant: "v5.11", workloads: [(2, "fail/")])
        guard case .notInModel = match else {
            Issue.record("\(match)")
            return
        }
        #expect(try HangMatch.find(in: Fixture("smoke").snapshots, variant: "v5.11") == .noHang)
    }
}
