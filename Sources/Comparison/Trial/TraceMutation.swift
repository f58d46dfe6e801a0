// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import MDClusterModel

/// A recorded trace changed in one place, where the comparison looks: what a comparison that is worth its name notices.
public struct TraceMutation: Sendable {
    public enum Kind: String, CaseIterable, Sendable {
        /// An event is not there.
        case dropped
        /// Two compared events of a node that follow each other have changed places.
        case swapped
        /// A DLM lock is asked for in another mode.
        case mode
        /// An argument, a returned value, a lock's name or its answer is another one.
        case field
        /// The event is another thread's.
        case renamed
    }

    public typealias Traces = [(node: NodeID, events: [KernelEvent])]

    public let kind: Kind
    /// Counted from 0, as in `traces`.
    public let node: Int
    /// The changed event's place among the compared events of the node; the earlier one of two that were swapped.
    public let place: Int
    /// "node1 event 212 dlm_lock_start(token, EX, -): mode is NL"
    public let text: String
    public let traces: Traces

    /// A change of a kind in a random place; nil if the place drawn has nothing of the kind to change.
    public init?(
        _ kind: Kind, of traces: Traces, words: TraceWords, first: Int = .max, last: Int = .max,
        using generator: inout some RandomNumberGenerator
    ) {
        guard let node = words.nodes.indices.randomElement(using: &generator),
            let item = words.nodes[node].events.indices.prefix(first).suffix(last).randomElement(using: &generator)
        else { return nil }
        let index = Int(words.nodes[node].events[item].index)
        var events = traces[node].events
        let what: String
        switch kind {
        case .dropped:
            events.remove(at: index)
            what = "dropped"
        case .swapped:
            guard item + 1 < words.nodes[node].events.count else { return nil }
            let other = Int(words.nodes[node].events[item + 1].index)
            let (left, right) = (events[index], events[other])
            (events[index], events[other]) = (right, left)
            (events[index].time, events[other].time) = (left.time, right.time)
            what = "after \(words.labels[Int(words.nodes[node].events[item + 1].label)])"
        case .mode:
            guard case .dlm(var dlm) = events[index].body, dlm.kind == .lockStart, let mode = dlm.mode else {
                return nil
            }
            let modes: [LockMode] = [.nl, .cr, .cw, .pr, .pw, .ex]
            guard let new = modes.filter({ $0 != mode }).randomElement(using: &generator) else { return nil }
            dlm.mode = new
            events[index].body = .dlm(dlm)
            what = "mode is \(new)"
        case .field:
            guard let changed = Self.changed(events[index].body, &generator) else { return nil }
            events[index].body = changed.body
            what = changed.what
        case .renamed:
            var threads: [Int: String] = [:]
            for event in words.nodes[node].events {
                let source = events[Int(event.index)]
                if source.pid != events[index].pid { threads[source.pid] = source.comm }
            }
            guard let pid = threads.keys.sorted().randomElement(using: &generator), let comm = threads[pid] else {
                return nil
            }
            events[index].pid = pid
            events[index].comm = comm
            what = "by \(comm)-\(pid)"
        }
        for number in events.indices { events[number].index = number }
        var all = traces
        all[node].events = events
        (self.kind, self.node, self.place, self.traces) = (kind, node, item, all)
        let label = words.labels[Int(words.nodes[node].events[item].label)]
        text = "\(traces[node].node) event \(index) \(label): \(what)"
    }

    private static func changed(
        _ body: KernelEvent.Body, _ generator: inout some RandomNumberGenerator
    ) -> (body: KernelEvent.Body, what: String)? {
        switch body {
        case .entry(let function, var values):
            let names = (ObservedProgram.arguments[function] ?? []).filter { values[$0] != nil }
            guard let name = names.randomElement(using: &generator), let value = values[name] else { return nil }
            values[name] = value == 0 ? 1 : 0
            return (.entry(function: function, arguments: values), "\(name) is \(values[name] ?? 0)")
        case .exit(let function, let value?):
            let new: Int64 = Int32(truncatingIfNeeded: value) == 0 ? -1 : 0
            return (.exit(function: function, value: new), "returns \(new)")
        case .dlm(var dlm):
            if dlm.status != nil, Bool.random(using: &generator) {
                dlm.status = dlm.status == 0 ? -11 : 0
                return (.dlm(dlm), "status is \(dlm.status ?? 0)")
            }
            let resources: [LockResource] = [.token, .message, .ack, .noNewDev, .resync]
            guard let new = resources.filter({ $0 != dlm.resource }).randomElement(using: &generator) else {
                return nil
            }
            dlm.resource = new
            return (.dlm(dlm), "resource is \(new)")
        default: return nil
        }
    }
}

/// SplitMix64: the same mutations each time.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64
    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
