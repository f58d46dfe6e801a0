// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import MDClusterModel
import ModelChecker
import ProcedureModel

/// Where a record leaves the model: the longest cut that conforms, and what keeps each node's next event from happening.
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
        /// As the model would write it: "dlm_lock_start(ack, NL, -)".
        public var label: String
    }

    /// What the model's thread does where the kernel's does something else.
    public struct Refusal: Sendable, Equatable {
        /// The thread's place in the model, innermost function first.
        public var stack: [String]
        /// What it waits for, if it is blocked there.
        public var waitsFor: String?
        /// Who holds what it waits for.
        public var holder: String?
        /// The events that the model allows this thread instead.
        public var instead: [String]
    }

    public struct Node: Sendable, Equatable {
        public var node: NodeID
        /// How many of its events conform.
        public var matched: Int
        public var of: Int
        public var last: Event?
        /// nil when all of the node's events conform.
        public var next: Event?
        public var refusals: [Refusal]
        /// The thread of the next event is only blocked: what it waits for is another node's.
        public var isConsequence: Bool
    }

    public var nodes: [Node]
    /// The node whose event is where the record leaves the model.
    public var first: Int
    /// Model states in which the longest conforming cut can end.
    public var states: Int
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
            if word.events.indices.contains(cut[number]) {
                let thread = number * threads + Int(word.events[cut[number]].thread)
                for end in ends {
                    let refusal = Self.refusal(of: thread, in: Array(end.prefix(machine.stateWords)), machine, alphabet)
                    if !refusals.contains(refusal) { refusals.append(refusal) }
                }
            }
            nodes.append(
                Node(
                    node: word.id, matched: cut[number], of: word.events.count, last: event(cut[number] - 1),
                    next: event(cut[number]), refusals: refusals,
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
            nodes: nodes, first: first, states: ends.count,
            locks: end.map { machine.locks(in: $0) } ?? [], threads: end.map { machine.stacks(in: $0) } ?? [])
    }

    /// What the thread can do in a state, hidden steps of its own included.
    private static func refusal(
        of thread: Int, in state: [UInt64], _ machine: Machine, _ alphabet: Alphabet
    ) -> Refusal {
        var instead: [String] = []
        var seen: Set<[UInt64]> = [state]
        var open = [state]
        var stack: [String] = machine.stack(ofThread: thread, in: state) ?? ["not running"]
        var waitsFor: String?
        var holder: String?
        var successors = Successors(stateWords: machine.stateWords)
        while let next = open.popLast(), seen.count < 256 {
            next.withUnsafeBufferPointer { buffer in
                guard let base = buffer.baseAddress else { return }
                let view = StateView(base)
                guard let step = machine.nextStep(ofThread: thread, in: view) else { return }
                if let text = alphabet.text(ofStep: step) {
                    if !instead.contains(text) { instead.append(text) }
                    return
                }
                successors.removeAll()
                machine.successors(of: view, byThread: thread, into: &successors)
                if successors.count == 0, waitsFor == nil, let text = machine.guardText(ofStep: step) {
                    waitsFor = text
                    stack = machine.stack(ofThread: thread, in: next) ?? stack
                    holder = machine.holder(blocking: thread, in: next)
                }
                for item in 0..<successors.count {
                    let words = StateView(successors.words(item)).copy(count: machine.stateWords)
                    if seen.insert(words).inserted { open.append(words) }
                }
            }
        }
        return Refusal(
            stack: stack.filter { !isMarker($0) }, waitsFor: waitsFor, holder: holder, instead: instead.sorted())
    }

    private static func isMarker(_ frame: String) -> Bool { Marker.isOne(String(frame.prefix { $0 != "(" })) }
}
