// SPDX-License-Identifier: GPL-2.0
import Foundation

/// A timeline as ui.perfetto.dev reads it: the Chrome trace event format ("Trace Event Format", JSON object form).
///
/// A process for each node with a track for each thread; calls are slices, all other events instants. A process for
/// each node's DLM locks, with a track for the modes that are held and one for those that are waited for. A process for
/// its messages: what it sends and what it handles, with flows from the request for ack EX to each bast and from each
/// release of ack to the grant. All nodes are on one clock, in microseconds from the first event.
public enum PerfettoTrace {
    struct Event: Encodable {
        var ph: String
        var pid: Int
        var tid: Int
        var name: String
        var cat: String?
        /// Microseconds.
        var ts: Double?
        var dur: Double?
        /// Of an instant: its thread.
        var s: String?
        /// Of a flow, and whether its end belongs to the slice around it.
        var id: Int?
        var bp: String?
        var args: [String: String]?
    }

    private struct Document: Encodable {
        var displayTimeUnit = "ns"
        var traceEvents: [Event]
    }

    /// Cost: some 200 bytes an event.
    public static func json(_ timeline: Timeline) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(Document(traceEvents: events(of: timeline)))
    }

    static func events(of timeline: Timeline) -> [Event] {
        var writer = Writer(timeline)
        writer.addTracks()
        writer.addCalls()
        writer.addLocks()
        writer.addMessages()
        return writer.events
    }

    private struct Writer {
        let timeline: Timeline
        let nodes: [String]
        var events: [Event] = []

        init(_ timeline: Timeline) {
            self.timeline = timeline
            var nodes: [String] = []
            for lane in timeline.lanes where !nodes.contains(lane.node) { nodes.append(lane.node) }
            self.nodes = nodes
        }

        /// Processes of a node: threads, locks, messages.
        private enum Part: Int { case threads, locks, messages }

        private func process(_ node: String, _ part: Part) -> Int {
            (nodes.firstIndex(of: node) ?? 0) * 3 + part.rawValue + 1
        }

        private func place(_ lane: Int, waiting: Bool = false) -> (pid: Int, tid: Int) {
            let row = timeline.lanes[lane]
            // A thread's number is the kernel's own; 0 is the idle thread and stands for no thread in the format.
            if row.kind == .thread { return (process(row.node, .threads), row.pid == 0 ? 1 << 22 : row.pid) }
            return (process(row.node, .locks), lane * 2 + (waiting ? 2 : 1))
        }

        private func micro(_ time: Int64) -> Double { Double(time) / 1000 }

        private mutating func name(_ kind: String, _ place: (pid: Int, tid: Int), _ name: String) {
            events.append(Event(ph: "M", pid: place.pid, tid: place.tid, name: kind, args: ["name": name]))
        }

        mutating func addTracks() {
            for node in nodes {
                name("process_name", (process(node, .threads), 0), node)
                name("process_name", (process(node, .locks), 0), "\(node) DLM locks")
                name("process_name", (process(node, .messages), 0), "\(node) messages")
                name("thread_name", (process(node, .messages), 1), "\(node) sends and handles")
            }
            for (lane, row) in timeline.lanes.enumerated() {
                name("thread_name", place(lane), row.kind == .thread ? row.name : "\(row.name) held")
                if row.kind == .lock { name("thread_name", place(lane, waiting: true), "\(row.name) asked for") }
            }
        }

        mutating func addCalls() {
            var calls: Set<Int> = []
            for slice in timeline.slices {
                calls.insert(slice.event)
                add(slice.name, place(slice.lane), slice.start, slice.end, arguments(of: slice.event))
            }
            for (number, event) in timeline.events.enumerated() where !calls.contains(number) {
                let place = place(event.lane)
                events.append(
                    Event(
                        ph: "i", pid: place.pid, tid: place.tid, name: event.name, cat: "event", ts: micro(event.time),
                        s: "t", args: arguments(of: number)))
            }
        }

        private func arguments(of event: Int) -> [String: String] {
            let event = timeline.events[event]
            return [
                "detail": event.detail, "trace.dat": "\(timeline.lanes[event.lane].node), event \(event.index)",
                "cpu": "\(event.cpu)",
            ]
        }

        /// What has no end lasts to the end of the trace.
        private mutating func add(
            _ name: String, _ place: (pid: Int, tid: Int), _ start: Int64, _ end: Int64?, _ arguments: [String: String]
        ) {
            var arguments = arguments
            if end == nil { arguments["end"] = "not in the trace" }
            events.append(
                Event(
                    ph: "X", pid: place.pid, tid: place.tid, name: name, cat: "slice", ts: micro(start),
                    dur: micro(max(0, (end ?? timeline.end) - start)), args: arguments))
        }

        mutating func addLocks() {
            for bar in timeline.bars where bar.isWaiting || bar.mode != "NL" {
                let name = bar.isWaiting ? "waits for \(bar.mode)" : bar.mode
                add(name, place(bar.lane, waiting: bar.isWaiting), bar.start, bar.end, arguments(of: bar.event))
            }
        }

        mutating func addMessages() {
            var flow = 0
            for message in timeline.messages {
                let sender = (pid: process(timeline.lanes[message.lane].node, .messages), tid: 1)
                add("sends \(message.type)", sender, message.asked, message.granted, arguments(of: message.askedEvent))
                for reception in message.receptions {
                    let receiver = (pid: process(timeline.lanes[reception.lane].node, .messages), tid: 1)
                    add(
                        "handles \(message.type)", receiver, reception.told, reception.released,
                        arguments(of: reception.toldEvent))
                    flow += 1
                    addFlow(flow, message.type, from: sender, at: message.asked, to: receiver, at: reception.told)
                    guard let released = reception.released, let granted = message.granted else { continue }
                    flow += 1
                    // A flow belongs to the slice around it, and the end of a slice is no more of it.
                    addFlow(
                        flow, "ack", from: receiver, at: max(reception.told, released - 1), to: sender,
                        at: max(message.asked, granted - 1))
                }
            }
        }

        private mutating func addFlow(
            _ id: Int, _ name: String, from: (pid: Int, tid: Int), at start: Int64, to: (pid: Int, tid: Int),
            at end: Int64
        ) {
            events.append(
                Event(ph: "s", pid: from.pid, tid: from.tid, name: name, cat: "message", ts: micro(start), id: id))
            events.append(
                Event(
                    ph: "f", pid: to.pid, tid: to.tid, name: name, cat: "message", ts: micro(end), id: id, bp: "e"))
        }
    }
}
