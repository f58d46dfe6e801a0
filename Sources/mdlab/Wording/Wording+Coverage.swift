// SPDX-License-Identifier: GPL-2.0
import Comparison
import Foundation

/// What recorded runs have covered, in words: one screen, and the rest on request.
enum CoverageWording {
    static func report(_ coverage: Coverage, _ plan: CoveragePlan, unprovable: Set<String>, listsPairs: Bool) -> String
    {
        var lines = [
            "\(coverage.taken.count) of \(coverage.steps.count) steps of md-cluster.c in the model \(coverage.variant) were "
                + "taken by \(coverage.runs) runs that conform",
            "\(coverage.pairs.count) of \(plan.possible.count) pairs of steps that meet were taken in that order, the one while a "
                + "thread stood at the other",
        ]
        lines += self.left(coverage)
        lines += missing(coverage, plan)
        lines += listsPairs ? missingPairs(coverage, plan) : groups(coverage, plan)
        lines += next(plan)
        lines.append("scenarios, by the steps that only they took:")
        lines += coverage.ranking.filter { $0.alone > 0 }.map {
            "  \($0.scenario): \($0.alone) alone, \($0.steps) in all"
        }
        if !coverage.ranking.contains(where: { $0.alone > 0 }) { lines.append("  none: each step has several") }
        lines += unseen(coverage, plan, unprovable)
        return lines.joined(separator: "\n")
    }

    private static func left(_ coverage: Coverage) -> [String] {
        if coverage.left.isEmpty { return [] }
        var lines = ["not counted:"]
        let others = Dictionary(grouping: coverage.left) { left -> String? in
            if case .isOf(let variant) = left.reason { variant } else { nil }
        }
        for left in others[nil] ?? [] { lines.append("  \(left.run): \(text(left.reason))") }
        let models = others.compactMap { variant, runs in variant.map { (name: $0, runs: runs.count) } }
            .sorted { ($0.runs, $1.name) > ($1.runs, $0.name) }
        if !models.isEmpty {
            let list = models.map { "\($0.runs) of \($0.name)" }.joined(separator: ", ")
            lines.append("  runs of kernels that are other models (--variant counts them, --json names them): \(list)")
        }
        return lines
    }

    private static func text(_ reason: Coverage.Left.Reason) -> String {
        switch reason {
        case .doesNotConform: "does not conform: see mdlab compare"
        case .notDecided(let doubts): "not decided: " + doubts.map(ComparisonWording.text).joined(separator: "; ")
        case .isOf(let variant): "it is a run of \(variant)"
        }
    }

    private static func shortened(_ list: [String], _ count: Int) -> String {
        let rest = list.count - count
        return list.prefix(count).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }

    private static func missing(_ coverage: Coverage, _ plan: CoveragePlan) -> [String] {
        if coverage.taken.count == coverage.steps.count { return [] }
        var lines = ["steps that no run took:"]
        for (step, way) in plan.ways.sorted(by: { $0.key < $1.key }) {
            let text =
                switch way {
                case .scenarios(let names): "can be reached by " + shortened(names, 3)
                case .operations(let names): "by no scenario: it needs " + names.joined(separator: " or ")
                case .none:
                    "by no scenario and no operation that was explored"
                        + (plan.unfinished > 0 ? ", of which \(plan.unfinished) not to the end" : "")
                }
            lines.append("  \(step)\n      \(text)")
        }
        return lines
    }

    private static func words(_ functions: StepPair.Functions) -> String {
        "\(functions.first) before \(functions.second), \(functions.isAcross ? "two nodes" : "one node")"
    }

    private static func groups(_ coverage: Coverage, _ plan: CoveragePlan) -> [String] {
        var groups: [(functions: StepPair.Functions, met: Int, of: Int)] = []
        for (functions, pairs) in Dictionary(grouping: plan.possible, by: \.functions) {
            let met = pairs.count { coverage.pairs.contains($0) }
            if met < pairs.count { groups.append((functions, met, pairs.count)) }
        }
        groups.sort { left, right in
            let (mine, other) = (left.of - left.met, right.of - right.met)
            return mine == other ? left.functions < right.functions : mine > other
        }
        if groups.isEmpty { return [] }
        return ["pairs that are missing, by functions (--pairs lists them):"]
            + groups.prefix(12).map { "  \(words($0.functions)): \($0.met) of \($0.of) taken" }
            + (groups.count > 12 ? ["  and \(groups.count - 12) other pairs of functions"] : [])
    }

    private static func missingPairs(_ coverage: Coverage, _ plan: CoveragePlan) -> [String] {
        var lines = ["pairs that no run took, by functions:"]
        for (functions, pairs) in Dictionary(grouping: plan.possible, by: \.functions).sorted(by: { $0.key < $1.key }) {
            let missing = pairs.filter { !coverage.pairs.contains($0) }.sorted()
            if missing.isEmpty { continue }
            lines.append("  \(words(functions)): \(pairs.count - missing.count) of \(pairs.count) taken")
            lines += missing.map {
                "    \($0.first.dropFirst(functions.first.count + 2)) | \($0.second.dropFirst(functions.second.count + 2))"
            }
        }
        return lines
    }

    private static func next(_ plan: CoveragePlan) -> [String] {
        if plan.next.isEmpty { return ["no scenario can reach anything that no run took"] }
        var lines = ["run next (what they can reach, not what they will; each without what those above it can):"]
        for item in plan.next.prefix(8) {
            let others = shortened(Array(item.names.dropFirst()), 2)
            let gain = "\(item.steps.count) steps, \(item.pairs.count) pairs"
            let history = "\(item.records) records so far, \(item.met) of its \(item.reachable) pairs met"
            lines.append(
                "  \(item.names[0]): \(gain); \(history)" + (others.isEmpty ? "" : " (as \(others))"))
        }
        if plan.next.count > 8 { lines.append("  and \(plan.next.count - 8) more") }
        return lines
    }

    private static func unseen(_ coverage: Coverage, _ plan: CoveragePlan, _ unprovable: Set<String>) -> [String] {
        let guessed = coverage.taken.subtracting(coverage.certain).sorted()
        var lines = [
            "what cannot be seen:",
            "  \(coverage.certain.count) of the steps taken lie on every way between two recorded events of a thread; the other "
                + "\(guessed.count) are in the run that was found, and another run may show the same events without them:",
        ]
        lines += guessed.map { "    \($0)" + (unprovable.contains($0) ? " (no events can prove it)" : "") }
        let never = unprovable.subtracting(coverage.taken).sorted()
        if !never.isEmpty { lines.append("  not taken, and no events could prove them: " + shortened(never, 4)) }
        lines.append(
            "  pairs are those of the runs that were found: between the same events the kernels may have met others")
        lines.append(
            "  the possible pairs are those found in \(plan.states) states of \(plan.explored) ways to call md-cluster.c"
                + (plan.unfinished > 0
                    ? ", \(plan.unfinished) of them not explored to the end: there can be more (--reach)" : "")
                + (plan.unexpected.isEmpty
                    ? "" : "; \(plan.unexpected.count) of those that runs met were not among them"))
        for (rule, count) in coverage.ignored.sorted(by: { $0.value > $1.value }) {
            lines.append("  \(count) events are no step of the model: \(rule.rawValue)")
        }
        if !coverage.unobserved.isEmpty {
            let kinds = coverage.unobserved.sorted { ($0.value, $1.key) > ($1.value, $0.key) }
            lines.append(
                "  events that some records cannot show: " + shortened(kinds.map { "\($0.key) (\($0.value) runs)" }, 6))
        }
        lines.append("  what md.c does to devices, roles and sizes is not in the compared model")
        return lines
    }
}
