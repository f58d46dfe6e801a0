// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Conformance
import KernelTrace
import ProtocolTrace

/// A record as the page's script draws it. Times are microseconds since the first event, on one clock for all nodes.
struct RecordData: Encodable {
    /// Written as [time, thread, text, index in the node's trace]: ten thousand of them are a page.
    struct Event: Encodable, Equatable {
        var time: Int
        var thread: Int
        var text: String
        var index: Int

        func encode(to encoder: any Encoder) throws {
            var list = encoder.unkeyedContainer()
            try list.encode(time)
            try list.encode(thread)
            try list.encode(text)
            try list.encode(index)
        }
    }

    /// A granted mode of a lock, from its grant to the next one.
    struct Lock: Encodable, Equatable {
        var node: Int
        /// The thread that asked for it.
        var lane: Int
        var name: String
        var mode: String
        var from: Int
        var to: Int
    }

    struct Arrow: Encodable, Equatable {
        var fromLane: Int
        var toLane: Int
        var at: Int
        var until: Int
        var text: String
    }

    struct Message: Encodable, Equatable {
        var title: String
        var from: Int
        var to: Int
        var lanes: [Int]
        var arrows: [Arrow]
        /// Places in `events`.
        var events: [Int]
    }

    struct Wait: Encodable, Equatable {
        var from: String
        var to: String
        var text: String
    }

    /// Tells the records of a page apart.
    var name: String
    var begin = 0
    var end = 0
    var threads: [String] = []
    /// The place of each thread's node.
    var nodeOf: [Int] = []
    var events: [Event] = []
    var locks: [Lock] = []
    var messages: [Message] = []
    var waits: [Wait] = []

    init(_ recording: Recording, name: String) {
        self.name = name
        let traces = recording.nodes.map { $0.trace ?? [] }
        let offsets = ClockAlignment.offsets(recording.description.clockOffsets, for: traces)
        var clock = SharedClock(offsets: offsets, traces: traces)
        var lanes = Lanes()
        for (place, node) in recording.nodes.enumerated() {
            for event in node.trace ?? [] {
                guard let text = EventText.text(event) else { continue }
                let lane = lanes.number(of: event, node: place)
                events.append(
                    Event(time: clock.micro(event.time, node: place), thread: lane, text: text, index: event.index))
            }
            addLocks(of: node, place: place, &clock, &lanes)
        }
        events.sort { ($0.time, $0.thread) < ($1.time, $1.thread) }
        (threads, nodeOf) = (lanes.names, lanes.nodes)
        end = events.last?.time ?? 0
        addMessages(of: recording, offsets, clock, lanes)
        waits = Self.waits(in: recording)
    }

    private mutating func addLocks(
        of node: Recording.Node, place: Int, _ clock: inout SharedClock, _ lanes: inout Lanes
    ) {
        let trace = NodeTrace(node: node.id, events: node.trace ?? [])
        for operations in trace.operations.values {
            for (resource, all) in Dictionary(grouping: operations, by: \.resource) {
                let granted = all.filter { $0.granted && $0.answer != nil }
                for (number, operation) in granted.enumerated() {
                    guard let answer = operation.answer, let mode = operation.mode, mode != .nl, mode != .none else {
                        continue
                    }
                    let next = number + 1 < granted.count ? granted[number + 1].answer?.time : nil
                    let last = node.trace?.last?.time ?? answer.time
                    locks.append(
                        Lock(
                            node: place,
                            lane: lanes.number(pid: operation.pid, name: operation.threadName, node: place),
                            name: "\(resource)", mode: "\(mode)", from: clock.micro(answer.time, node: place),
                            to: clock.micro(next ?? last, node: place)))
                }
            }
        }
    }

    private mutating func addMessages(
        of recording: Recording, _ offsets: [Double], _ clock: SharedClock, _ lanes: Lanes
    ) {
        let traces = recording.nodes.enumerated().map { place, node in
            NodeTrace(node: node.id, events: node.trace ?? [], clockOffset: offsets[place])
        }
        func place(_ node: NodeID) -> Int { recording.nodes.firstIndex { $0.id == node } ?? 0 }
        for lockspace in Set(traces.flatMap(\.lockspaces)).sorted() {
            let order = MessageOrder(traces.map { NodePasses($0, lockspace: lockspace) })
            for exchange in order.exchanges {
                guard let send = exchange.send else { continue }
                let sender = place(send.node)
                let from = clock.micro(send.asked.time, node: sender)
                var (to, arrows) = (clock.micro(send.granted?.time ?? send.asked.time, node: sender), [Arrow]())
                let lane = lanes.find(comm: send.comm, node: sender)
                var path: [String] = []
                for (node, receive) in exchange.receives.sorted(by: { $0.key < $1.key }) {
                    let other = place(node), receiver = lanes.find(comm: receive.comm, node: other)
                    let read = clock.micro((receive.bast ?? receive.begun).time, node: other)
                    arrows.append(
                        Arrow(
                            fromLane: lane, toLane: receiver, at: from, until: read, text: "\(send.node) tells \(node)")
                    )
                    if let released = receive.released {
                        let back = clock.micro(released.time, node: other)
                        to = max(to, back)
                        arrows.append(
                            Arrow(
                                fromLane: receiver, toLane: lane, at: back,
                                until: send.granted.map { clock.micro($0.time, node: sender) } ?? to,
                                text: "\(node) lets go of ack"))
                    }
                    to = max(to, receive.ended.map { clock.micro($0.time, node: other) } ?? to)
                    let reloaded = receive.reloads.isEmpty ? " did not reload" : " reloaded the superblock"
                    path.append("\(node)" + (receive.isMetadataUpdate ? reloaded : ""))
                }
                let pad = max((to - from) / 20, 50)
                let title =
                    "\(send.type.map { "\($0)" } ?? "a message") from \(send.node) \(send.comm) at "
                    + "\(Double(from) / 1e6) s, \(Double(to - from) / 1000) ms"
                    + (path.isEmpty ? ", nobody else in the array" : "; " + path.joined(separator: ", "))
                add(
                    Message(
                        title: title, from: from - pad, to: to + pad, lanes: [lane] + arrows.map(\.toLane),
                        arrows: arrows, events: []))
            }
        }
    }

    private mutating func add(_ message: Message) {
        var message = message
        var seen: Set<Int> = []
        message.lanes = message.lanes.filter { seen.insert($0).inserted }
        message.events = events.indices.filter { index in
            let event = events[index]
            return message.from <= event.time && event.time <= message.to && seen.contains(event.thread)
        }
        messages.append(message)
    }

    /// The waits of the last hang that the snapshots show.
    private static func waits(in recording: Recording) -> [Wait] {
        func name(_ thread: WaitGraph.Thread) -> String { "\(thread.node) \(thread.comm)" }
        return HangCheck.hangs(in: recording.nodes.flatMap(\.snapshots)).flatMap(\.edges).map { edge in
            let target =
                switch edge.to {
                case .thread(let thread): name(thread)
                case .nobody(let nobody): nobody.rawValue
                case .progress: "something that ends"
                }
            return Wait(from: name(edge.from), to: target, text: edge.line)
        }
    }
}

/// Microseconds since the first event of all nodes.
private struct SharedClock {
    private let offsets: [Double]
    private let zero: Double

    init(offsets: [Double], traces: [[KernelEvent]]) {
        self.offsets = offsets
        zero =
            zip(traces, offsets).compactMap { trace, offset in trace.first.map { Double($0.time) - offset * 1e9 } }
            .min() ?? 0
    }

    func micro(_ time: UInt64, node: Int) -> Int {
        Int(((Double(time) - offsets[node] * 1e9 - zero) / 1000).rounded())
    }
}

/// One row a thread.
private struct Lanes {
    private struct Key: Hashable {
        var node: Int
        var pid: Int
    }

    private(set) var names: [String] = []
    private(set) var nodes: [Int] = []
    private var comms: [String] = []
    private var numbers: [Key: Int] = [:]

    mutating func number(of event: KernelEvent, node: Int) -> Int {
        number(pid: event.pid, name: event.comm, node: node)
    }

    mutating func number(pid: Int, name: String, node: Int) -> Int {
        let key = Key(node: node, pid: pid)
        if let known = numbers[key] { return known }
        numbers[key] = names.count
        names.append("node\(node + 1) \(name)-\(pid)")
        comms.append(name)
        nodes.append(node)
        return names.count - 1
    }

    func find(comm: String, node: Int) -> Int {
        names.indices.first { nodes[$0] == node && comms[$0] == comm } ?? names.indices.first { nodes[$0] == node } ?? 0
    }
}

/// An event in a line, as the trace has it.
enum EventText {
    /// nil for what only the tracer itself is about.
    static func text(_ event: KernelEvent) -> String? {
        switch event.body {
        case .function(let name, let caller): return "\(name)() <- \(caller)"
        case .entry(let name, let arguments):
            let list = arguments.sorted { $0.key < $1.key }.filter {
                !["mddev", "cinfo", "rdev", "thread"].contains($0.key)
            }
            return "\(name)(\(list.map { "\($0.key) \($0.value)" }.joined(separator: ", ")))"
        case .exit(let name, let value): return "\(name) returns" + (value.map { " \($0)" } ?? "")
        case .dlm(let dlm):
            var text = "\(dlm.kind.rawValue) \(dlm.resource)"
            if let mode = dlm.mode { text += " \(mode)" }
            if let status = dlm.status, status != 0 { text += " status \(status)" }
            return text
        case .other(let system, let name, let fields):
            return
                "\(system):\(name) \(fields.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " "))"
        case .lost(let count): return count == 0 ? "events were lost here" : "\(count) events were lost here"
        }
    }
}
