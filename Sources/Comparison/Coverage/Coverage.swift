// SPDX-License-Identifier: GPL-2.0
import MDClusterModel
import ProcedureModel

/// Which steps of the model's md-cluster.c, and which pairs of concurrent ones, recorded runs have taken, summed over
/// runs.
///
///     var coverage = try Coverage()
///     coverage.add(comparison, run: "smoke-1", scenario: "smoke")
///
/// A step is a statement of a procedure; which node took it does not matter. Only runs of this variant that conform
/// count: of the others nobody can say which steps they took.
public struct Coverage: Sendable {
    /// By procedure: the steps that some run took, and those that none did.
    public struct Row: Sendable, Equatable {
        public var procedure: String
        public var taken: [String]
        public var missing: [String]
    }

    /// A run that is not counted.
    public struct Left: Sendable, Equatable {
        public enum Reason: Sendable, Equatable {
            case doesNotConform
            case notDecided([ModelComparison.Doubt])
            /// It is a run of a kernel that another variant describes.
            case isOf(variant: String)
        }
        public var run: String
        public var reason: Reason
    }

    public var variant: String { table.variant }
    /// All steps that there are.
    public let steps: Set<String>
    let table: StepTable
    /// Steps of the runs that were found: one of the runs that show the recorded events, for each record.
    public private(set) var taken: Set<String> = []
    /// Of those taken, steps that every run with the same events takes.
    public private(set) var certain: Set<String> = []
    public private(set) var pairs: Set<StepPair> = []
    /// By pair: the first run that met it.
    public private(set) var firstRuns: [StepPair: String] = [:]
    public private(set) var runs = 0
    public private(set) var left: [Left] = []
    /// By scenario: how many runs of it count.
    public private(set) var records: [String: Int] = [:]
    /// Events that no step of the model stands for, by the reason.
    public private(set) var ignored: [IgnoredEvent: Int] = [:]
    /// Kinds of events that the model has and some record could not show, and in how many.
    public private(set) var unobserved: [String: Int] = [:]
    /// By scenario: the steps of its runs.
    private var byScenario: [String: Set<String>] = [:]

    public init(variant: String = "v5.11") throws(ModelError) {
        table = try StepTable(variant: variant)
        steps = Set(table.names.names)
    }

    /// - Parameter run: what it is called where it is left out.
    public mutating func add(_ comparison: ModelComparison, run name: String, scenario: String) {
        if comparison.variant != variant { return leave(name, of: comparison.variant) }
        switch comparison.answer {
        case .doesNotConform: left.append(Left(run: name, reason: .doesNotConform))
        case .notDecided(let doubts): left.append(Left(run: name, reason: .notDecided(doubts)))
        case .conforms: count(comparison, name, scenario)
        }
    }

    /// A run of a kernel that another variant describes is not counted.
    public mutating func leave(_ run: String, of variant: String) {
        left.append(Left(run: run, reason: .isOf(variant: variant)))
    }

    private mutating func count(_ comparison: ModelComparison, _ name: String, _ scenario: String) {
        guard let run = comparison.run else { return }
        runs += 1
        records[scenario, default: 0] += 1
        let found = comparison.figures.steps.intersection(steps)
        taken.formUnion(found)
        byScenario[scenario, default: []].formUnion(found)
        ignored.merge(comparison.figures.ignored) { $0 + $1 }
        for kind in comparison.figures.unobserved { unobserved[kind, default: 0] += 1 }
        let names = table.names.numbering(run.machine)
        for pair in pairs(of: run, names) where pairs.insert(pair).inserted { firstRuns[pair] = name }
        var proof = CertainSteps(run.machine, names: names, isVisible: run.alphabet.isVisible)
        for (node, word) in comparison.words.nodes.enumerated() {
            let threads = run.machine.threads.count / comparison.words.nodes.count
            for local in 0..<threads where !found.isSubset(of: certain) {
                let events = word.events.filter { $0.thread == Int32(local) }.map(\.label)
                certain.formUnion(
                    proof.steps(thread: node * threads + local, events: events) {
                        run.alphabet.fits(event: $0, step: $1)
                    })
            }
        }
    }

    /// Follows the run backwards: where a thread stands is the next step that it takes. Steps that only show an event
    /// are passed over, since they do nothing.
    private func pairs(of run: ModelRun, _ names: StepNames) -> Set<StepPair> {
        let machine = run.machine
        var found = PairSet(table, names: names)
        var pending = [Int](repeating: -1, count: machine.threads.count)
        for step in run.steps.reversed() {
            if names.isMarker[step] { continue }
            let actor = machine.actor(ofStep: step)
            let counts = names.numbers[step] >= 0
            if counts {
                for (other, next) in pending.enumerated() where other != actor && next >= 0 { found.note(step, next) }
            }
            pending[actor] = counts && !machine.isRest(step) ? machine.pending(atStep: step) : -1
        }
        return found.pairs
    }

    public var rows: [Row] {
        Dictionary(grouping: steps, by: StepNames.function).sorted { $0.key < $1.key }.map { name, steps in
            func texts(_ list: [String]) -> [String] { list.map { String($0.dropFirst(name.count + 2)) }.sorted() }
            return Row(
                procedure: name, taken: texts(steps.filter(taken.contains)),
                missing: texts(steps.filter { !taken.contains($0) }))
        }
    }

    /// Scenarios by what only they have shown: those to keep.
    public var ranking: [(scenario: String, steps: Int, alone: Int)] {
        byScenario.map { name, steps in
            let others = byScenario.filter { $0.key != name }.reduce(into: Set<String>()) { $0.formUnion($1.value) }
            return (scenario: name, steps: steps.count, alone: steps.subtracting(others).count)
        }.sorted { ($0.alone, $0.steps, $1.scenario) > ($1.alone, $1.steps, $0.scenario) }
    }

    /// Steps that are certain in no record, whatever its events: between any two events of a thread there is a way
    /// around them.
    public func unprovable() -> Set<String> {
        var proof = CertainSteps(table.machine, names: table.names) { table.names.isMarker[$0] }
        return steps.subtracting(proof.provable(threads: 0..<table.machine.threads.count / 2))
    }
}
