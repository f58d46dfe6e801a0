// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Conformance
import KernelTrace
import MDClusterModel
import ProtocolTrace

/// The compared events of a record: for each node a word over labels. Labels are numbers; `labels` has their text.
public struct TraceWords: Sendable {
    public struct Event: Sendable {
        /// The event's place in the node's trace.
        public var index: Int32
        public var label: Int32
        /// The model's thread, counted within the node.
        public var thread: Int32
        /// Nanoseconds, moved by the node's clock offset: what is tried first, never an order.
        public var hint: Int64
    }

    public struct Node: Sendable {
        public var id: NodeID
        public var events: [Event] = []
        /// Why the word ends before the trace does.
        public var cut: Cut?
        /// The first thread that takes part and has neither a name nor a call that only one thread of md makes, where
        /// not all of these calls are in the trace: else it is none of md's threads.
        var nameless: Int?
        /// The node died in the run, which is its last event; what it did in its last 50 ms may be missing before it.
        public var died = false
        /// Kinds of events that other nodes show and this one never does, because its function tracer was not told to.
        var unseen: Set<TraceMark> = []
    }

    /// What makes the rest of a trace useless.
    public enum Cut: Sendable, Hashable {
        /// The ring buffer overran before this event of the trace.
        case lost(UInt64, at: Int)
        /// An AST whose request is not in the trace.
        case began(at: Int)
    }

    public internal(set) var nodes: [Node] = []
    public private(set) var labels: [TraceLabel] = []
    public internal(set) var ignored: [IgnoredEvent: Int] = [:]
    /// The most processes of a node that are inside md at once.
    public internal(set) var processes = 1
    /// What the record can show.
    public internal(set) var kinds: Set<TraceMark> = []
    /// Of the array that is compared.
    let lockspace: UInt32
    private var numbers: [TraceLabel: Int32] = [:]
    /// md_wakeup_thread is a macro around the second since v6.10.
    static let wakeUps: Set<String> = ["md_wakeup_thread", "__md_wakeup_thread"]

    /// - Parameters:
    ///   - traces: one for each node, in order.
    ///   - offsets: guest seconds minus host seconds of each node's clock; may be empty.
    ///   - probed: functions that had a probe, "NAME__ret" for one at the return, beside those that were called.
    ///   - died: nodes that died in the run.
    init(
        traces: [(node: NodeID, events: [KernelEvent])], lockspace: UInt32, offsets: [Double], probed: Set<String>,
        died: Set<NodeID> = []
    ) {
        self.lockspace = lockspace
        var seen = probed.filter { !$0.hasSuffix("__ret") }
        var arrays: [NodeID: Set<Int64>] = [:]
        for (node, events) in traces {
            for event in events {
                guard case .entry(let function, let values) = event.body else {
                    if case .function(let name, _) = event.body, Self.wakeUps.contains(name) {
                        kinds.insert(.enter("md_wakeup_thread"))
                    }
                    continue
                }
                seen.insert(function)
                if function == "join", let mddev = values["mddev"] { arrays[node, default: []].insert(mddev) }
            }
        }
        kinds.formUnion(seen.map { .enter($0) })
        kinds.formUnion(probed.filter { $0.hasSuffix("__ret") }.map { .returned(String($0.dropLast(5))) })
        let offsets = ClockAlignment.offsets(offsets, for: traces.map(\.events))
        for (number, trace) in traces.enumerated() {
            let reader = EventReader(lockspace: lockspace, arrays: arrays[trace.node] ?? [], probed: seen)
            read(trace.node, trace.events, reader, offset: offsets[number])
        }
        for number in nodes.indices where died.contains(nodes[number].id) {
            guard nodes[number].cut == nil, let last = nodes[number].events.last else { continue }
            nodes[number].died = true
            nodes[number].events.append(
                Event(
                    index: last.index, label: self.number(of: TraceLabel(.death)),
                    thread: Int32(4 + processes), hint: last.hint))
        }
        // What only the function tracer shows. All of md-cluster is one filter; functions of md.c are one each; on a
        // node each of them may be missing.
        let byFilter = kinds.subtracting(Self.single).filter { mark in
            if case .enter(let function) = mark { !seen.contains(function) } else { false }
        }
        for number in nodes.indices {
            let shown = Set(nodes[number].events.map { labels[Int($0.label)].mark })
            if shown.contains(.enter("md_check_recovery")) { nodes[number].nameless = nil }
            nodes[number].unseen = Self.single.filter { kinds.contains($0) && !shown.contains($0) }
            // All that md-cluster does, whatever it is, goes through dlm_lock_sync.
            let showsMDCluster = traces[number].events.contains { event in
                guard case .function(let name, _) = event.body else { return false }
                return name == "dlm_lock_sync" || byFilter.contains(.enter(name))
            }
            if !showsMDCluster { nodes[number].unseen.formUnion(byFilter) }
        }
    }

    private static let single: Set<TraceMark> = [.enter("md_check_recovery"), .enter("md_wakeup_thread")]

    private mutating func read(_ id: NodeID, _ events: [KernelEvent], _ reader: EventReader, offset: Double) {
        var reader = reader
        var node = Node(id: id)
        var actors: [EventReading.Actor] = []
        // What no clock can be off is no hint.
        let shift = abs(offset) < 1e9 ? Int64(offset * 1e9) : 0
        node.events.reserveCapacity(events.count)
        for event in events {
            if case .lost(let count) = event.body {
                node.cut = .lost(count, at: event.index)
                break
            }
            let before = reader.givesUp(event)
            guard let reading = reader.read(event) else {
                node.cut = .began(at: event.index)
                break
            }
            for reading in [before, reading].compactMap(\.self) {
                switch reading {
                case .ignored(let rule): ignored[rule, default: 0] += 1
                case .label(let label, let actor):
                    if node.nameless == nil, event.role == nil { node.nameless = event.pid }
                    node.events.append(
                        Event(
                            index: Int32(event.index), label: number(of: label), thread: 0,
                            hint: Int64(event.time) - shift))
                    actors.append(actor)
                }
            }
        }
        let slots = ProcessSlots(actors)
        processes = max(processes, slots.count)
        for place in actors.indices {
            node.events[place].thread =
                switch actors[place] {
                case .receive: 0
                case .raid1d: 1
                case .resync: 2
                case .callback: 3
                case .process(let pid): Int32(4 + slots.slot(of: pid))
                }
        }
        nodes.append(node)
    }

    private mutating func number(of label: TraceLabel) -> Int32 {
        if let known = numbers[label] { return known }
        let number = Int32(labels.count)
        labels.append(label)
        numbers[label] = number
        kinds.insert(label.mark)
        return number
    }

    /// Each node's first events only.
    func prefix(_ counts: [Int]) -> TraceWords {
        var words = self
        for (number, count) in counts.enumerated() { words.nodes[number].events.removeSubrange(count...) }
        return words
    }

    public var hasDeath: Bool { nodes.contains(where: \.died) }
    public var count: Int { nodes.reduce(0) { $0 + $1.events.count } }
}

/// A process of the model stands for one process of the node after the other.
private struct ProcessSlots {
    private var slots: [Int: Int] = [:]
    private(set) var count = 0

    init(_ actors: [EventReading.Actor]) {
        var last: [Int: Int] = [:]
        for (place, actor) in actors.enumerated() {
            if case .process(let pid) = actor { last[pid] = place }
        }
        var ends: [Int] = []
        for (place, actor) in actors.enumerated() {
            guard case .process(let pid) = actor, slots[pid] == nil else { continue }
            if let free = ends.firstIndex(where: { $0 < place }) {
                slots[pid] = free
                ends[free] = last[pid] ?? place
            } else {
                slots[pid] = ends.count
                ends.append(last[pid] ?? place)
            }
        }
        count = ends.count
    }

    func slot(of pid: Int) -> Int { slots[pid] ?? 0 }
}
