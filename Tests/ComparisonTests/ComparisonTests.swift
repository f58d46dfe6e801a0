// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import KernelTrace
import MDClusterModel
import Testing

@testable import Comparison

/// Recorded runs of real kernels (Tests/Fixtures/runs) against the model.
@Suite struct ComparisonTests {
    @Test(arguments: ["smoke", "concurrent-updates", "add-device"])
    func aRunOfTheReferenceKernelConforms(name: String) throws {
        let comparison = try Fixture(name).compared(with: "v5.11")
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
        // Which node received is the run's; its receiving thread gives ack up where the model reads the superblock again.
        let receiver = mismatch.nodes.first { $0.next?.label == "dlm_lock_start(ack, NL, -)" }
        #expect(receiver?.next?.comm.hasPrefix("md0_cluster_rec") == true)
        #expect(receiver?.refusals.contains { $0.stack.contains("process_metadata_update()") } == true)
    }

    @Test func theAsynchronousKernelConformsToItsOwnModel() throws {
        #expect(try Fixture("smoke@async").compared(with: "async").answer == .conforms)
    }

    @Test func lostEventsAreNeverConforming() throws {
        let comparison = try Fixture("smoke").compared(with: "v5.11") { traces in
            var event = traces[1].events[200]
            event.body = .lost(7)
            traces[1].events[200] = event
        }
        #expect(comparison.answer == .notDecided([.lostEvents(NodeID(2), 7, at: 200)]))
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
        let none = try Comparison(
            traces: [(NodeID(1), nil), (NodeID(2), [])], variant: "v5.11")
        #expect(none.answer == .notDecided([.noTrace(NodeID(1))]))
        let empty = try Comparison(traces: [(NodeID(1), []), (NodeID(2), [])], variant: "v5.11")
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
