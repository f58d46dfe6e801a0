// SPDX-License-Identifier: GPL-2.0
import Foundation

/// Coverage as JSON, for other tools: the same facts as on the screen, and all of them.
public struct CoverageDocument: Codable, Sendable, Equatable {
    public struct Step: Codable, Sendable, Equatable {
        public var step: String
        public var taken: Bool
        /// Every run with a record's events takes it.
        public var certain: Bool
        /// Some events could prove it.
        public var provable: Bool
        /// Of a step that no run took: scenarios that can reach it, else operations.
        public var scenarios: [String]?
        public var operations: [String]?
    }
    public struct Pair: Codable, Sendable, Equatable {
        public var first: String
        public var second: String
        public var nodes: Int
        public var taken: Bool
        /// The first run that met it.
        public var run: String?
        /// A run met it, and no exploration found it: the model of the callers lacks something.
        public var unexpected: Bool
    }
    public struct Next: Codable, Sendable, Equatable {
        public var scenarios: [String]
        public var records: Int
        public var steps: [String]
        public var pairs: Int
    }
    public struct Left: Codable, Sendable, Equatable {
        public var run: String
        /// "does not conform", "not decided" or "is of VARIANT".
        public var reason: String
    }

    public var variant: String
    public var runs: Int
    public var records: [String: Int]
    public var steps: [Step]
    public var pairs: [Pair]
    /// States that were explored for `pairs`, and whether there can be more.
    public var states: Int
    public var isBound: Bool
    public var next: [Next]
    public var left: [Left]
    public var ignored: [String: Int]
    public var unobserved: [String: Int]

    public init(_ coverage: Coverage, _ plan: CoveragePlan, unprovable: Set<String>) {
        variant = coverage.variant
        runs = coverage.runs
        records = coverage.records
        steps = coverage.steps.sorted().map { step in
            var scenarios: [String]?
            var operations: [String]?
            switch plan.ways[step] {
            case .scenarios(let names)?: scenarios = names
            case .operations(let names)?: operations = names
            case CoveragePlan.Way.none?, nil: break
            }
            return Step(
                step: step, taken: coverage.taken.contains(step), certain: coverage.certain.contains(step),
                provable: !unprovable.contains(step), scenarios: scenarios, operations: operations)
        }
        pairs = plan.possible.sorted().map {
            Pair(
                first: $0.first, second: $0.second, nodes: $0.isAcross ? 2 : 1, taken: coverage.pairs.contains($0),
                run: coverage.firstRuns[$0], unexpected: plan.unexpected.contains($0))
        }
        states = plan.states
        isBound = plan.unfinished > 0
        next = plan.next.map { Next(scenarios: $0.names, records: $0.records, steps: $0.steps, pairs: $0.pairs.count) }
        left = coverage.left.map { left in
            let reason =
                switch left.reason {
                case .doesNotConform: "does not conform"
                case .notDecided: "not decided"
                case .isOf(let variant): "is of \(variant)"
                }
            return Left(run: left.run, reason: reason)
        }
        ignored = Dictionary(uniqueKeysWithValues: coverage.ignored.map { ($0.key.rawValue, $0.value) })
        unobserved = coverage.unobserved
    }

    public func write(to url: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(self).write(to: url)
    }
}
