// SPDX-License-Identifier: GPL-2.0
import MDClusterModel
import ProcedureModel

/// Which steps of the model show which events of a record. A step whose kind of event the record cannot show is hidden.
struct Alphabet: Sendable {
    /// By step: the number of its label, or -1.
    private let labels: [Int32]
    let texts: [String]
    /// [event's label * labels of steps + step's label]
    private let fitting: [Bool]

    init(machine: Machine, words: TraceWords) {
        var labels = [Int32](repeating: -1, count: machine.stepCount)
        var texts: [String] = []
        var numbers: [String: Int32] = [:]
        for step in 0..<machine.stepCount {
            let place = machine.place(ofStep: step)
            guard let procedure = place.procedures.first, Marker.isOne(procedure), let text = place.stack.first,
                procedure.hasPrefix("dlm_") || words.kinds.contains(procedure)
            else { continue }
            if let known = numbers[text] {
                labels[step] = known
            } else {
                labels[step] = Int32(texts.count)
                numbers[text] = Int32(texts.count)
                texts.append(text)
            }
        }
        self.labels = labels
        self.texts = texts
        fitting = words.labels.flatMap { event in texts.map { Self.fits(event, $0) } }
    }

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
