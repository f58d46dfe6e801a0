// SPDX-License-Identifier: GPL-2.0
import MDClusterModel
import ProcedureModel

/// Which steps of the model show which events of a record. A step whose kind of event the record cannot show is hidden.
struct Alphabet: Sendable {
    /// By step: the number of its label, or -1.
    private let labels: [Int32]
    private let shown: [TraceLabel]
    /// Kinds of steps that the record cannot show: "return load_bitmaps".
    let hidden: Set<TraceMark>
    /// Which hidden steps can change places.
    let independence: Independence
    /// [event's label * labels of steps + step's label]
    private let fitting: [Bool]
    private let events: Int
    /// [step * events + event's label]
    private let expected: [Bool]

    init(machine: Machine, words: TraceWords) {
        var labels = [Int32](repeating: -1, count: machine.stepCount)
        var shown: [TraceLabel] = []
        var numbers: [TraceLabel: Int32] = [:]
        var hidden: Set<TraceMark> = []
        let threads = machine.threads.count / max(1, words.nodes.count)
        for step in 0..<machine.stepCount {
            guard let label = TraceLabel(machine.place(ofStep: step)) else { continue }
            let node = machine.actor(ofStep: step) / threads
            guard label.mark.isOfDLM || words.kinds.contains(label.mark),
                !words.nodes[node].unseen.contains(label.mark)
            else {
                hidden.insert(label.mark)
                continue
            }
            if let known = numbers[label] {
                labels[step] = known
            } else {
                labels[step] = Int32(shown.count)
                numbers[label] = Int32(shown.count)
                shown.append(label)
            }
        }
        self.labels = labels
        independence = machine.independence { labels[$0] >= 0 }
        self.hidden = hidden
        self.shown = shown
        let fitting = words.labels.flatMap { event in shown.map { event.fits($0) } }
        self.fitting = fitting
        events = words.labels.count
        expected = Self.expected(machine, labels: labels, fitting: fitting, events: events, texts: shown.count)
    }

    /// By step: which events can be the next one of a thread that is at the step. What its own code says, whatever the
    /// state: nothing else makes most of the wrong ways short.
    private static func expected(
        _ machine: Machine, labels: [Int32], fitting: [Bool], events: Int, texts: Int
    ) -> [Bool] {
        var expected = [Bool](repeating: false, count: machine.stepCount * events)
        var before = [[Int32]](repeating: [], count: machine.stepCount)
        var open: [Int] = []
        for step in 0..<machine.stepCount {
            if labels[step] >= 0 {
                for event in 0..<events { expected[step * events + event] = fitting[event * texts + Int(labels[step])] }
                open.append(step)
            } else {
                for next in machine.followers(ofStep: step) { before[next].append(Int32(step)) }
            }
        }
        while let step = open.popLast() {
            for earlier in before[step] {
                var changed = false
                for event in 0..<events
                where expected[step * events + event] && !expected[Int(earlier) * events + event] {
                    expected[Int(earlier) * events + event] = true
                    changed = true
                }
                if changed { open.append(Int(earlier)) }
            }
        }
        return expected
    }

    /// Whether an event can be the next one of a thread at a step.
    @inline(__always) func leads(_ step: Int, to event: Int32) -> Bool { expected[step * events + Int(event)] }

    @inline(__always) func isVisible(_ step: Int) -> Bool { labels[step] >= 0 }

    @inline(__always) func fits(event: Int32, step: Int) -> Bool {
        labels[step] >= 0 && fitting[Int(event) * shown.count + Int(labels[step])]
    }

    /// What a visible step shows.
    func label(ofStep step: Int) -> TraceLabel? { labels[step] < 0 ? nil : shown[Int(labels[step])] }
}
