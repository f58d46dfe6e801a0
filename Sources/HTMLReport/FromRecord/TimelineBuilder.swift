// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import ProtocolTrace
import RunRecord

extension Timeline {
    /// What the traces of a record show. Nodes without a trace have no lanes.
    public init(_ recording: Recording) {
        let events = recording.nodes.map { $0.trace ?? [] }
        let measured = recording.description.clockOffsets
        let offsets = ClockAlignment.offsets(measured, for: events)
        var builder = TimelineBuilder()
        let clocks = Self.clocks(recording, offsets)
        let beginnings = zip(clocks, events).compactMap { clock, events in events.first.map { clock.host($0.time) } }
        builder.start = beginnings.min() ?? 0
        builder.returning = Self.returning(recording)
        for (clock, events) in zip(clocks, events) { builder.add(events, clock) }
        builder.addMessages(
            zip(recording.nodes, events).enumerated().map { number, node in
                NodeTrace(
                    node: node.0.id, events: node.1,
                    cut: recording.description.ending == .finished ? nil : recording.description.ending.rawValue,
                    clockOffset: number < measured.count ? offsets[number] : nil)
            })
        self = builder.finished()
        begin = beginnings.isEmpty || measured.count < recording.nodes.count ? nil : Double(builder.start) / 1e9
    }

    private static func clocks(_ recording: Recording, _ offsets: [Double]) -> [NodeClock] {
        zip(recording.nodes, offsets).map { node, offset in
            NodeClock(node: node.id, offset: offset.isFinite && abs(offset) < 1e8 ? Int64(offset * 1e9) : 0)
        }
    }

    /// What is to be added to each node's times so that all nodes are on one clock: nanoseconds.
    public static func shifts(of recording: Recording) -> [(node: Recording.Node, nanoseconds: Int64)] {
        let events = recording.nodes.map { $0.trace ?? [] }
        let offsets = ClockAlignment.offsets(recording.description.clockOffsets, for: events)
        return zip(recording.nodes, clocks(recording, offsets)).map { ($0, -$1.offset) }
    }

    /// Functions of which the traces show the return: a call of another has no end to wait for.
    private static func returning(_ recording: Recording) -> Set<String> {
        let suffix = "__ret"
        var names = Set<String>()
        for node in recording.nodes {
            names.formUnion(node.probes.filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) })
            for event in node.trace ?? [] { if case .exit(let function, _) = event.body { names.insert(function) } }
        }
        return names
    }
}

struct NodeClock {
    var node: NodeID
    /// Nanoseconds of the node's clock minus the host's.
    var offset: Int64

    func host(_ time: UInt64) -> Int64 { Int64(truncatingIfNeeded: time) &- offset }
}

/// Puts a timeline together, node after node.
struct TimelineBuilder {
    /// Host nanoseconds that are 0 on the axis.
    var start: Int64 = 0
    /// Functions whose return is traced.
    var returning: Set<String> = []
    private var timeline = Timeline()
    private var clocks: [NodeID: NodeClock] = [:]
    /// Of `timeline.events`, by node and index in the trace, while they are not sorted.
    private var places: [NodeID: [Int: Int]] = [:]
    private var laneOfThread: [NodeID: [Int: Int]] = [:]

    mutating func add(_ events: [KernelEvent], _ clock: NodeClock) {
        clocks[clock.node] = clock
        if events.isEmpty { return }
        addLanes(events, clock.node)
        var calls = CallStack()
        for event in events {
            guard let lane = laneOfThread[clock.node]?[event.pid] else { continue }
            let place = timeline.events.count
            places[clock.node, default: [:]][event.index] = place
            let time = at(event.time, clock.node)
            timeline.end = max(timeline.end, time)
            timeline.events.append(
                Timeline.Event(
                    lane: lane, time: time, index: event.index, nodeTime: event.time, cpu: event.cpu,
                    name: EventText.name(event.body), detail: EventText.detail(event.body)))
            if case .entry(let function, _) = event.body, !returning.contains(function) { continue }
            calls.take(event, lane: lane, time: time, place: place, into: &timeline.slices)
        }
        addLocks(events, clock.node)
    }

    private func at(_ time: UInt64, _ node: NodeID) -> Int64 { (clocks[node]?.host(time) ?? 0) &- start }

    /// Those that matter to md first; workers of the kernel last.
    private mutating func addLanes(_ events: [KernelEvent], _ node: NodeID) {
        var order: [Int] = []
        var names: [Int: (comm: String, identity: ThreadIdentity)] = [:]
        for event in events {
            if names[event.pid] == nil { order.append(event.pid) }
            if names[event.pid] == nil || names[event.pid]?.comm == ThreadIdentity.nameless {
                names[event.pid] = (event.comm, event.thread)
            }
        }
        func rank(_ pid: Int) -> Int {
            guard let (comm, identity) = names[pid] else { return 9 }
            switch identity.role {
            case .raidDaemon?: return 0
            case .recvDaemon?: return 1
            case .resync?: return 2
            case .recoverBitmaps?: return 3
            case .other?, nil: return comm.hasPrefix("kworker") || comm.hasPrefix("dlm") || pid == 0 ? 5 : 4
            }
        }
        let ranked = order.enumerated().sorted { (rank($0.element), $0.offset) < (rank($1.element), $1.offset) }
        for pid in ranked.map(\.element) {
            laneOfThread[node, default: [:]][pid] = timeline.lanes.count
            let (comm, identity) = names[pid] ?? ("", .unknown)
            let role: String? = if let known = identity.role, known != .other { "\(known)" } else { nil }
            timeline.lanes.append(
                Timeline.Lane(node: "\(node)", kind: .thread, name: comm, pid: pid, role: role))
        }
    }

    /// A row for each lock of the clustered arrays: bars for the modes that are held and those that are waited for.
    private mutating func addLocks(_ events: [KernelEvent], _ node: NodeID) {
        let trace = NodeTrace(node: node, events: events)
        for lockspace in trace.lockspaces {
            let operations = trace.operations[lockspace] ?? []
            let order: [LockResource] = [.token, .message, .ack, .noNewDev, .resync]
            let names = Set(operations.map(\.resource))
            let others = names.subtracting(order).sorted { $0.description < $1.description }
            for resource in order.filter(names.contains) + others {
                let lane = timeline.lanes.count
                timeline.lanes.append(
                    Timeline.Lane(node: "\(node)", kind: .lock, name: "\(resource)", pid: 0, role: nil))
                addBars(operations.filter { $0.resource == resource }, lane, node)
            }
        }
    }

    private mutating func addBars(_ operations: [LockOperation], _ lane: Int, _ node: NodeID) {
        // Of each lkb: where its newest bar is.
        var held: [UInt32: Int] = [:]
        for operation in operations {
            guard let event = places[node]?[operation.index] else { continue }
            let asked = at(operation.time, node)
            let answered = operation.answer.map { at($0.time, node) }
            if let mode = operation.mode {
                timeline.bars.append(
                    Timeline.Bar(
                        lane: lane, start: asked, end: answered, mode: "\(mode)", isWaiting: true, event: event))
            }
            guard let answered, operation.granted || operation.kind == .unlock else { continue }
            if let bar = held.removeValue(forKey: operation.lock) { timeline.bars[bar].end = answered }
            guard let mode = operation.mode, operation.granted else { continue }
            held[operation.lock] = timeline.bars.count
            timeline.bars.append(
                Timeline.Bar(lane: lane, start: answered, end: nil, mode: "\(mode)", isWaiting: false, event: event))
        }
    }

    mutating func addMessages(_ traces: [NodeTrace]) {
        for lockspace in Set(traces.flatMap(\.lockspaces)).sorted() {
            let passes = traces.map { NodePasses($0, lockspace: lockspace) }
            for exchange in MessageOrder(passes).exchanges {
                guard let send = exchange.send, let asked = places[send.node]?[send.asked.index] else { continue }
                timeline.messages.append(
                    Timeline.Message(
                        type: "\(send.type ?? .metadataUpdated)", lane: timeline.events[asked].lane,
                        asked: at(send.asked.time, send.node), granted: send.granted.map { at($0.time, send.node) },
                        askedEvent: asked, grantedEvent: send.granted.flatMap { places[send.node]?[$0.index] },
                        receptions: exchange.receives.sorted { $0.key < $1.key }.compactMap { reception($0.value) }))
            }
        }
    }

    private func reception(_ receive: Receive) -> Timeline.Message.Reception? {
        let told = receive.bast ?? receive.begun
        guard let toldEvent = places[receive.node]?[told.index], let begun = places[receive.node]?[receive.begun.index]
        else { return nil }
        return Timeline.Message.Reception(
            // The bast comes on a worker; the thread that it is for is that of the reception.
            lane: timeline.events[begun].lane, told: at(told.time, receive.node),
            released: receive.released.map { at($0.time, receive.node) }, toldEvent: toldEvent,
            releasedEvent: receive.released.flatMap { places[receive.node]?[$0.index] })
    }

    /// Brings all nodes' events into the order of the axis.
    func finished() -> Timeline {
        var result = timeline
        let order = timeline.events.indices.sorted {
            (timeline.events[$0].time, $0) < (timeline.events[$1].time, $1)
        }
        result.events = order.map { timeline.events[$0] }
        var moved = Array(repeating: 0, count: order.count)
        for (new, old) in order.enumerated() { moved[old] = new }
        for place in result.slices.indices { result.slices[place].event = moved[result.slices[place].event] }
        for place in result.bars.indices { result.bars[place].event = moved[result.bars[place].event] }
        for place in result.messages.indices {
            result.messages[place].askedEvent = moved[result.messages[place].askedEvent]
            result.messages[place].grantedEvent = result.messages[place].grantedEvent.map { moved[$0] }
            for other in result.messages[place].receptions.indices {
                let reception = result.messages[place].receptions[other]
                result.messages[place].receptions[other].toldEvent = moved[reception.toldEvent]
                result.messages[place].receptions[other].releasedEvent = reception.releasedEvent.map { moved[$0] }
            }
        }
        return result
    }
}

/// Calls of functions that have a probe at their return, thread by thread.
private struct CallStack {
    /// By thread: places in the list of slices.
    private var open: [Int: [Int]] = [:]

    mutating func take(_ event: KernelEvent, lane: Int, time: Int64, place: Int, into slices: inout [Timeline.Slice]) {
        switch event.body {
        case .entry(let function, _):
            open[event.pid, default: []].append(slices.count)
            slices.append(
                Timeline.Slice(
                    lane: lane, start: time, end: nil, name: function, depth: (open[event.pid]?.count ?? 1) - 1,
                    event: place))
        case .exit(let function, _):
            guard let stack = open[event.pid], let found = stack.lastIndex(where: { slices[$0].name == function })
            else { return }
            slices[stack[found]].end = time
            open[event.pid]?.removeSubrange(found...)
        case .lost: open = [:]
        default: return
        }
    }
}
