// SPDX-License-Identifier: GPL-2.0
import Dispatch
import ModelChecker
import ProcedureModel
import Synchronization

/// Puts every small fault into the reference model and sees whether it is noticed.
///
/// A fault is tried only with workloads that execute the changed statement, those with few states first, until one notices.
public struct MutationTrial: Sendable {
    public var workloads = MutationWorkload.all
    /// Faults that are tried at the same time.
    public var workers = 2

    public init() {}

    public enum Fate: Sendable, Equatable {
        case killed(by: Verdict.Failure, workload: String)
        /// Nothing noticed it.
        case survived
        /// It does not compile: the fault was noticed before anything ran.
        case stillborn
        /// No workload takes the changed step.
        case notReached
        /// Nothing noticed it, and why that is right.
        case harmless(reason: String)
    }

    public struct Outcome: Sendable {
        public var procedure: String
        public var change: String
        public var fate: Fate
        /// The name by which `HarmlessMutants` knows it.
        public var name: String { "\(procedure): \(change)" }
    }

    /// A fault, whatever the workload.
    private struct Key: Hashable {
        var procedure: String
        var change: String
        /// Among those of the same text in the procedure.
        var count: Int
    }

    /// A workload explored without faults.
    private struct Ground: Sendable {
        var name: String
        var nodes: Int
        var mutants: [Key: Mutant]
        var reached: Set<Program.Site>
        var states: Int
    }

    /// Every fault that there is to put in, by the names that `HarmlessMutants` knows.
    public func names() throws -> [String] {
        var seen = Set<String>()
        return try workloads.flatMap { workload in
            try workload.program().mutants().filter { Self.isOfTheModel($0.procedure) }.map(\.name)
        }.filter { seen.insert($0).inserted }
    }

    /// A workload's own list of operations is no part of the model.
    private static func isOfTheModel(_ procedure: String) -> Bool {
        !procedure.hasPrefix(Name.mdadm) || !procedure.contains(" on node")
    }

    /// Tries the mutants of some procedures, or of all if none is given. Each outcome is reported as soon as those before it
    /// are known.
    @discardableResult
    public func run(
        procedures: Set<String> = [], _ report: @Sendable @escaping (Outcome) -> Void = { _ in }
    ) throws -> [Outcome] {
        var order: [Key] = []
        var known = Set<Key>()
        var grounds: [Ground] = []
        for workload in workloads {
            let program = try workload.program()
            // What does not compile after this is the fault's doing.
            _ = try Machine(program)
            var counts: [String: Int] = [:]
            var mutants: [Key: Mutant] = [:]
            for mutant in program.mutants()
            where Self.isOfTheModel(mutant.procedure)
                && (procedures.isEmpty || procedures.contains(mutant.procedure))
            {
                let key = Key(
                    procedure: mutant.procedure, change: mutant.change, count: counts[mutant.name, default: 0])
                counts[mutant.name, default: 0] += 1
                mutants[key] = mutant
                if known.insert(key).inserted { order.append(key) }
            }
            let (sites, states) = try program.reachedSites(bounds: Bounds(bytes: 1 << 30))
            grounds.append(
                Ground(name: workload.name, nodes: workload.nodes, mutants: mutants, reached: sites, states: states))
        }
        grounds.sort { $0.states < $1.states }
        let (keys, ready) = (order, grounds)
        let next = Atomic<Int>(0)
        let results = Synchronization.Mutex<(found: [Outcome?], reported: Int)>(
            (Array(repeating: nil, count: keys.count), 0))
        DispatchQueue.concurrentPerform(iterations: workers) { _ in
            while true {
                let index = next.add(1, ordering: .relaxed).oldValue
                guard index < keys.count else { return }
                let key = keys[index]
                let outcome = Outcome(
                    procedure: key.procedure, change: key.change, fate: Self.fate(of: key, ready))
                results.withLock { results in
                    results.found[index] = outcome
                    while results.reported < keys.count, let next = results.found[results.reported] {
                        report(next)
                        results.reported += 1
                    }
                }
            }
        }
        return results.withLock { $0.found.compactMap { $0 } }
    }

    private static func fate(of key: Key, _ grounds: [Ground]) -> Fate {
        var wasReached = false
        for ground in grounds {
            guard let mutant = ground.mutants[key],
                ground.reached.contains(.init(procedure: mutant.procedure, number: mutant.site))
            else { continue }
            wasReached = true
            guard let machine = try? Machine(mutant.program, symmetry: true) else { return .stillborn }
            // A fault that makes much more happen is looked at no further than this.
            let bounds = Bounds(states: 3 * ground.states + 1000, bytes: 1 << 30)
            if case .fails(let failure) = Search(machine, bounds: bounds).run().verdict {
                return .killed(by: failure, workload: ground.name)
            }
        }
        guard wasReached else { return .notReached }
        if let reason = HarmlessMutants.reason(for: "\(key.procedure): \(key.change)") {
            return .harmless(reason: reason)
        }
        return .survived
    }
}
