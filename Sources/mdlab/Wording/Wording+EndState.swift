// SPDX-License-Identifier: GPL-2.0
import Comparison
import Foundation

extension ComparisonWording {
    /// What is said of the state at rest: one line when it agrees, a table when it does not.
    static func text(_ end: EndState) -> String {
        let count = end.compared.values.reduce(0, +)
        switch end.answer {
        case .agrees: return "  at rest    \(count) values are those of a state of the model"
        case .notCompared(let reason): return "  at rest    not compared: \(text(reason))"
        case .differs:
            var lines = ["  at rest    \(end.differences.count) of \(count) values are not the model's"]
            for item in end.differences.prefix(12) {
                lines.append("    \(item.node.map { "\($0)" } ?? "all nodes")  \(item.file)")
                lines.append("      is \(item.observed); the model: \(item.model)")
            }
            if end.differences.count > 12 {
                lines.append("    and \(end.differences.count - 12) others: --json has them")
            }
            return lines.joined(separator: "\n")
        }
    }

    static func text(_ reason: EndState.Reason) -> String {
        switch reason {
        case .eventsDoNotConform: "what the model can end in is not known, as the events do not conform"
        case .noSnapshot(let node): "\(node) has no snapshot \"final\": run the scenario to its end"
        case .wentOn(let node, let seconds):
            "\(node) went on for \(String(format: "%.1f", seconds)) s after its last snapshot: record the run again"
        case .notAtRest(let node, let action):
            "\(node) is not at rest (sync_action \(action)): let the scenario wait for idle"
        case .ended(let ending): "the run did not come to its end (\(ending.rawValue))"
        }
    }

    static func endStateMapping() -> [String] {
        ["compared at rest: a file of the snapshots \"final\", and what of the model it must be"]
            + EndStateField.allCases.map { "  \($0.file)\n      \($0.model)" }
            + ["not compared at rest: " + EndStateField.notCompared]
    }
}
