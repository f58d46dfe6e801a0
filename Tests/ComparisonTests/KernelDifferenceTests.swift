// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import MDClusterModel
import Testing

@testable import Comparison

/// What 6.12 does and 6.1 does not, and nodes that die: recorded runs of both.
@Suite struct KernelDifferenceTests {
    /// A NEWDISK that nobody answers: its sender gives up after 30 s, and the next one's request of ack would be a
    /// deadlock with the request that it left behind.
    @Test func aSenderOfSixTwelveGivesUp() throws {
        let comparison = try Fixture("add-device-unanswered-6.12").compared(with: "v6.11")
        #expect(comparison.answer == .conforms)
        #expect(comparison.figures.messages["RESYNCING_START"] == 1)
        let labels = comparison.words.nodes.flatMap { node in node.events.map { comparison.words.labels[Int($0.label)] }
        }
        #expect(labels.count { $0 == TraceLabel(.lockTimeout, [.symbol("ack")]) } == 1)
        #expect(labels.map(\.description).contains("dlm_ast(ack, -35)"))
    }

    @Test func givingUpIsNotOfTheReference() throws {
        let comparison = try Fixture("add-device-unanswered-6.12").compared(with: "v5.11", limit: 50_000)
        #expect(comparison.answer != .conforms)
    }

    @Test func whoGoesOnBeforeThirtySecondsHasNotGivenUp() throws {
        let comparison = try Fixture("add-device-unanswered-6.12").compared(
            with: "v6.11",
            { traces in
                // 30 s of both nodes' time are taken out where the sender waits.
                for node in traces.indices {
                    for place in traces[node].events.indices where traces[node].events[place].time > 47_000_000_000 {
                        traces[node].events[place].time -= 20_000_000_000
                    }
                }
            }, limit: 50_000)
        #expect(comparison.answer != .conforms)
        #expect(!comparison.words.labels.contains { $0.mark == .lockTimeout })
    }

    @Test func aNodeThatDiesGivesItsLocksUp() throws {
        let fixture = try Fixture("node-dies")
        // The trimmed record has no md_check_recovery, by which a nameless thread of node 3 is known to be none of
        // md's.
        func named(_ traces: inout [(node: NodeID, events: [KernelEvent])]) {
            for place in traces[2].events.indices where traces[2].events[place].role == nil {
                traces[2].events[place].comm = "mdadm"
            }
        }
        let comparison = try fixture.compared(with: "v5.11", named, died: [NodeID(3)])
        #expect(comparison.answer == .conforms)
        #expect(comparison.words.nodes.map(\.died) == [false, false, true])
        // Else its ack would be in the way of all later messages.
        let alive = try fixture.compared(with: "v5.11", named, limit: 50_000)
        #expect(alive.answer != .conforms)
    }

    @Test func mdWakeupThreadHasTwoNames() {
        for name in ["md_wakeup_thread", "__md_wakeup_thread"] {
            var reader = EventReader(lockspace: 1, arrays: [], probed: [])
            let event = KernelEvent(
                node: NodeID(1), index: 0, time: 0, cpu: 0, pid: 9, comm: "mdadm",
                body: .function(name: name, caller: "lock_comm"))
            #expect(reader.read(event) == .label(TraceLabel(.enter("md_wakeup_thread")), .process(pid: 9)))
        }
    }
}
