// SPDX-License-Identifier: GPL-2.0
import MDClusterModel
import ProcedureModel

/// Which steps of the model's md-cluster.c recorded runs have taken, summed over runs.
///
/// A step is a statement of a procedure; which node took it does not matter. Only runs that conform count: of the others
/// nobody can say which steps they took.
public struct Coverage: Sendable, Equatable {
    /// By procedure: the steps that some run took, and those that none did.
    public struct Row: Sendable, Equatable {
        public var procedure: String
        public var taken: [String]
        public var missing: [String]
    }

    public private(set) var taken: Set<String> = []
    /// Pairs of steps that two threads were about to take at the same time.
    public private(set) var pairs: Set<String> = []
    public private(set) var runs = 0
    public private(set) var left: [String] = []
    /// By scenario: how many steps no other run took.
    private var byScenario: [String: Set<String>] = [:]
    private let all: Set<String>

    public init() throws(ModelError) {
        let program = try ObservedProgram.make(variant: "v5.11", nodes: 2, processes: 1)
        guard let machine = try? Machine(program) else { preconditionFailure("the observed program") }
        all = Set((0..<machine.stepCount).compactMap { machine.textName(ofStep: $0) }.filter(Self.counts))
    }

    /// Steps of md-cluster.c: neither the trace's own nor those of the general caller.
    static func counts(_ step: String) -> Bool {
        let procedure = String(step.prefix { $0 != ":" })
        return !Marker.isOne(procedure) && !["process", "raid1d", "md_do_sync", "md_update_sb"].contains(procedure)
            && !step.contains("good_device_nr")
    }

    public mutating func add(_ comparison: Comparison, scenario: String) {
        guard comparison.answer == .conforms else {
            left.append(scenario)
            return
        }
        runs += 1
        let steps = comparison.figures.steps.filter(Self.counts)
        taken.formUnion(steps)
        pairs.formUnion(comparison.figures.pairs)
        byScenario[scenario, default: []].formUnion(steps)
    }

    public var total: Int { all.count }

    public var rows: [Row] {
        Dictionary(grouping: all) { String($0.prefix { $0 != ":" }) }.sorted { $0.key < $1.key }.map { name, steps in
            func texts(_ list: [String]) -> [String] { list.map { String($0.dropFirst(name.count + 2)) }.sorted() }
            return Row(
                procedure: name, taken: texts(steps.filter(taken.contains)),
                missing: texts(steps.filter { !taken.contains($0) }))
        }
    }

    /// Scenarios by what only they have shown: those to keep, and to run again for other schedules.
    public var ranking: [(scenario: String, steps: Int, alone: Int)] {
        byScenario.map { name, steps in
            let others = byScenario.filter { $0.key != name }.reduce(into: Set<String>()) { $0.formUnion($1.value) }
            return (scenario: name, steps: steps.count, alone: steps.subtracting(others).count)
        }.sorted { ($0.alone, $0.steps, $1.scenario) > ($1.alone, $1.steps, $0.scenario) }
    }
}
