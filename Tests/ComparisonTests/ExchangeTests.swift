// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import Testing

@testable import Comparison

@Suite struct ExchangeTests {
    @Test func everyMessageHasItsReceivers() throws {
        let (fixture, comparison) = try #require(EndStateTests.compared["remove-device"])
        let exchanges = comparison.exchanges(fixture.traces)
        #expect(exchanges.count == comparison.figures.messages.values.reduce(0, +))
        #expect(exchanges.count { $0.type == "REMOVE" } == 1)
        let heard = exchanges.filter { !$0.receivers.isEmpty }
        // Every pass of a receiving thread belongs to one of them.
        let passes = fixture.traces.flatMap(\.events).count { event in
            if case .entry("recv_daemon", _) = event.body { true } else { false }
        }
        #expect(heard.flatMap(\.receivers).count == passes)
        for exchange in heard {
            let receiver = exchange.receivers[0]
            #expect(receiver.node != exchange.sender)
            let times = [exchange.token, exchange.begun, exchange.locked, exchange.published, exchange.acknowledged]
            #expect(times.compactMap { $0 } == times.compactMap { $0 }.sorted())
            #expect(times.allSatisfy { $0 != nil })
            let handled = [receiver.bast, receiver.read, receiver.acknowledged, receiver.ended]
            #expect(handled.compactMap { $0 } == handled.compactMap { $0 }.sorted())
            #expect(handled.allSatisfy { $0 != nil })
            #expect((receiver.reloadEnded != nil) == (exchange.type == "METADATA_UPDATED"))
        }
    }

    @Test func aRecordThatDoesNotConformHasNone() throws {
        let fixture = try Fixture("smoke@async")
        #expect(try fixture.compared(with: "v5.11", limit: 2000).exchanges(fixture.traces).isEmpty)
    }
}
