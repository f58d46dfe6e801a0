// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Conformance
import MDClusterModel
import ModelChecker
import ProcedureModel
import RunRecord

/// Is the hang of a record a deadlock of the model?
///
///     let match = try HangMatch.find(in: recording.nodes.flatMap(\.snapshots), variant: "v4.12")
public enum HangMatch: Sendable, Equatable {
    /// The snapshots show no wait that cannot end.
    case noHang
    /// A hang, but no circle of waits that the model could have: a dead node, or a thread that the model wakes.
    case noCycle([String])
    /// The same, at the end of this shortest run of the model.
    case deadlock(HangSignature, ModelDeadlock)
    /// No deadlock of the model is this one.
    case notInModel(HangSignature, searched: [ModelDeadlock])
    /// The search through the model ended early.
    case notDecided(HangSignature, states: Int)

    /// A deadlock of a variant.
    public struct ModelDeadlock: Sendable, Equatable {
        public var variant: String
        public var workload: String
        public var nodes: Int
        /// Steps from the beginning.
        public var steps: Int
        public var signatures: [HangSignature]
        /// The way there, folded: what each thread does until another one goes on.
        public var course: [FoldedSteps]
        /// Every thread that waits there.
        public var waits: [PredictedWait]
        /// Stacks, locks and who waits for whom.
        public var situation: String
    }

    /// States of a search with the operations of a record.
    static let otherLimit = 500_000

    /// - Parameters:
    ///   - workloads: what the nodes did (`RecordedOperations`). What shows the variant's own fault is tried before
    ///     them.
    public static func find(
        in snapshots: [NodeSnapshot], variant: String, workloads: [(nodes: Int, text: String)] = [],
        limit: Int = 4_000_000
    ) throws(ModelError) -> HangMatch {
        let hangs = HangCheck.hangs(in: snapshots)
        guard !hangs.isEmpty else { return .noHang }
        guard let signature = hangs.lazy.compactMap({ HangSignature($0, snapshots: snapshots) }).first else {
            return .noCycle(hangs.flatMap(\.lines))
        }
        let label = snapshots.last { $0.label.hasPrefix("hang") }?.label
        let last = snapshots.filter { $0.label == label }
        let trial = Variants.all.first { $0.name == variant }?.trial
        let shown = (nodes: trial?.nodes ?? 2, text: trial.map(\.workload) ?? "fail")
        // The trial is the shortest way to a variant's fault. Who assembles an array writes superblocks too. What the
        // nodes did may be far more than what leads to the hang.
        let others = (workloads + [(nodes: 2, text: "join/fail")]).filter { $0 != shown }
        let tried = [(shown, limit)] + others.map { ($0, min(limit, Self.otherLimit)) }
        var found: [ModelDeadlock] = []
        var states = 0
        var isComplete = true
        for ((nodes, text), limit) in tried {
            let search = try DeadlockSearch(
                variant: variant, nodes: nodes, workload: Workload(text, nodes: nodes), limit: limit)
            states += search.states
            isComplete = isComplete && search.isComplete
            if let same = search.deadlocks.first(where: { $0.isSeen(signature, in: last) }) {
                return .deadlock(signature, same)
            }
            found += search.deadlocks
        }
        // What looks like a sleeper may wait for something that the snapshots do not hold.
        if signature.isLostWakeUp { return .noCycle(hangs.flatMap(\.lines)) }
        return isComplete ? .notInModel(signature, searched: found) : .notDecided(signature, states: states)
    }
}

/// All deadlocks of a variant under a workload: breadth first, one of each signature, the nearest.
public struct DeadlockSearch: Sendable {
    public private(set) var deadlocks: [HangMatch.ModelDeadlock] = []
    public private(set) var states = 0
    /// False if the limit was reached.
    public private(set) var isComplete = true

    public init(variant: String, nodes: Int, workload: Workload, limit: Int) throws(ModelError) {
        let program = try MDCluster.program(variant: variant, nodes: nodes, workload: workload)
        let machine: Machine
        do { machine = try Machine(program, reduction: true) } catch { preconditionFailure("\(variant): \(error)") }
        var arena = StateArena(words: machine.stateWords)
        var successors = Successors(stateWords: machine.stateWords)
        machine.initialStates(into: &successors)
        for item in 0..<successors.count { _ = arena.insert(successors.words(item), parent: -1, step: -1) }
        var seen: Set<[String]> = []
        var cursor = 0
        while cursor < arena.count {
            if arena.count > limit {
                isComplete = false
                break
            }
            successors.removeAll()
            let view = StateView(arena.state(cursor))
            machine.successors(of: view, into: &successors)
            if successors.count == 0, !machine.isFinal(view) {
                let state = view.copy(count: machine.stateWords)
                if seen.insert(machine.stacks(in: state)).inserted {
                    let run = machine.expanded(arena.run(to: cursor))
                    let signatures = HangSignature.all(run, of: machine)
                    if !deadlocks.contains(where: { $0.signatures == signatures }) {
                        deadlocks.append(
                            HangMatch.ModelDeadlock(
                                variant: variant, workload: workload.text, nodes: nodes, steps: run.steps.count,
                                signatures: signatures, course: machine.folded(run),
                                waits: PredictedWait.all(run, of: machine),
                                situation: machine.situation(atEndOf: run)))
                    }
                }
            }
            for item in 0..<successors.count {
                _ = arena.insert(successors.words(item), parent: cursor, step: successors.step(item))
            }
            cursor += 1
        }
        states = arena.count
    }
}

extension HangMatch.ModelDeadlock {
    /// Whether it is the hang of these snapshots: the same circle or sleeper, and each of its threads asks for the
    /// lock, waits for the owner of the mutex or finds the bit as here, for some naming of the nodes.
    func isSeen(_ signature: HangSignature, in snapshots: [NodeSnapshot]) -> Bool {
        guard signatures.contains(signature) else { return false }
        let names = snapshots.map(\.node)
        return Self.namings(of: nodes, as: names).contains { naming in
            let waits = waits.filter { wait in
                !signature.isLostWakeUp || wait.waitsFor == .wakeUp
            }.map { $0.renamed(naming) }
            let lines = DeadlockMatch(waits, in: snapshots).lines
            // Others of the model's threads may wait behind, and other operations' threads need not be there.
            return lines.count { $0.differences.isEmpty } >= signature.waiters.count
        }
    }

    /// Every way to call the model's nodes by the names of the record's.
    private static func namings(of count: Int, as names: [NodeID]) -> [[NodeID]] {
        guard count > 0 else { return [[]] }
        return namings(of: count - 1, as: names).flatMap { list in
            names.filter { !list.contains($0) }.map { list + [$0] }
        }
    }
}

extension StateArena {
    /// The run that led to a state.
    func run(to number: Int) -> Counterexample {
        var steps: [Int] = []
        var states = [Array(UnsafeBufferPointer(start: state(number), count: words))]
        var number = number
        while parent(number) >= 0 {
            steps.append(step(number))
            number = parent(number)
            states.append(Array(UnsafeBufferPointer(start: state(number), count: words)))
        }
        return Counterexample(
            steps: steps.reversed(), states: states.reversed(), actorSwitches: 0, fewestSwitches: false)
    }
}
