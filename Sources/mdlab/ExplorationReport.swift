// SPDX-License-Identifier: GPL-2.0
import Foundation
import Steering

/// What an exploration has found so far, as text: what was reached, how often, and by which delay first; failures
/// first.
struct ExplorationReport {
    let folder: ExplorationFolder
    let points: Int
    let results: [DelayResult]
    /// How many of the results are of earlier sessions.
    let earlier: Int
    /// Of this session.
    let seconds: Double

    var failures: [DelayResult] { results.filter(\.reached.isFailure) }

    private struct Outcome {
        var first: DelayResult
        var count: Int
    }

    private var outcomes: [Outcome] {
        var order: [Reached] = []
        var found: [Reached: Outcome] = [:]
        for result in results {
            if found[result.reached] == nil {
                order.append(result.reached)
                found[result.reached] = Outcome(first: result, count: 0)
            }
            found[result.reached]?.count += 1
        }
        return order.compactMap { found[$0] }
    }

    var text: String {
        let now = results.count - earlier
        var lines = [
            "explored \(folder.subject.scenario) on \(folder.subject.kernelRelease), \(folder.subject.source)",
            String(
                format: "  %d schedules in %.0f s, %.0f a minute", now, seconds,
                seconds > 0 ? Double(now) * 60 / seconds : 0)
                + (earlier > 0 ? "; \(earlier) before" : ""),
            "  \(singles.count) of \(points) points tried alone, \(singles.count(where: \.heldAll)) held; "
                + "\(results.count { $0.plan.holds.count == 2 }) pairs",
        ]
        let outcomes = outcomes
        let bad = outcomes.filter(\.first.reached.isFailure)
        for outcome in bad { lines += describe(outcome) }
        let good = outcomes.filter { !$0.first.reached.isFailure }
        for word in Set(good.map(\.first.reached.word)).sorted() {
            let these = good.filter { $0.first.reached.word == word }
            lines.append("\(word)  \(these.reduce(0) { $0 + $1.count }) runs, in which \(these.count) things happened")
            if word != "PASS" { for outcome in these.prefix(5) { lines.append("      \(outcome.first.reason)") } }
        }
        lines.append("  in \(folder.root.relativePath)")
        return lines.joined(separator: "\n") + "\n"
    }

    private var singles: [DelayResult] { results.filter { $0.plan.holds.count == 1 } }

    private func describe(_ outcome: Outcome) -> [String] {
        let first = outcome.first
        var lines = [
            "\(first.reached.word)  \(outcome.count) runs: \(first.reason)",
            String(
                format: "      first after %.0f s, schedule %d, which held %@", first.time, first.number,
                "\(first.plan)"),
        ]
        lines += first.reached.failures.map { "      \($0)" }
        if let record = first.record { lines.append("      record: \(folder.root.relativePath)/\(record)") }
        return lines
    }
}
