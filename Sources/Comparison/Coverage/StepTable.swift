// SPDX-License-Identifier: GPL-2.0
import MDClusterModel
import ProcedureModel

/// The steps of a variant's md-cluster.c, and which of them meet: what coverage is counted in.
///
/// Both are those of the observed program, for runs and for whatever is explored. A program that asks for less has
/// fewer steps that meet (where nobody takes a lock in EX, the order of its conversions makes no difference), and then
/// a pair would count in a run and not be possible.
struct StepTable: Sendable {
    let variant: String
    let machine: Machine
    let names: StepNames
    private let dependence: Dependence
    /// By number of a name: its steps on the first node, and on the second.
    private let steps: [[[Int]]]

    init(variant: String) throws(ModelError) {
        // Two processes of a node meet one another.
        let program = try ObservedProgram.make(variant: variant, nodes: 2, processes: 2)
        do {
            let machine = try Machine(program)
            self.init(variant: variant, machine, dependence: machine.dependence())
        } catch {
            preconditionFailure("\(variant): \(error)")
        }
    }

    init(
        variant: String, _ machine: Machine, dependence: Dependence,
        counting counts: (String) -> Bool = StepNames.counts
    ) {
        (self.variant, self.machine, self.dependence) = (variant, machine, dependence)
        let names = StepNames(machine, counting: counts)
        var steps = [[[Int]]](repeating: [[], []], count: names.names.count)
        for step in 0..<machine.stepCount where names.numbers[step] >= 0 {
            steps[names.numbers[step]][names.nodes[step]].append(step)
        }
        (self.names, self.steps) = (names, steps)
    }

    /// Whether two steps meet, by their place: asked only of those that were seen, since there are many pairs.
    func meets(_ place: Int) -> Bool {
        let (first, second) = (place / 2).quotientAndRemainder(dividingBy: steps.count)
        func meet(on node: Int, and other: Int) -> Bool {
            steps[first][node].contains { mine in steps[second][other].contains { dependence.meet(mine, $0) } }
        }
        // A program may have threads on one node only.
        return place % 2 == 1
            ? meet(on: 0, and: 1) || meet(on: 1, and: 0) : meet(on: 0, and: 0) || meet(on: 1, and: 1)
    }

    func pair(_ place: Int) -> StepPair {
        let (first, second) = (place / 2).quotientAndRemainder(dividingBy: names.names.count)
        return StepPair(first: names.names[first], second: names.names[second], isAcross: place % 2 == 1)
    }
}

extension StepNames {
    /// The place of two steps that count in a table of all pairs.
    func place(_ first: Int, _ second: Int) -> Int {
        (numbers[first] * names.count + numbers[second]) * 2 + (nodes[first] == nodes[second] ? 0 : 1)
    }
}

/// The pairs that a run or an exploration of another machine met.
struct PairSet {
    private let table: StepTable
    private let names: StepNames
    private var seen: [Bool]

    /// - Parameter names: of the other machine, by the table's numbers.
    init(_ table: StepTable, names: StepNames) {
        (self.table, self.names) = (table, names)
        seen = Array(repeating: false, count: names.names.count * names.names.count * 2)
    }

    /// Steps of different threads; both count.
    mutating func note(_ first: Int, _ second: Int) { seen[names.place(first, second)] = true }

    var pairs: Set<StepPair> { Set(seen.indices.filter { seen[$0] && table.meets($0) }.map(table.pair)) }
}
