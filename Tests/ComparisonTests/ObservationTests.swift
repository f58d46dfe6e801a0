// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import ProtocolTrace
import RunRecord
import TestRecords
import Testing

@testable import Comparison
@testable import KernelTrace

/// Recorded runs that show less than others: the distribution's own modules, and a trace buffer that overran.
@Suite struct ObservationTests {
    static func recording(_ name: String) throws -> Recording {
        try TrimmedRun(name).recording
    }

    static func seen(_ name: String) throws -> (answer: ModelComparison.Answer, seen: Observation) {
        let recording = try recording(name)
        let comparison = try ModelComparison(recording, limit: 400_000)
        return (comparison.answer, Observation(comparison, EndState(comparison, recording), recording.description))
    }

    @Test func stockModulesAreComparedAndWhatTheyDoNotShowIsNamed() throws {
        let stock = try Self.seen("smoke-stock")
        #expect(stock.answer == .conforms)
        #expect(stock.seen.stockModules == ["md-mod", "raid1", "raid10", "md-cluster"])
        #expect(stock.seen.functions.contains("process_recvd_msg"))
        #expect(stock.seen.values.contains { $0.contains("reconfig_mutex") })
        let built = try Self.seen("smoke").seen
        #expect(built.stockModules.isEmpty)
        #expect(built.values != stock.seen.values)
    }

    /// What is in a trace is seen, and nothing else makes it so.
    @Test func aFunctionIsUnseenUntilATraceHasIt() throws {
        let recording = try Self.recording("smoke-stock")
        let machine = try MutationTests.trial("smoke").machine
        let steps: Set = ["lock_token", "process"]
        var traces = recording.nodes.map { $0.trace ?? [] }
        #expect(Observation.functions(of: steps, machine.program, missingIn: traces) == ["lock_token"])
        traces[1][0].body = .function(name: "lock_token", caller: "lock_comm")
        #expect(Observation.functions(of: steps, machine.program, missingIn: traces).isEmpty)
    }

    /// Seen in a run: one node's function tracer had lost the filter for md-cluster, and what the other one shows was
    /// missed on it.
    @Test func aNodeWhoseFunctionTracerDoesNotShowMDClusterConforms() throws {
        let comparison = try Fixture("lost-filter-6.12").compared(with: "v6.11")
        #expect(comparison.answer == .conforms)
        #expect(comparison.figures.matched > 1000)
        #expect(comparison.figures.unobserved.contains("enter load_bitmaps"))
        #expect(comparison.words.nodes.map { $0.unseen.contains(.enter("load_bitmaps")) } == [true, false])
    }

    @Test func aBufferThatOverranIsNeverConforming() throws {
        let recording = try Self.recording("tiny-buffer")
        let trace = try #require(recording.nodes[1].trace)
        let gap = try #require(trace.first { if case .lost = $0.body { true } else { false } })
        guard case .lost(let count) = gap.body else { return }
        #expect(count > 1000)
        // What the other node did after the gap is not searched for to the end.
        guard case .notDecided(let doubts) = try ModelComparison(recording, limit: 3_000).answer else {
            Issue.record("a gap is a doubt")
            return
        }
        #expect(doubts.first == .lostEvents(NodeID(2), count, at: gap.index, time: gap.time))
    }
}
