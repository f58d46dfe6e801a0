// SPDX-License-Identifier: GPL-2.0
import ModelChecker
import ProcedureModel

/// Puts every small fault into the reference model and sees whether it is noticed.
public struct MutationTrial: Sendable {
    /// Each is tried in turn until one notices the fault.
    public var workloads = [
        "fail/", "stop/", "resync/", "add/", "add,fail/", "grow/", "/fail,remove", "/fail,re-add", "grow", "fail/stop",
        "resync/stop", "grow/add", "resync+grow/", "resync+stop/", "fail",
    ]
    public var nodes = 2
    /// States after which a search that has found nothing gives up.
    public var states = 200_000

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
    }

    private func program(_ workload: String) throws -> Program {
        var program = try MDCluster.program(variant: "v5.11", nodes: nodes, workload: Workload(workload, nodes: nodes))
        // Known of the reference itself (docs/findings.md), so it would kill every mutant.
        program.rules.removeAll { workload.contains("remove") && $0.name.hasPrefix("I10") }
        program.mustComeToRest = true
        return program
    }

    /// Tries the mutants of some procedures, or of all if none is given.
    public func run(procedures: Set<String> = [], _ report: (Outcome) -> Void) throws {
        struct Key: Hashable {
            var procedure: String
            var change: String
            var count: Int
        }
        var list: [(workload: String, mutants: [Key: Mutant])] = []
        var order: [Key] = []
        for workload in workloads {
            var counts: [String: Int] = [:]
            var mutants: [Key: Mutant] = [:]
            for mutant in try program(workload).mutants()
            where procedures.isEmpty || procedures.contains(mutant.procedure) {
                let key = Key(
                    procedure: mutant.procedure, change: mutant.change, count: counts[mutant.name, default: 0])
                counts[mutant.name, default: 0] += 1
                mutants[key] = mutant
                if !order.contains(key), !mutant.procedure.hasPrefix("\(Name.mdadm) on ") { order.append(key) }
            }
            list.append((workload, mutants))
        }
        let reached = try list.map { ($0.workload, try reachedProcedures($0.workload)) }
        for key in order {
            report(
                Outcome(
                    procedure: key.procedure, change: key.change,
                    fate: fate(of: key.procedure, list.map { ($0.workload, $0.mutants[key]) }, reached)))
        }
    }

    /// The procedures that the unchanged program takes steps of.
    private func reachedProcedures(_ workload: String) throws -> Set<String> {
        let machine = try Machine(program(workload), symmetry: true)
        let result = Search(machine, bounds: Bounds(states: states, bytes: 1 << 30)).run()
        return Set(
            result.coverage.indices.filter { result.coverage[$0].fired > 0 }.flatMap {
                machine.place(ofStep: $0).procedures
            })
    }

    private func fate(of procedure: String, _ mutants: [(String, Mutant?)], _ reached: [(String, Set<String>)]) -> Fate
    {
        var wasReached = false
        var name = ""
        for ((workload, mutant), (_, procedures)) in zip(mutants, reached) {
            guard let mutant, procedures.contains(procedure) else { continue }
            name = mutant.name
            wasReached = true
            guard let machine = try? Machine(mutant.program, symmetry: true) else { return .stillborn }
            let result = Search(machine, bounds: Bounds(states: states, bytes: 1 << 30)).run()
            if case .fails(let failure) = result.verdict { return .killed(by: failure, workload: workload) }
        }
        guard wasReached else { return .notReached }
        if let reason = HarmlessMutants.reason(for: name) { return .harmless(reason: reason) }
        return .survived
    }
}
