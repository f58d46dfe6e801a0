// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import RunRecord

/// What a scenario says about its run beforehand.
public struct Expectations: Sendable, Equatable {
    /// How many METADATA_UPDATED with a receiver the scenario causes at least. 0 for one that causes none.
    public var metadataUpdates: Int
    public init(metadataUpdates: Int = 1) { self.metadataUpdates = metadataUpdates }
}

/// Puts the answers of the checks together.
///
/// - A check that fails makes the run FAIL: the kernel is wrong, whatever else could not be seen.
/// - Else a check that is not decided makes it MISS: the lab did not see enough to judge, and a check that did not run must not
///   look like one that passed. `git bisect run` skips such a commit.
/// - Else PASS.
///
/// XFAIL, ERROR and SKIP are words of the one who knows the scenario, not of the record.
public enum Judge {
    static func word(for checks: [CheckResult]) -> (VerdictWord, String) {
        func reason(_ answer: CheckAnswer) -> String? {
            let concerned = checks.filter { $0.answer == answer }
            guard let first = concerned.first else { return nil }
            let names = concerned.map(\.name).joined(separator: ", ")
            return "\(names): \(answer.rawValue): \(first.findings.first?.text ?? "no reason given")"
        }
        if let reason = reason(.fails) { return (.fail, reason) }
        if let reason = reason(.notDecided) { return (.miss, reason) }
        if checks.isEmpty { return (.miss, "no check ran") }
        return (.pass, "\(checks.map(\.name).joined(separator: ", ")): all hold")
    }

    /// Why a node's trace may stop before its orderly end; nil when it may not.
    static func cut(of node: NodeID, _ description: RunDescription, _ events: [RunEvent]) -> String? {
        if events.contains(where: { $0.kind == .nodeDied && $0.node == node.description }) { return "\(node) died" }
        switch description.ending {
        case .finished: return nil
        case .hung: return "the run hung"
        case .nodeDied: return "a node died"
        case .interrupted: return "the run was interrupted"
        case .failed: return "the run was broken off"
        case .running: return "the record was never closed"
        }
    }

    /// The sets of snapshots that show all nodes at about one time, in order: those taken for a hang, and the final one.
    static func sets(of snapshots: [NodeSnapshot]) -> [(label: String, snapshots: [NodeSnapshot])] {
        var last: [String: [NodeID: NodeSnapshot]] = [:]
        for snapshot in snapshots.sorted(by: { $0.time < $1.time }) where snapshot.label == "final" || snapshot.label.hasPrefix("hang") {
            last[snapshot.label, default: [:]][snapshot.node] = snapshot
        }
        return last.map { ($0.key, $0.value.values.sorted { $0.node < $1.node }) }
            .sorted { ($0.snapshots[0].time, $0.label) < ($1.snapshots[0].time, $1.label) }
    }

    /// Nodes that had died when a set was taken.
    static func dead(_ events: [RunEvent], before time: Double) -> Set<NodeID> {
        Set(events.filter { $0.kind == .nodeDied && $0.time <= time }.compactMap { $0.node.flatMap { NodeID(name: $0) } })
    }
}
