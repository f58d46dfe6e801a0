// SPDX-License-Identifier: GPL-2.0
import Dispatch
import ModelChecker
import ProcedureModel
import Synchronization

/// Why a mutation trial says nothing.
public enum MutationError: Error, Equatable, Sendable {
    /// Every fault would seem to be noticed.
    case theReferenceFails(workloads: [String: Verdict])
}

/// Puts every small fault into the reference model and sees whether it is noticed.
///
/// A fault is tried only with workloads that execute the changed statement, those with few states first, until one
/// notices.
public struct MutationTrial: Sendable {
    public var workloads = MutationWorkload.all
    /// Faults that are tried at the same time.
    public var workers = 2
    /// Why faults that nothing notices are harmless.
    var reasons = HarmlessMutants.reasons

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
        /// Nothing noticed it, and nothing could: with every workload that executes the changed step, variables, locks
        /// and mutexes take the same values and change in the same way as without it. Different values, of all of them.
        case equivalent(states: Int)
        /// It is said to be harmless because another step does the same, but nothing notices if both are missing, or
        /// the other one is noticed alone.
        case notBacked(by: MutantIdentity)

        /// Whether there is nothing to be said against it.
        public var isSettled: Bool {
            switch self {
            case .killed, .stillborn, .harmless, .equivalent: true
            case .survived, .notReached, .notBacked: false
            }
        }
    }

    public struct Outcome: Sendable {
        /// By which `HarmlessMutants` knows it.
        public var identity: MutantIdentity
        /// What was done, for a person.
        public var change: String
        public var fate: Fate

        public var procedure: String { identity.procedure }
        /// Procedure and change, for a person.
        public var name: String { "\(procedure): \(change)" }
    }

    /// A fault with a reason for being harmless is tried only with workloads of fewer states.
    private static let harmlessStates = 20_000
    /// Workloads of no more states are those whose behaviour can be compared.
    private static let comparedStates = 30_000
    /// States that are looked at to see which statements a workload executes.
    private static let reachStates = 400_000

    /// A fault, whatever the workload.
    private struct Key: Hashable {
        var identity: MutantIdentity
        /// Among those of the same identity.
        var count: Int
    }

    /// A workload explored without faults.
    private struct Ground: Sendable {
        var name: String
        var mutants: [Key: Mutant]
        /// Nil if the workload is meant for some procedures: then all that they do counts as executed.
        var reached: Set<Program.Site>?
        var states: Int
        /// A fault that makes much more happen is looked at no further than this.
        var limit: Int
        var isReduced: Bool
        /// Nil if it is too large to be compared.
        var behaviour: VisibleBehaviour?
    }

    private static func bounds(_ states: Int) -> Bounds { Bounds(states: min(states, 1 << 30), bytes: 1 << 30) }

    /// Reasons that are not needed: no fault of the identity is harmless for that reason any more. Asked of the
    /// outcomes of a run with all workloads.
    public func staleReasons(_ outcomes: [Outcome], procedures: Set<String> = []) -> [MutantIdentity] {
        let needed = Set(outcomes.filter { if case .harmless = $0.fate { true } else { false } }.map(\.identity))
        return reasons.keys.filter { identity in
            !needed.contains(identity) && (procedures.isEmpty || procedures.contains(identity.procedure))
        }.sorted { ($0.procedure, $0.change) < ($1.procedure, $1.change) }
    }

    /// A workload's own list of operations is no part of the model.
    private static func isOfTheModel(_ procedure: String) -> Bool {
        !procedure.hasPrefix(Name.mdadm) || !procedure.contains(" on node")
    }

    /// Tries the mutants of some procedures, or of all if none is given. Each outcome is reported as soon as those
    /// before it are known.
    @discardableResult
    public func run(
        procedures: Set<String> = [], _ report: @Sendable @escaping (Outcome) -> Void = { _ in }
    ) throws -> [Outcome] {
        var order: [(key: Key, change: String)] = []
        var known = Set<Key>()
        var grounds: [Ground] = []
        let wanted = procedures
        let chosen = workloads.filter {
            wanted.isEmpty || $0.procedures.isEmpty || !$0.procedures.isDisjoint(with: wanted)
        }
        let verdicts = try Self.inParallel(workers, chosen.count) {
            let machine = try Machine(chosen[$0].program(), symmetry: true, reduction: chosen[$0].isReduced)
            return (chosen[$0].name, Search(machine, bounds: Self.bounds(chosen[$0].states)).run())
        }
        let failing = verdicts.filter { if case .fails = $0.1.verdict { true } else { false } }
        guard failing.isEmpty else {
            throw MutationError.theReferenceFails(
                workloads: Dictionary(failing.map { ($0.0, $0.1.verdict) }, uniquingKeysWith: { first, _ in first }))
        }
        let explored = try Self.inParallel(workers, chosen.count) {
            try Self.ground(chosen[$0], states: verdicts[$0].1.states, wanted)
        }
        for (ground, faults) in explored {
            for fault in faults where known.insert(fault.key).inserted { order.append(fault) }
            grounds.append(ground)
        }
        grounds.sort { $0.states < $1.states }
        let (faults, ready, reasons) = (order, grounds, reasons)
        let results = Synchronization.Mutex<(found: [Outcome?], reported: Int)>(
            (Array(repeating: nil, count: faults.count), 0))
        return try Self.inParallel(workers, faults.count) { index in
            let (key, change) = faults[index]
            let outcome = Outcome(
                identity: key.identity, change: change, fate: Self.fate(of: key, ready, reasons))
            results.withLock { results in
                results.found[index] = outcome
                while results.reported < faults.count, let next = results.found[results.reported] {
                    report(next)
                    results.reported += 1
                }
            }
            return outcome
        }
    }

    /// What a workload executes without a fault, and the faults that can be put into it, in the order of the model's
    /// text.
    private static func ground(
        _ workload: MutationWorkload, states: Int, _ procedures: Set<String>
    ) throws -> (Ground, [(key: Key, change: String)]) {
        let program = try workload.program()
        var counts: [MutantIdentity: Int] = [:]
        var mutants: [Key: Mutant] = [:]
        var order: [(key: Key, change: String)] = []
        for mutant in program.mutants()
        where isOfTheModel(mutant.procedure) && (procedures.isEmpty || procedures.contains(mutant.procedure))
            && (workload.procedures.isEmpty || workload.procedures.contains(mutant.procedure))
        {
            let key = Key(identity: mutant.identity, count: counts[mutant.identity, default: 0])
            counts[mutant.identity, default: 0] += 1
            mutants[key] = mutant
            order.append((key, mutant.change))
        }
        guard !order.isEmpty else {
            return (
                Ground(name: workload.name, mutants: [:], reached: [], states: states, limit: 0, isReduced: false),
                order
            )
        }
        let sites =
            workload.procedures.isEmpty
            ? try program.reachedSites(bounds: bounds(min(workload.states, reachStates))) : nil
        let isSmall = states <= comparedStates && !workload.isReduced
        let ground = Ground(
            name: workload.name, mutants: mutants, reached: sites, states: states,
            limit: min(workload.states, max(3 * states, 50_000)), isReduced: workload.isReduced,
            behaviour: isSmall ? try Machine(program).visibleBehaviour(bounds: bounds(workload.states)) : nil)
        return (ground, order)
    }

    /// body(0), body(1), ... by some workers, each taking the next that is left. Throws what the first that throws
    /// throws.
    private static func inParallel<Item: Sendable>(
        _ workers: Int, _ count: Int, _ body: @Sendable (Int) throws -> Item
    ) throws -> [Item] {
        let next = Atomic<Int>(0)
        let results = Synchronization.Mutex<[Result<Item, any Error>?]>(Array(repeating: nil, count: count))
        DispatchQueue.concurrentPerform(iterations: workers) { _ in
            while true {
                let index = next.add(1, ordering: .relaxed).oldValue
                guard index < count else { return }
                let result = Result { try body(index) }
                results.withLock { $0[index] = result }
            }
        }
        return try results.withLock { list in try list.compactMap { try $0?.get() } }
    }

    private static func fate(of key: Key, _ grounds: [Ground], _ reasons: [MutantIdentity: HarmlessMutants.Reason])
        -> Fate
    {
        let reason = reasons[key.identity]
        var programs: [(program: Program, ground: Ground)] = []
        for ground in grounds where reason == nil || ground.states < harmlessStates {
            guard let mutant = ground.mutants[key],
                ground.reached?.contains(.init(procedure: mutant.procedure, number: mutant.site)) ?? true
            else { continue }
            programs.append((mutant.program, ground))
            do {
                guard let failure = try failure(of: mutant.program, ground) else { continue }
                return .killed(by: failure, workload: ground.name)
            } catch {
                return .stillborn
            }
        }
        if programs.isEmpty { return reason.map { .harmless(reason: $0.text) } ?? .notReached }
        guard let reason else { return equalStates(programs).map { .equivalent(states: $0) } ?? .survived }
        if let backup = reason.backup, !isBacked(by: backup, programs) { return .notBacked(by: backup) }
        return .harmless(reason: reason.text)
    }

    /// What notices a fault; nil if nothing does. Throws if it does not compile.
    private static func failure(of program: Program, _ ground: Ground) throws -> Verdict.Failure? {
        let machine = try Machine(program, symmetry: true, reduction: ground.isReduced)
        if case .fails(let failure) = Search(machine, bounds: bounds(ground.limit)).run().verdict { return failure }
        return nil
    }

    /// The visible states, if a fault changes nothing that can be seen with any workload that executes it.
    private static func equalStates(_ programs: [(program: Program, ground: Ground)]) -> Int? {
        var states: Int?
        for (program, ground) in programs {
            guard let expected = ground.behaviour, let machine = try? Machine(program),
                machine.visibleBehaviour(bounds: bounds(2 * comparedStates)) == expected
            else { return nil }
            states = (states ?? 0) + expected.states
        }
        return states
    }

    /// Whether another fault that nothing notices alone is noticed together with this one.
    private static func isBacked(by backup: MutantIdentity, _ programs: [(program: Program, ground: Ground)]) -> Bool {
        var isNoticed = false
        for (program, ground) in programs {
            // The other step alone.
            for (key, mutant) in ground.mutants where key.identity == backup {
                if (try? failure(of: mutant.program, ground)) != nil { return false }
            }
            guard !isNoticed, let both = program.mutants().first(where: { $0.identity == backup }) else { continue }
            if (try? failure(of: both.program, ground)) != nil { isNoticed = true }
        }
        return isNoticed
    }
}
