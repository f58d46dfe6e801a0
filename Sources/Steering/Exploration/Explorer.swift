// SPDX-License-Identifier: GPL-2.0
import Foundation

/// Tries plan after plan, several at a time, until the time is over, there is nothing left, or enough was found.
///
///     let explorer = try Explorer(folder)
///     try await explorer.run(lanes: 3, until: deadline, stopAtFailure: false) { number, plan in ... }
///
/// Every result is in the folder before the next plan is given, so that an exploration that was killed goes on where it
/// was.
public actor Explorer {
    public struct Trial: Sendable {
        public var gates: [String]
        public var reached: Reached
        public var reason: String
        /// Whether it is what is looked for.
        public var isFound: Bool
        /// - Parameter isFound: nil for a kernel that did wrong.
        public init(gates: [String], reached: Reached, reason: String, isFound: Bool? = nil) {
            (self.gates, self.reached, self.reason) = (gates, reached, reason)
            self.isFound = isFound ?? reached.isFailure
        }
    }

    private let folder: ExplorationFolder
    private var frontier: Frontier
    public private(set) var results: [DelayResult]
    private var known: Set<Reached>
    private var nextNumber: Int
    private var failuresInARow = 0
    private var isFound: Bool
    private let progress: @Sendable (DelayResult) -> Void
    private let start = ContinuousClock.now
    /// Seconds that earlier sessions took.
    private let before: Double

    /// So many runs in a row that the lab could not do end the exploration.
    static let labFailures = 3

    /// - Parameter undelayed: so many runs first in which nothing is delayed.
    public init(
        _ folder: ExplorationFolder, points: [HoldPoint], undelayed: Int = Frontier.undelayedRuns,
        progress: @escaping @Sendable (DelayResult) -> Void = { _ in }
    ) throws(ExplorationError) {
        self.folder = folder
        self.progress = progress
        results = try folder.results()
        try folder.tidy(results)
        frontier = Frontier(points, results: results, undelayed: undelayed)
        isFound = results.contains(where: \.reached.isFailure)
        known = Set(results.map(\.reached))
        nextNumber = (results.map(\.number).max() ?? 0) + 1
        before = results.map(\.time).max() ?? 0
    }

    /// - Parameter stopAtFailure: begins nothing more after a trial that is found.
    /// - Parameter perform: carries out a plan and judges it; its record is in `folder.record(number)`. What it throws
    ///   is the lab's failure: the plan is tried again another time.
    public func run(
        lanes: Int, until deadline: ContinuousClock.Instant, stopAtFailure: Bool,
        perform: @escaping @Sendable (_ number: Int, _ plan: DelayPlan) async throws -> Trial
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<max(1, lanes) {
                group.addTask { [self] in
                    while !Task.isCancelled, let (number, plan) = await begin(deadline, stopAtFailure) {
                        do {
                            let trial = try await perform(number, plan)
                            if Task.isCancelled { return }
                            try await end(number, plan, trial)
                        } catch let error as ExplorationError {
                            throw error
                        } catch is GateError {
                            // This place has no gate after all; the next may have one.
                            try? FileManager.default.removeItem(at: folder.record(number).root)
                        } catch {
                            try? FileManager.default.removeItem(at: folder.record(number).root)
                            if Task.isCancelled { return }
                            try await failed("\(error)")
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func begin(_ deadline: ContinuousClock.Instant, _ stopAtFailure: Bool) -> (Int, DelayPlan)? {
        guard ContinuousClock.now < deadline, !(stopAtFailure && isFound),
            let plan = frontier.next()
        else { return nil }
        defer { nextNumber += 1 }
        return (nextNumber, plan)
    }

    private func end(_ number: Int, _ plan: DelayPlan, _ trial: Trial) throws {
        failuresInARow = 0
        isFound = isFound || trial.isFound
        let layout = folder.record(number)
        let isNew = known.insert(trial.reached).inserted
        if !isNew { try? FileManager.default.removeItem(at: layout.root) }
        let result = DelayResult(
            number: number, plan: plan, gates: trial.gates, reached: trial.reached, reason: trial.reason,
            record: isNew ? "runs/" + layout.root.lastPathComponent : nil,
            time: before + (ContinuousClock.now - start) / .seconds(1))
        results.append(result)
        frontier.learn(result)
        try folder.append(result)
        progress(result)
    }

    private func failed(_ reason: String) throws {
        failuresInARow += 1
        if failuresInARow >= Self.labFailures {
            throw ExplorationError.labFailed(times: failuresInARow, reason: reason)
        }
    }
}

extension Reached {
    /// Whether the kernel did wrong, expected or not.
    public var isFailure: Bool { !failures.isEmpty }
}
