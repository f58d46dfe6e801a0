// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import ProtocolTrace
import RunRecord
import Testing

@testable import Conformance

@Suite struct SynchronousCheckTests {
    @Test(arguments: [2, 3], [true, false]) func everythingHolds(count: Int, clocks: Bool) {
        let check = judge(Cluster.everything(count), clocks: clocks)
        #expect(check.result.findings == [])
        #expect(check.result.answer == .holds)
        #expect(check.updates.count { $0.path == .holdingMutexForRecvd } == 1)
        #expect(check.updates.allSatisfy { $0.path != .none })
    }

    @Test func thePathAndTheTimesAreToldPerReceiver() {
        var cluster = Cluster(3)
        for node in cluster.nodes { cluster.join(node) }
        cluster.message(node2, by: "mdadm", handling: [node1: .holding, node3: .trylock])
        let check = judge(cluster)
        #expect(check.result.answer == .holds)
        #expect(check.updates.map(\.receiver) == ["node1", "node3"])
        #expect(check.updates.map(\.path) == [.holdingMutexForRecvd, .trylock])
        #expect(check.updates.allSatisfy { $0.sender == "node2" && $0.senderThread == "mdadm" })
        let reload = check.updates[0].reload ?? 0
        #expect(abs(reload - 0.0022) < 1e-6, "\(reload)")
        #expect(check.updates[0].handling > reload)
        #expect(
            check.result.seen[0].hasPrefix(
                "1 METADATA_UPDATED of 1 message: 2 receptions, 1 by trylock, 1 by HOLDING_MUTEX_FOR_RECVD"))
    }

    @Test func deferredHandlingFailsAndNothingElseIsBlamed() {
        var cluster = Cluster(2)
        for node in cluster.nodes { cluster.join(node) }
        cluster.message(node1, handling: [node2: .deferred])
        let check = judge(cluster)
        #expect(check.result.answer == .fails)
        #expect(check.result.findings.count == 1)
        #expect(
            check.result.findings[0].text
                == "METADATA_UPDATED of node1 md0_raid1: node2 let go of ack before md_reload_sb had returned")
        #expect(
            check.result.findings[0].details[0].hasPrefix("md_reload_sb was called by md0_raid1 2.00 ms after ack NL"))
        #expect(check.updates.map(\.path) == [.none])
        #expect(WordCheck.result(cluster.traces).answer == .holds)
    }

    @Test func aMissingReloadFails() {
        var cluster = Cluster(2)
        for node in cluster.nodes { cluster.join(node) }
        cluster.message(node1, handling: [node2: .none])
        let check = judge(cluster)
        #expect(check.result.answer == .fails)
        #expect(check.result.findings[0].details == ["md_reload_sb was not called for it at all"])
    }

    /// The return of md_reload_sb moved behind `ack` NL in the trace.
    @Test func aReloadThatReturnsTooLateFails() {
        var cluster = Cluster(2)
        for node in cluster.nodes { cluster.join(node) }
        cluster.message(node1)
        var events = cluster.events[node2]!
        let back = events.firstIndex { if case .exit("md_reload_sb", _) = $0.body { true } else { false } }!
        let ack = events.firstIndex { $0.comm == Cluster.recv && isLock($0, .ack, .nl) }!
        let body = events[back].body
        for index in back..<ack {
            events[index].body = events[index + 1].body
            events[index].comm = events[index + 1].comm
            events[index].pid = events[index + 1].pid
        }
        events[ack].body = body
        cluster.events[node2] = events
        let check = judge(cluster)
        #expect(check.result.answer == .fails)
        #expect(check.result.findings[0].text.hasSuffix("node2 let go of ack before md_reload_sb had returned"))
    }

    @Test func twoReloadsForOneMessageFail() {
        var cluster = Cluster(2)
        for node in cluster.nodes { cluster.join(node) }
        cluster.message(node1)
        let call = cluster.events[node2]!.firstIndex {
            if case .exit("md_reload_sb", _) = $0.body { true } else { false }
        }!
        cluster.events[node2]![call + 1].body = .entry(function: "md_reload_sb", arguments: [:])
        let check = judge(cluster)
        #expect(check.result.answer == .fails)
        #expect(
            check.result.findings[0].text == "METADATA_UPDATED of node1 md0_raid1: node2 called md_reload_sb 2 times")
    }

    @Test func aGrantThatCameBeforeTheHandlingEndedFails() {
        var cluster = Cluster(2)
        for node in cluster.nodes { cluster.join(node) }
        cluster.message(node1)
        // node2's clock says 200 ms between the bast and ack NL; node1 waited 5 ms.
        let bast = cluster.events[node2]!.firstIndex {
            if case .dlm(let dlm) = $0.body { dlm.kind == .bast } else { false }
        }!
        for index in bast + 1..<cluster.events[node2]!.count { cluster.events[node2]![index].time += 200_000_000 }
        let check = judge(cluster)
        #expect(check.result.answer == .fails)
        #expect(check.result.findings[0].text.contains("beyond what two clocks may differ"))
    }

    /// What a clock that ticks in jiffies reads: 250 a second, of which an emulated node loses some.
    private func ticking(_ cluster: Cluster, on nodes: Set<NodeID>) -> Cluster {
        var cluster = cluster
        for node in nodes {
            for index in cluster.events[node]!.indices {
                let tick = cluster.events[node]![index].time / 4_000_000
                cluster.events[node]![index].time = (tick - tick % 8 / 2) * 4_000_000
            }
        }
        return cluster
    }

    @Test(arguments: [[1, 2], [1], [2]]) func aClockThatTicksInJiffiesBlamesNobody(coarse: [Int]) throws {
        var cluster = Cluster(2)
        for node in cluster.nodes { cluster.join(node) }
        for _ in 1...60 { cluster.message(node1, handling: [node2: .holding]) }
        cluster = ticking(cluster, on: Set(coarse.map { NodeID($0) }))
        // Lost ticks of the sender, while the receiver was at work: what looked like an early grant.
        let bast = try #require(
            cluster.events[node2]!.firstIndex { if case .dlm(let dlm) = $0.body { dlm.kind == .bast } else { false } })
        for index in bast + 1..<cluster.events[node2]!.count { cluster.events[node2]![index].time += 240_000_000 }
        let check = judge(cluster)
        #expect(check.result.findings == [])
        #expect(check.result.answer == .holds)
        for node in coarse {
            #expect(check.result.seen.contains { $0.hasPrefix("node\(node): the trace clock ticks every ") })
        }
    }

    @Test func orderIsJudgedOnACoarseClockToo() {
        var cluster = Cluster(2)
        for node in cluster.nodes { cluster.join(node) }
        for _ in 1...60 { cluster.message(node1, handling: [node2: .holding]) }
        cluster.message(node1, handling: [node2: .deferred])
        let check = judge(ticking(cluster, on: [node1, node2]))
        #expect(check.result.answer == .fails)
        #expect(
            check.result.findings.map(\.text) == [
                "METADATA_UPDATED of node1 md0_raid1: node2 let go of ack before md_reload_sb had returned"
            ])
    }

    /// The power of node3 is cut: what is granted afterwards, DLM's recovery granted without node3's lock.
    @Test func aNodeThatDiedOwesNoReceptionOfWhatWasGrantedAfterwards() {
        var cluster = Cluster(3)
        for node in cluster.nodes { cluster.join(node) }
        cluster.message(node1)
        let death = Double(cluster.now) / 1e9
        cluster.joined.remove(node3)
        cluster.now += 500_000_000
        cluster.message(node1)
        cluster.message(node2)
        var traces = cluster.traces
        traces[2].cut = "node3 died"
        let unknown = SynchronousCheck(traces, expected: 2)
        #expect(unknown.result.answer == .notDecided)
        #expect(unknown.result.findings.contains { $0.text.hasSuffix("no reception on node3: node3 died") })
        traces[2].died = death
        let known = SynchronousCheck(traces, expected: 2)
        #expect(known.result.answer == .holds)
        #expect(known.updates.count == 4)
        // It died only after the grant: then its reception should be there.
        traces[2].died = death + 60
        #expect(SynchronousCheck(traces, expected: 2).result.answer == .notDecided)
    }

    @Test func aHungMessageIsNotDecided() {
        var cluster = Cluster(2)
        for node in cluster.nodes { cluster.join(node) }
        cluster.message(node1)
        cluster.sync(node1, "md0_raid1", .token, .ex)
        cluster.add(node1, "md0_raid1", .entry(function: "__sendmsg", arguments: ["type": 0]))
        cluster.sync(node1, "md0_raid1", .message, .ex)
        cluster.sync(node1, "md0_raid1", .message, .cw)
        cluster.ask(node1, "md0_raid1", .ack, .ex)
        cluster.dlm(node2, "kworker/u2:1", .bast, .ack, .ex)
        cluster.sync(node2, Cluster.recv, .message, .cr)
        cluster.sync(node2, Cluster.recv, .noNewDev, .cr)
        let check = judge(cluster)
        #expect(check.result.answer == .notDecided)
        #expect(
            check.result.findings.map(\.text) == [
                "METADATA_UPDATED of node1 md0_raid1: node2 has not let go of ack",
                "METADATA_UPDATED of node1 md0_raid1 was never acknowledged: ack EX is not granted",
            ])
        #expect(check.updates.count == 1)

        var traces = cluster.traces
        traces[0].died = Double(cluster.now) / 1e9
        #expect(
            SynchronousCheck(traces, expected: 1).result.findings.map(\.text) == [
                "METADATA_UPDATED of node1 md0_raid1: node2 has not let go of ack"
            ])
    }

    @Test func noMessageAtAllIsNotDecidedUnlessNoneIsExpected() {
        var cluster = Cluster(2)
        for node in cluster.nodes { cluster.join(node) }
        let check = judge(cluster)
        #expect(check.result.answer == .notDecided)
        #expect(check.result.findings[0].text.hasPrefix("0 METADATA_UPDATED with a receiver in the traces, where"))
        #expect(SynchronousCheck(cluster.traces, expected: 0).result.answer == .holds)
    }

    @Test func aLateJoinerOnlyHearsWhatComesAfterItJoined() {
        var cluster = Cluster(3)
        cluster.join(node1)
        cluster.message(node1)
        cluster.message(node1)
        cluster.join(node2)
        cluster.message(node2)
        cluster.message(node1)
        cluster.join(node3)
        cluster.message(node3)
        cluster.leave(node2)
        cluster.message(node1)
        for clocks in [true, false] {
            let check = judge(cluster, clocks: clocks)
            #expect(check.result.findings == [], "clocks: \(clocks)")
            #expect(
                check.updates.map { "\($0.sender)>\($0.receiver)" } == [
                    "node2>node1", "node1>node2", "node3>node1", "node3>node2", "node1>node3",
                ])
        }
    }

    @Test func withoutClocksAMembershipThatCountingDoesNotTellIsSaid() {
        var cluster = Cluster(2)
        cluster.join(node1)
        cluster.message(node1)
        cluster.join(node2)
        cluster.message(node1)
        cluster.leave(node2)
        cluster.message(node1)
        #expect(judge(cluster, clocks: true).result.findings == [])
        let check = judge(cluster, clocks: false)
        #expect(check.result.answer == .notDecided)
        #expect(
            check.result.findings.contains {
                $0.text.contains("without clocks the traces do not tell who was a member")
            })
    }

    /// A reception left out of a whole trace: something must be said.
    @Test func aMissingReceptionIsNeverHolds() {
        var cluster = Cluster(3)
        for node in cluster.nodes { cluster.join(node) }
        cluster.now += 1_000_000_000
        for sender in [node1, node2, node1, node3] { cluster.message(sender) }
        let pass = cluster.events[node2]!.filter { $0.comm == Cluster.recv }
        let first = pass.first!.index
        let last = pass.first { isLock($0, .message, .nl) }!.index
        cluster.events[node2]!.removeAll { $0.index >= first && $0.index <= last }
        let check = judge(cluster)
        #expect(check.result.answer == .notDecided)
    }

    @Test func aNodeThatDiedIsNotDecidedFromThereOn() {
        var cluster = Cluster(3)
        for node in cluster.nodes { cluster.join(node) }
        cluster.message(node1)
        let alive = cluster.events[node3]!.count
        cluster.message(node3)
        cluster.message(node1)
        cluster.events[node3]!.removeLast(cluster.events[node3]!.count - alive)
        var traces = cluster.traces
        traces[2].cut = "node3 died"
        let check = SynchronousCheck(traces, expected: 1)
        #expect(check.result.answer == .notDecided)
        #expect(
            check.result.findings.contains {
                $0.text == "METADATA_UPDATED of node1 md0_raid1: no reception on node3: node3 died"
            })
        // What the living handled of the dead node's last message is judged all the same.
        #expect(check.updates.count == 2 + 2 + 1)
    }

    @Test func lostEventsInsideAPassAreNotDecided() {
        var cluster = Cluster(2)
        for node in cluster.nodes { cluster.join(node) }
        cluster.message(node1)
        let call = cluster.events[node2]!.firstIndex { $0.calls("md_reload_sb") }!
        for index in call...call + 2 { cluster.events[node2]![index].body = .lost(1) }
        let check = judge(cluster)
        #expect(check.result.answer == .notDecided)
        #expect(check.result.findings[0].text.contains("events were lost while node2 handled it"))
    }

    @Test func withoutMddevUnlockInTheTraceThePathIsNotKnown() {
        var cluster = Cluster(2)
        for node in cluster.nodes { cluster.join(node) }
        cluster.message(node1)
        cluster.events[node2]!.removeAll { $0.calls("mddev_unlock") }
        let check = judge(cluster)
        #expect(check.result.answer == .notDecided)
        #expect(check.result.findings[0].text.contains("never shows mddev_unlock"))
    }

    @Test func theFunctionTracerAloneIsEnoughForTheOrder() {
        var cluster = Cluster(2)
        for node in cluster.nodes { cluster.join(node) }
        cluster.message(node1, kprobes: false)
        for node in cluster.nodes {
            cluster.events[node]!.removeAll {
                switch $0.body {
                case .entry("md_reload_sb", _), .exit: true
                default: false
                }
            }
        }
        let check = judge(cluster)
        #expect(check.result.findings == [])
        #expect(check.updates.map(\.path) == [.trylock])
        #expect(check.updates.map(\.reload) == [nil])
    }

    private func judge(_ cluster: Cluster, clocks: Bool = true) -> SynchronousCheck {
        var traces = cluster.traces
        if !clocks { for index in traces.indices { traces[index].clockOffset = nil } }
        return SynchronousCheck(traces, expected: 1)
    }
}

func isLock(_ event: KernelEvent, _ resource: LockResource, _ mode: LockMode) -> Bool {
    guard case .dlm(let dlm) = event.body else { return false }
    return dlm.kind == .lockStart && dlm.resource == resource && dlm.mode == mode
}
