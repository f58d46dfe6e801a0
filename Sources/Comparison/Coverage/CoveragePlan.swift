// SPDX-License-Identifier: GPL-2.0
import MDClusterModel

/// What could be covered, and by which scenarios: explored anew each time, so that it cannot be out of date.
///
///     let plan = try CoveragePlan(coverage, candidates: [(name: "smoke", script: script)])
///     plan.next.first      // the scenario to run next
///
/// "Can reach" is all that is said: that the model can get there when md.c is called as the scenario has it called. A
/// kernel may go another way, run after run.
public struct CoveragePlan: Sendable {
    /// Scenarios that have md-cluster.c called in the same way.
    public struct Candidate: Sendable, Equatable {
        public var names: [String]
        public var script: CallerScript
        /// How many runs of them count.
        public var records: Int
        public var reach: Reach
    }

    /// What a candidate can add to what runs have covered, and those before it in the list can.
    public struct Next: Sendable, Equatable {
        public var names: [String]
        public var records: Int
        public var steps: [String]
        public var pairs: [StepPair]
        /// All pairs that it can reach, and how many of them have been met by whichever run.
        public var reachable: Int
        public var met: Int
    }

    /// How a step that no run took can be reached.
    public enum Way: Sendable, Equatable {
        case scenarios([String])
        /// By no scenario; these operations would do.
        case operations([String])
        /// By nothing that was explored.
        case none
    }

    public let candidates: [Candidate]
    /// Pairs that the model can have: found by exploring all scenarios and each operation by itself, or met by a run.
    public let possible: Set<StepPair>
    /// Of those that runs have met, pairs that the exploration did not find.
    public let unexpected: Set<StepPair>
    public let next: [Next]
    public let ways: [String: Way]
    public let states: Int
    /// Scripts that were not explored to their end.
    public let unfinished: Int
    public let explored: Int

    /// States of one script, after which its exploration ends.
    public static let stateLimit = 300_000

    /// - Parameter standard: what is explored besides.
    public init(
        _ coverage: Coverage, candidates named: [(name: String, script: CallerScript)], limit: Int = stateLimit,
        standard: [(operation: CallerScript.Operation, script: CallerScript)] = CallerScript.standard
    ) throws(ModelError) {
        var candidates: [Candidate] = []
        for (name, script) in named {
            if let same = candidates.firstIndex(where: { $0.script == script }) {
                candidates[same].names.append(name)
            } else {
                candidates.append(Candidate(names: [name], script: script, records: 0, reach: Reach()))
            }
        }
        for index in candidates.indices {
            candidates[index].records = candidates[index].names.reduce(0) { $0 + coverage.records[$1, default: 0] }
            candidates[index].reach = try Reach(candidates[index].script, coverage.table, limit: limit)
        }
        var single: [(operation: CallerScript.Operation, reach: Reach)] = []
        for (operation, script) in standard {
            single.append((operation, try Reach(script, coverage.table, limit: limit)))
        }
        let all = candidates.map(\.reach) + single.map(\.reach)
        let found = all.reduce(into: Set<StepPair>()) { $0.formUnion($1.pairs) }
        self.candidates = candidates
        possible = found.union(coverage.pairs)
        unexpected = coverage.pairs.subtracting(found)
        states = all.reduce(0) { $0 + $1.states }
        explored = all.count
        unfinished = all.count { !$0.isComplete }
        var ways: [String: Way] = [:]
        for step in coverage.steps.subtracting(coverage.taken) {
            let scenarios = candidates.filter { $0.reach.steps.contains(step) }.flatMap(\.names)
            var operations: [String] = []
            for (operation, reach) in single
            where reach.steps.contains(step) && !operations.contains(operation.rawValue) {
                operations.append(operation.rawValue)
            }
            ways[step] =
                !scenarios.isEmpty ? .scenarios(scenarios) : operations.isEmpty ? Way.none : .operations(operations)
        }
        self.ways = ways
        next = Self.rank(candidates, coverage)
    }

    /// The one that can add most comes first, steps before pairs; what it can add is not counted again for those behind
    /// it. What a scenario did not show in so many runs it will hardly show in the next, so its share is divided by
    /// them.
    private static func rank(_ candidates: [Candidate], _ coverage: Coverage) -> [Next] {
        var steps = coverage.taken
        var pairs = coverage.pairs
        var open = candidates
        var ranked: [Next] = []
        while !open.isEmpty {
            func worth(_ candidate: Candidate) -> (Double, Double) {
                let share = 1 / Double(1 + candidate.records)
                return (
                    Double(candidate.reach.steps.subtracting(steps).count) * share,
                    Double(candidate.reach.pairs.subtracting(pairs).count) * share
                )
            }
            let worths = open.map(worth)
            guard let best = worths.indices.max(by: { worths[$0] < worths[$1] }), worths[best] > (0, 0) else { break }
            let reach = open[best].reach
            ranked.append(
                Next(
                    names: open[best].names, records: open[best].records,
                    steps: reach.steps.subtracting(steps).sorted(), pairs: reach.pairs.subtracting(pairs).sorted(),
                    reachable: reach.pairs.count, met: reach.pairs.intersection(coverage.pairs).count))
            steps.formUnion(reach.steps)
            pairs.formUnion(reach.pairs)
            open.remove(at: best)
        }
        return ranked
    }
}

extension Reach {
    /// What the callers of a script can bring md-cluster.c to.
    init(_ script: CallerScript, _ table: StepTable, limit: Int) throws(ModelError) {
        self.init(try CallerProgram.machine(variant: table.variant, script), table, limit: limit)
    }
}
