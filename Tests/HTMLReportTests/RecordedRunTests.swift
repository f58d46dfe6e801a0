// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import KernelTrace
import ProtocolTrace
import RunRecord
import TestRecords
import Testing

@testable import HTMLReport

/// What recorded runs become.
@Suite struct RecordedRunTests {
    private func run(_ recording: Recording, _ verdict: Verdict) -> ReportRun {
        ReportRun(recording, verdict: verdict, id: "run1", name: verdict.scenario)
    }

    private func verdict(_ word: VerdictWord = .pass) -> Verdict {
        Verdict(
            scenario: "smoke", variant: nil, kernelRelease: "6.1.0", word: word, reason: "", checks: [],
            metadataUpdates: [], detectorsOff: [:])
    }

    @Test func everyEventHasItsPlaceInTheTrace() throws {
        let recording = try TrimmedRun("smoke").recording
        let timeline = Timeline(recording)
        #expect(timeline.events.count == recording.nodes.reduce(0) { $0 + ($1.trace?.count ?? 0) })
        #expect(timeline.events.map(\.time) == timeline.events.map(\.time).sorted() && timeline.events[0].time == 0)
        for event in timeline.events {
            let lane = timeline.lanes[event.lane]
            let node = try #require(recording.nodes.first { $0.id.description == lane.node })
            let recorded = try #require(node.trace?.first { $0.index == event.index })
            #expect(recorded.pid == lane.pid && recorded.time == event.nodeTime)
        }
        let threads = timeline.lanes.filter { $0.kind == .thread }
        #expect(threads.contains { $0.role == "recv_daemon" } && threads.contains { $0.role == "raid1d" })
    }

    @Test func aMessageLeadsToItsReceiversAndBack() throws {
        let timeline = Timeline(try TrimmedRun("smoke").recording)
        let received = timeline.messages.filter { !$0.receptions.isEmpty }
        #expect(received.count >= 4)
        for message in received {
            for reception in message.receptions {
                #expect(timeline.lanes[reception.lane].role == "recv_daemon")
                #expect(timeline.lanes[reception.lane].node != timeline.lanes[message.lane].node)
                // The clocks are put right by the messages: told after it was asked, let go before it was granted.
                let released = try #require(reception.released), granted = try #require(message.granted)
                #expect(message.asked <= reception.told && reception.told < released && released <= granted)
                #expect(timeline.events[reception.toldEvent].name == "dlm_bast")
            }
            #expect(timeline.events[message.askedEvent].detail.hasPrefix("ack EX"))
        }
    }

    @Test func locksAreHeldByOneNodeAtATime() throws {
        let timeline = Timeline(try TrimmedRun("smoke").recording)
        let bars = timeline.bars.filter { !$0.isWaiting && $0.mode == "EX" && timeline.lanes[$0.lane].name == "token" }
        #expect(bars.count >= 4)
        for bar in bars { #expect(bar.end.map { $0 >= bar.start } ?? true) }
        // Modes of one lock follow each other without a gap.
        for (lane, all) in Dictionary(grouping: timeline.bars.filter { !$0.isWaiting }, by: \.lane)
        where timeline.lanes[lane].name == "token" {
            let sorted = all.sorted { $0.start < $1.start }
            for (first, second) in zip(sorted, sorted.dropFirst()) where first.end != nil {
                #expect(first.end == second.start)
            }
        }
    }

    @Test func callsLieInsideEachOther() throws {
        let timeline = Timeline(try TrimmedRun("smoke").recording)
        let nested = timeline.slices.filter { $0.depth > 0 }
        #expect(!nested.isEmpty && timeline.slices.contains { $0.name == "md_reload_sb" && $0.end != nil })
        for slice in nested {
            #expect(
                timeline.slices.contains { outer in
                    outer.lane == slice.lane && outer.depth == slice.depth - 1 && outer.start <= slice.start
                        && (outer.end ?? .max) >= (slice.end ?? outer.end ?? .max)
                })
        }
    }

    @Test func aReceptionKnowsItsMessageAndAFindingItsEvent() throws {
        let recording = try TrimmedRun("smoke").recording
        let plain = Timeline(recording)
        let message = try #require(plain.messages.firstIndex { !$0.receptions.isEmpty })
        let reception = plain.messages[message].receptions[0]
        let told = plain.events[reception.toldEvent], node = plain.lanes[told.lane].node
        var verdict = verdict(.fail)
        let time = Double(told.nodeTime) / 1e9
        verdict.metadataUpdates = [
            MetadataUpdate(
                sender: "node1", senderThread: "md0_raid1", receiver: node, path: .trylock, handling: 0.001,
                reload: nil, time: time),
            MetadataUpdate(
                sender: "node1", senderThread: "md0_raid1", receiver: node, path: .none, handling: 0.001, reload: nil,
                time: time + 1e6),
        ]
        verdict.checks = [
            CheckResult(
                name: "synchronous", answer: .fails,
                findings: [Finding("early", node: node, time: time), Finding("no time", node: node, time: .nan)])
        ]
        let run = run(recording, verdict)
        #expect(run.updates.map(\.message) == [message, nil])
        let findings = run.checks[0].findings
        #expect(findings[1].event == nil && findings[0].text == "\(node): early")
        #expect(plain.events[try #require(findings[0].event)].nodeTime == told.nodeTime)
    }

    @Test func aHangIsACycleWithStacks() throws {
        let run = run(try TrimmedRun("smoke@no-holding-in-start").recording, verdict(.xfail))
        let hang = try #require(run.hangs.first)
        #expect(hang.isCycle && hang.waiters.count >= 2)
        for waiter in hang.waiters {
            #expect(!waiter.stack.isEmpty && !waiter.waitsFor.isEmpty && waiter.thread.hasPrefix("node"))
            #expect(!waiter.place.contains("waits for"))
        }
        let view = HangView(hang, name: "h")
        #expect(view.isDrawn && view.boxes.count == hang.waiters.count && view.arrows.count == hang.waiters.count)
        for box in view.boxes {
            #expect(box.x >= 0 && box.y >= 0 && box.x + box.width <= view.width && box.y + box.height <= view.height)
        }
        // A call of the cycle never returns.
        #expect(run.timeline.slices.contains { $0.end == nil })
        #expect(run.timeline.messages.contains { $0.granted == nil })
    }

    @Test func aRecordWithoutTracesHasNoTimeline() throws {
        let recording = Recording(
            layout: RunLayout(root: URL(filePath: "/nowhere")),
            description: RunDescription(
                toolVersion: "", scenario: "smoke", started: Date(timeIntervalSince1970: 0), nodes: 2,
                kernelRelease: "6.1.0", start: .cold, accelerator: "tcg"))
        #expect(run(recording, verdict()).timeline == Timeline())
    }

    @Test func anyRecordBecomesAPage() throws {
        for name in ["killed", "node-dies-late", "tiny-buffer", "lost-filter-6.12", "resync-handover"] {
            var report = ReportDocument(title: name, word: "MISS", sentence: "")
            report.runs = [run(try TrimmedRun(name).recording, verdict(.miss))]
            let data = try PageTests.data(of: ReportPage.html(report))
            #expect(!data.runs.isEmpty, "\(name)")
        }
    }
}
