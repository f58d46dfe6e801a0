// SPDX-License-Identifier: GPL-2.0
import MDClusterModel
import ProcedureModel

/// The steps of a machine by the names that count: the same on all nodes and in all machines of a variant.
struct StepNames: Sendable {
    let names: [String]
    /// By step: the number of its name; -1 for what is no step of md-cluster.c.
    let numbers: [Int]
    /// By step: its node, from 0.
    let nodes: [Int]
    /// By step: it only stands for an event.
    let isMarker: [Bool]

    init(_ machine: Machine, counting counts: (String) -> Bool = StepNames.counts) {
        let texts = (0..<machine.stepCount).compactMap { Self.text(machine, $0) }
        self.init(machine, names: Set(texts).filter(counts).sorted())
    }

    /// Those of another machine, by these names' numbers.
    func numbering(_ machine: Machine) -> StepNames { StepNames(machine, names: names) }

    private init(_ machine: Machine, names: [String]) {
        let known = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        let steps = 0..<machine.stepCount
        self.names = names
        numbers = steps.map { Self.text(machine, $0).flatMap { known[$0] } ?? -1 }
        nodes = steps.map { machine.node(ofStep: $0) }
        isMarker = steps.map { machine.place(ofStep: $0).procedures.first.map(Marker.isOne) ?? false }
    }

    private static func text(_ machine: Machine, _ step: Int) -> String? {
        machine.textName(ofStep: machine.pending(atStep: step))
    }

    static func function(of step: String) -> String { String(step.prefix { $0 != ":" }) }

    /// Callers of md-cluster.c, of which the model has only what calls it.
    private static let callers: Set<String> = ["process", "raid1d", "md_do_sync", "md_update_sb", "power cut"]

    /// Steps of md-cluster.c: neither the trace's own nor those of the callers.
    static func counts(_ step: String) -> Bool {
        let function = function(of: step)
        return !Marker.isOne(function) && !callers.contains(function) && !function.hasPrefix(CallerProgram.prefix)
            && !step.contains("good_device_nr")
    }
}
