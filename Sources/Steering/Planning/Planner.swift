// SPDX-License-Identifier: GPL-2.0
import Comparison
import ModelChecker
import ProcedureModel

/// A way to force a counterexample: actions, one after the other, each when nothing goes on any more.
struct Plan: Sendable, Hashable {
    enum Action: Sendable, Hashable {
        /// The process begins its next operation.
        case begin(Int)
        case release(ModelPoint)
    }
    struct Step: Sendable, Hashable {
        var action: Action
        /// A gate that is armed before, and holds its thread in what follows.
        var gate: ModelPoint?
        var skip = 0
    }
    var steps: [Step] = []
    var gates: Int { steps.count { $0.gate != nil } }
}

/// Looks for the plans with the fewest gates that bring the model into the last state of a counterexample whatever
/// order its threads run in between two actions.
///
/// Gates are tried at the functions that threads enter and leave, one more of them at a time.
struct Planner {
    let prediction: Prediction
    var mostGates = 3
    /// States that may be looked at.
    var budget = 60_000
    /// How many plans are looked at before the best are chosen, and how many those are.
    var enough = 400
    var wanted = 12

    private static let seeds: [UInt64] = [1, 2, 3]
    /// Runs of the whole plan, each in another order.
    private static let trials: UInt64 = 64

    private struct Node {
        var model: ControlledModel
        var plan = Plan()
        /// Steps of the model in all phases, those after the last action counted three times: the less happens, and
        /// above all when nobody looks any more, the less can come otherwise.
        var effort = 0
    }

    /// Best first.
    func plans() throws(PlanError) -> [Plan] {
        var left = budget
        for gates in 0...mostGates {
            var found: [(Plan, Int)] = []
            var seen: Set<[UInt64]> = []
            search(
                Node(model: ControlledModel(prediction.machine, answers: prediction.answers)), gates: gates, &found,
                &seen, &left)
            var good: [Plan] = []
            for (plan, _) in found.map({ ($0.0, cost($0.0) + $0.1 / 8) }).sorted(by: { $0.1 < $1.1 })
            where good.count < wanted {
                if isCertain(plan) { good.append(plan) }
            }
            if !good.isEmpty { return good }
        }
        throw .notForced(gates: mostGates, tried: budget - left)
    }

    private func search(
        _ node: Node, gates: Int, _ found: inout [(Plan, Int)], _ seen: inout Set<[UInt64]>, _ left: inout Int
    ) {
        guard left > 0, found.count < enough else { return }
        var key = node.model.state + node.model.allowed.map(UInt64.init) + [UInt64(gates)]
        key += node.model.gates.map { UInt64(bitPattern: Int64($0.hashValue)) }.sorted()
        guard seen.insert(key).inserted else { return }
        let actions = self.actions(node.model)
        if actions.isEmpty {
            if gates == 0, prediction.machine.blockedAt(node.model.state) == prediction.goal {
                found.append((node.plan, node.effort + 2 * node.model.steps))
            }
            return
        }
        for action in actions {
            var crossings: [ModelPoint] = []
            if let next = take(Plan.Step(action: action), from: node, &left, crossings: &crossings) {
                search(next, gates: gates, &found, &seen, &left)
            }
            guard gates > 0 else { continue }
            var counts: [ModelPoint: Int] = [:]
            for point in crossings {
                let skip = counts[point, default: 0]
                counts[point] = skip + 1
                guard skip < 3, prediction.machine.threads[point.thread].name != "dlm_callback" else { continue }
                var unused: [ModelPoint] = []
                let step = Plan.Step(action: action, gate: point, skip: skip)
                if let next = take(step, from: node, &left, crossings: &unused) {
                    search(next, gates: gates - 1, &found, &seen, &left)
                }
            }
        }
    }

    /// What can be done when nothing goes on by itself: operations in the order in which the counterexample begins them
    /// first.
    private func actions(_ model: ControlledModel) -> [Plan.Action] {
        var order = prediction.startOrder
        order += prediction.machine.threads.indices
        var threads: [Int] = []
        for thread in order where model.canBegin(thread) && !threads.contains(thread) { threads.append(thread) }
        return threads.map { .begin($0) } + model.gates.filter(\.isHeld).map { .release($0.point) }
    }

    /// The state after a step; nil if it depends on who runs first, if its gate holds nobody, or if it comes to no end.
    private func take(_ step: Plan.Step, from node: Node, _ left: inout Int, crossings: inout [ModelPoint]) -> Node? {
        left -= 1
        var first: ControlledModel?
        for seed in Self.seeds {
            var model = node.model
            model.keepsCrossings = first == nil
            model.crossings = []
            guard Self.apply(step, to: &model, seed: seed) else { return nil }
            if let gate = step.gate, !model.gates.contains(where: { $0.isHeld && $0.point == gate }) { return nil }
            if let first {
                if first.positions != model.positions { return nil }
            } else {
                crossings = model.crossings
                first = model
            }
        }
        guard let model = first else { return nil }
        var next = node
        next.model = model
        next.effort += model.steps
        next.plan.steps.append(step)
        return next
    }

    static func apply(_ step: Plan.Step, to model: inout ControlledModel, seed: UInt64) -> Bool {
        var random = SplitMix(seed: seed)
        if let gate = step.gate { model.arm(gate, skip: step.skip) }
        switch step.action {
        case .begin(let thread): model.begin(thread)
        case .release(let point): model.release(point)
        }
        return model.settle(&random)
    }

    /// Whether the plan ends in the predicted state in every order that is tried.
    private func isCertain(_ plan: Plan) -> Bool {
        (0..<Self.trials).allSatisfy { trial in
            var model = ControlledModel(prediction.machine, answers: prediction.answers)
            for (number, step) in plan.steps.enumerated() {
                guard Self.apply(step, to: &model, seed: trial &* 1_000_003 &+ UInt64(number)) else { return false }
            }
            return prediction.machine.blockedAt(model.state) == prediction.goal
        }
    }

    private func cost(_ plan: Plan) -> Int {
        var cost = 100 * plan.gates + plan.steps.count
        for step in plan.steps {
            guard let gate = step.gate else { continue }
            cost += 6 * step.skip + KernelNames.cost(gate.function) + (gate.edge == .return ? 1 : 0)
        }
        let begun = plan.steps.compactMap { step in
            if case .begin(let thread) = step.action { thread } else { nil }
        }
        return cost + (begun == prediction.startOrder ? 0 : 1) + (isHarmless(plan) ? 0 : 50)
    }

    /// Whether the kernel as it is can follow the plan too, step by step, and comes to rest after it. Then a run in
    /// which nothing hangs proves something.
    private func isHarmless(_ plan: Plan) -> Bool {
        guard let reference = prediction.reference else { return false }
        var models = [
            ControlledModel(prediction.machine, answers: prediction.answers),
            ControlledModel(reference, answers: prediction.answers),
        ]
        for (number, step) in plan.steps.enumerated() {
            var awaited: [[Awaited]] = []
            for index in models.indices {
                let before = models[index]
                models[index].moved = []
                guard Self.apply(step, to: &models[index], seed: 1) else { return false }
                let text = ScheduleText(prediction, plan, machine: before.machine)
                awaited.append(text.awaited(after: models[index]))
            }
            if number < plan.steps.count - 1, awaited[0] != awaited[1] { return false }
        }
        return reference.blockedAt(models[1].state).isEmpty
    }
}
