// SPDX-License-Identifier: GPL-2.0
import Foundation
import ProtocolTrace
import TestRecords
import Testing

@testable import HTMLReport

@Suite struct PerfettoTests {
    private struct Track: Hashable {
        var pid: Int
        var tid: Int
    }

    private func events(_ name: String) throws -> (Timeline, [PerfettoTrace.Event]) {
        let timeline = Timeline(try TrimmedRun(name).recording)
        return (timeline, PerfettoTrace.events(of: timeline))
    }

    @Test(arguments: ["smoke", "concurrent-updates", "smoke@no-holding-in-start", "node-dies"])
    func slicesOfATrackLieInEachOther(name: String) throws {
        let (_, events) = try events(name)
        for (_, slices) in Dictionary(grouping: events.filter { $0.ph == "X" }, by: { Track(pid: $0.pid, tid: $0.tid) })
        {
            var open: [Double] = []
            let sorted = slices.sorted { ($0.ts ?? 0, -($0.dur ?? 0)) < ($1.ts ?? 0, -($1.dur ?? 0)) }
            for slice in sorted {
                let (start, end) = (try #require(slice.ts), try #require(slice.ts) + (try #require(slice.dur)))
                while let last = open.last, last <= start + 1e-6 { open.removeLast() }
                if let last = open.last { #expect(end <= last + 1e-6, "\(slice.name) at \(start)") }
                open.append(end)
            }
        }
    }

    @Test func everyEventIsThereAndHasItsPlace() throws {
        let (timeline, events) = try events("smoke")
        let instants = events.filter { $0.ph == "i" }
        let calls = Set(timeline.slices.map(\.event))
        #expect(instants.count + calls.count == timeline.events.count)
        #expect(instants.allSatisfy { $0.args?["trace.dat"]?.contains("event ") == true })
        // Every track has a name, and every node its three processes.
        let named = Set(events.filter { $0.name == "thread_name" }.map { Track(pid: $0.pid, tid: $0.tid) })
        #expect(
            events.filter { $0.ph == "X" || $0.ph == "i" }.allSatisfy {
                named.contains(Track(pid: $0.pid, tid: $0.tid))
            })
        let processes = events.filter { $0.name == "process_name" }.compactMap { $0.args?["name"] }
        #expect(Set(processes).isSuperset(of: ["node1", "node2", "node1 DLM locks", "node2 messages"]))
    }

    @Test func aFlowLeadsFromASliceToASlice() throws {
        let (timeline, events) = try events("smoke")
        let flows = Dictionary(grouping: events.filter { $0.id != nil }, by: { $0.id ?? 0 })
        let told = timeline.messages.reduce(0) { $0 + $1.receptions.count }
        #expect(told >= 4 && flows.count == 2 * told)
        for (_, pair) in flows {
            let start = try #require(pair.first { $0.ph == "s" }), end = try #require(pair.first { $0.ph == "f" })
            #expect(pair.count == 2 && start.pid != end.pid && (start.ts ?? 0) <= (end.ts ?? 0))
            for event in pair {
                let time = try #require(event.ts)
                #expect(
                    events.contains { slice in
                        guard slice.ph == "X", slice.pid == event.pid, slice.tid == event.tid, let from = slice.ts,
                            let length = slice.dur
                        else { return false }
                        return from <= time && time < from + length
                    })
            }
        }
    }

    @Test func whatHasNoEndLastsToTheEndAndSaysSo() throws {
        let (timeline, events) = try events("smoke@no-holding-in-start")
        let open = events.filter { $0.args?["end"] != nil }
        #expect(open.contains { $0.name == "__sendmsg" } && open.contains { $0.name == "waits for EX" })
        for slice in open {
            #expect(((slice.ts ?? 0) + (slice.dur ?? 0)).rounded() == (Double(timeline.end) / 1000).rounded())
        }
    }

    @Test func itIsJSON() throws {
        let data = try PerfettoTrace.json(Timeline(try TrimmedRun("smoke").recording))
        let object = try JSONSerialization.jsonObject(with: data) as? [String: Any]
        #expect((object?["traceEvents"] as? [Any])?.count ?? 0 > 500)
        #expect(try JSONSerialization.jsonObject(with: PerfettoTrace.json(Timeline())) is [String: Any])
    }
}
