// SPDX-License-Identifier: GPL-2.0
import KernelTrace
import Testing

@testable import Comparison

/// Whether the model can stop where a kernel hung.
@Suite struct HangEndTests {
    @Test func theModelOfTheKernelStopsWhereItHangs() throws {
        let comparison = try Fixture("smoke@no-holding-in-start").compared(with: "no-holding-in-start")
        #expect(HangEnd(comparison) == .stops)
    }

    /// Until the hang all is v5.11's, too; but there HOLDING_MUTEX_FOR_RECVD lets the receiving thread go on.
    @Test func theModelWithTheBitGoesOn() throws {
        let comparison = try Fixture("smoke@no-holding-in-start").compared(with: "v5.11")
        #expect(comparison.answer == .conforms)
        guard case .goesOn(let threads)? = HangEnd(comparison) else {
            Issue.record("\(String(describing: HangEnd(comparison)))")
            return
        }
        #expect(threads.contains { $0.hasSuffix("md0_cluster_recv: enter md_reload_sb(0)") }, "\(threads)")
    }

    @Test func aRunThatWasCutOffIsNoEnd() throws {
        let smoke = try Fixture("smoke")
        #expect(try HangEnd(smoke.compared(with: "v5.11")) == .stops)
        // The last call that ends in the record: nobody else's events come after it.
        func last(_ events: [KernelEvent]) -> Int? {
            events.lastIndex { if case .exit("metadata_update_finish", _) = $0.body { true } else { false } }
        }
        let cut = try smoke.compared(with: "v5.11") { traces in
            let ends = traces.indices.compactMap { node in last(traces[node].events).map { (node: node, place: $0) } }
            let latest = ends.max { traces[$0.node].events[$0.place].time < traces[$1.node].events[$1.place].time }
            if let latest { traces[latest.node].events.removeSubrange(latest.place...) }
        }
        guard case .conforms = cut.answer, case .goesOn? = HangEnd(cut) else {
            Issue.record("\(cut.answer), \(String(describing: HangEnd(cut)))")
            return
        }
    }

    /// All that is left when a run went well is daemons at rest.
    @Test func withoutARunOfTheModelOrAnEndOfTheSearchNothingIsSaid() throws {
        let smoke = try Fixture("smoke").compared(with: "v5.11")
        #expect(HangEnd(smoke) == .stops)
        guard case .notDecided(let states)? = HangEnd(smoke, limit: 100) else {
            Issue.record("a search of 100 states says something")
            return
        }
        #expect(states > 100)
        #expect(try HangEnd(Fixture("smoke").compared(with: "v5.11", limit: 100)) == nil)
    }
}
