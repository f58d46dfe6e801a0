// SPDX-License-Identifier: GPL-2.0
import MDClusterModel
import ProcedureModel

/// Which steps of the model show which events of a record. A step whose kind of event the record cannot show is hidden.
struct Alphabet: Sendable {
    /// By step: the number of its label, or -1.
    private let labels: [Int32]
    let texts: [String]
    /// Kinds of steps that the record cannot show: "return load_bitmaps".
    let hidden: Set<String>
    /// Which hidden steps can change places.
    let independence: Independence
    /// [event's label * labels of steps + step's label]
    private let fitting: [Bool]
    private let events: Int
    /// [step * events + event's label]
    private let expected: [Bool]

    init(machine: Machine, words: TraceWords) {
        var labels = [Int32](repeating: -1, count: machine.stepCount)
        var texts: [String] = []
        var numbers: [String: Int32] = [:]
        var hidden: Set<String> = []
        let threads = machine.threads.count / max(1, words.nodes.count)
        for step in 0..<machine.stepCount {
            let place = machine.place(ofStep: step)
            guard let procedure = place.procedures.first, Marker.isOne(procedure), let text = place.stack.first else {
                continue
            }
            let node = machine.actor(ofStep: step) / threads
            guard procedure.hasPrefix("dlm_") || words.kinds.contains(procedure),
                !words.nodes[node].unseen.contains(procedure)
            else {
                hidden.insert(procedure)
                continue
            }
            if let known = numbers[text] {
                labels[step] = known
            } else {
                labels[step] = Int32(texts.count)
                numbers[text] = Int32(texts.count)
                texts.append(text)
            }
        }
        self.labels = labels
        independence = machine.independence { labels[$0] >= 0 }
        self.hidden = hidden
        self.texts = texts
        let fitting = words.labels.flatMap { event in texts.map { Self.fits(event, $0) } }
        self.fitting = fitting
        events = words.labels.count
        expected = Self.expected(machine, labels: labels, fitting: fitting, events: events, texts: texts.count)
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

    /// An argument that an event does not have fits any.
    static func fits(_ event: String, _ step: String) -> Bool {
        guard event.contains("*") else { return event == step }
        func parts(_ text: String) -> [Substring] { text.split { "(,) ".contains($0) } }
        let (left, right) = (parts(event), parts(step))
        return left.count == right.count && zip(left, right).allSatisfy { $0 == "*" || $0 == $1 }
    }

    @inline(__always) func isVisible(_ step: Int) -> Bool { labels[step] >= 0 }

    @inline(__always) func fits(event: Int32, step: Int) -> Bool {
        labels[step] >= 0 && fitting[Int(event) * texts.count + Int(labels[step])]
    }

    func text(ofStep step: Int) -> String? { labels[step] < 0 ? nil : texts[Int(labels[step])] }
}
