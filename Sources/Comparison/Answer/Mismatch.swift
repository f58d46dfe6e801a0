// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import MDClusterModel
import ModelChecker
import ProcedureModel

/// Where a record leaves the model: the longest cut that conforms, and what keeps each node's next event from
/// happening.
public struct Mismatch: Sendable, Equatable {
    /// An event as a reader finds it in the trace.
    public struct Event: Sendable, Equatable {
        public var node: NodeID
        /// Its place in the node's trace.
        public var index: Int
        /// Nanoseconds of the node's trace clock.
        public var time: UInt64
        public var comm: String
        public var pid: Int
        /// "dlm_lock_start(ack, NL, -)"
        public var label: TraceLabel
    }

    public struct Node: Sendable, Equatable {
        public var node: NodeID
        /// How many of its events conform.
        public var matched: Int
        public var of: Int
        public var last: Event?
        /// nil when all of the node's events conform.
        public var next: Event?
        /// For each way in which the model can be there: why not.
        public var refusals: [Refusal]
        /// Where in the code of the event's thread the model has the event, innermost function first; the nearest
        /// places come first. None: the model's thread never does that.
        public var places: [[String]]
        /// Other threads that the model would let do it now: "node1 md0_raid1".
        public var others: [String]
        /// The thread of the next event is only blocked: what it waits for is another node's.
        public var isConsequence: Bool
    }

    public var nodes: [Node]
    /// The node whose event is where the record leaves the model.
    public var first: Int
    /// Model states in which the longest conforming cut can end.
    public var states: Int
    /// False if the search gave up on states from which a longer cut could have been found.
    public var isLongest: Bool
    public var locks: [String]
    /// Where the model's threads are then, those at rest left out.
    public var threads: [String]

    public var event: Event? { nodes.indices.contains(first) ? nodes[first].next : nil }
}

extension Mismatch {
    init(
        result: LanguageSearch.Result, machine: Machine, words: TraceWords, alphabet: Alphabet,
        traces: [(node: NodeID, events: [KernelEvent])]
    ) {
        let count = words.nodes.count
        let threads = machine.threads.count / count
        let cut = result.cut
        // All of them may refuse the event for a reason of their own.
        let ends = result.ends
        let judge = Judge(machine: machine, alphabet: alphabet, threads: threads)
        var nodes: [Node] = []
        for number in 0..<count {
            let word = words.nodes[number]
            func event(_ place: Int) -> Event? {
                guard word.events.indices.contains(place) else { return nil }
                let item = word.events[place]
                let source = traces[number].events[Int(item.index)]
                return Event(
                    node: word.id, index: Int(item.index), time: source.time, comm: source.comm, pid: source.pid,
                    label: words.labels[Int(item.label)])
            }
            var refusals: [Refusal] = []
            var (places, others): ([[String]], [String]) = ([], [])
            if word.events.indices.contains(cut[number]) {
                let item = word.events[cut[number]]
                let (thread, label) = (number * threads + Int(item.thread), words.labels[Int(item.label)])
                for end in ends {
                    let refusal = judge.refusal(of: label, by: thread, in: Array(end.prefix(machine.stateWords)))
                    if !refusals.contains(refusal) { refusals.append(refusal) }
                }
                if let end = ends.first.map({ Array($0.prefix(machine.stateWords)) }) {
                    places = judge.places(of: label, by: thread, in: end)
                    others = judge.others(than: thread, for: label, in: end)
                }
            }
            nodes.append(
                Node(
                    node: word.id, matched: cut[number], of: word.events.count, last: event(cut[number] - 1),
                    next: event(cut[number]), refusals: refusals, places: places, others: others,
                    isConsequence: refusals.allSatisfy { $0.waitsFor != nil && $0.instead.isEmpty }))
        }
        let open = nodes.indices.filter { nodes[$0].next != nil }
        func hint(_ node: Int) -> Int64 { words.nodes[node].events[cut[node]].hint }
        // A thread that would do something else is a cause; one that is blocked may only suffer from it.
        let others = open.filter { number in
            nodes[number].refusals.contains { $0.waitsFor == nil && !$0.instead.isEmpty }
        }
        let unblocked = open.filter { !nodes[$0].isConsequence }
        let causes = !others.isEmpty ? others : !unblocked.isEmpty ? unblocked : open
        let first = causes.min { hint($0) < hint($1) } ?? 0
        let end = ends.first.map { Array($0.prefix(machine.stateWords)) }
        self.init(
            nodes: nodes, first: first, states: ends.count, isLongest: result.isLongest,
            locks: end.map { machine.locks(in: $0) } ?? [], threads: end.map { machine.stacks(in: $0) } ?? [])
    }
}
