// SPDX-License-Identifier: GPL-2.0

/// What came of one plan.
public struct DelayResult: Sendable, Codable, Equatable {
    /// From 1, in the order in which the plans were tried.
    public var number: Int
    public var plan: DelayPlan
    /// What became of each gate of the plan: "expired" after it has held, "armed" when nobody came, "atomic".
    public var gates: [String]
    public var reached: Reached
    /// The verdict's.
    public var reason: String
    /// The record, if it was kept: the first that reached this.
    public var record: String?
    /// Seconds of exploration until it was known.
    public var time: Double

    public init(
        number: Int, plan: DelayPlan, gates: [String], reached: Reached, reason: String, record: String? = nil,
        time: Double
    ) {
        self.number = number
        self.plan = plan
        self.gates = gates
        self.reached = reached
        self.reason = reason
        self.record = record
        self.time = time
    }

    /// Whether every thread of the plan was held.
    public var heldAll: Bool { gates.allSatisfy { $0 == "expired" || $0 == "released" || $0 == "held" } }
}

/// Which plan comes next: nothing delayed, then each point alone, then pairs of points of two threads.
///
/// A pair has a point whose delay alone led somewhere new: a delay that changes nothing that can be seen is not worth
/// combining with all others. Of several that reached the same, the first stands for all. Two such points go before one
/// with any other.
public struct Frontier: Sendable {
    private let points: [HoldPoint]
    private var nextSingle = 0
    private var undelayed = 0
    private var given: Set<DelayPlan> = []
    /// Points whose single delay reached something of its own, and all that held, in the order of their results.
    private var telling: [HoldPoint] = []
    private var holding: [HoldPoint] = []
    private var best = Queue()
    private var others = Queue()
    private var paired: Set<Set<HoldPoint>> = []
    private var known: Set<Reached> = []

    private struct Queue {
        var plans: [DelayPlan] = []
        var first = 0
        mutating func next() -> DelayPlan? {
            guard first < plans.count else { return nil }
            defer { first += 1 }
            return plans[first]
        }
    }

    /// Runs in which nothing is delayed, to know what is reached anyway.
    public static let undelayedRuns = 3
    private let undelayedRuns: Int

    /// - Parameter results: what is known of these points already, in the order in which it was found.
    public init(_ points: [HoldPoint], results: [DelayResult] = [], undelayed wanted: Int = Frontier.undelayedRuns) {
        self.points = points
        undelayedRuns = wanted
        undelayed = results.count { $0.plan.holds.isEmpty }
        for result in results {
            given.insert(result.plan)
            learn(result)
        }
    }

    /// nil when there is nothing left to try, or when results that are still to come decide what.
    public mutating func next() -> DelayPlan? {
        if undelayed < undelayedRuns {
            undelayed += 1
            return DelayPlan([])
        }
        while nextSingle < points.count {
            let plan = DelayPlan([points[nextSingle]])
            nextSingle += 1
            if given.insert(plan).inserted { return plan }
        }
        while let plan = best.next() ?? others.next() { if given.insert(plan).inserted { return plan } }
        return nil
    }

    public mutating func learn(_ result: DelayResult) {
        let isNew = known.insert(result.reached).inserted
        guard result.plan.holds.count == 1, result.heldAll, let point = result.plan.holds.first else { return }
        if isNew {
            for other in telling where pair(other, point) { best.plans.append(DelayPlan([other, point])) }
            for other in holding where pair(point, other) { others.plans.append(DelayPlan([point, other])) }
            telling.append(point)
        } else {
            for other in telling where pair(other, point) { others.plans.append(DelayPlan([other, point])) }
        }
        holding.append(point)
    }

    /// Whether these two are worth a plan that is not there yet. One thread twice is no pair: it would only be delayed
    /// longer.
    private mutating func pair(_ first: HoldPoint, _ second: HoldPoint) -> Bool {
        (first.node, first.comm) != (second.node, second.comm) && paired.insert([first, second]).inserted
    }
}
