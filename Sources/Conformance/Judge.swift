// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import ProtocolTrace
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
/// - Else a check that is not decided makes it MISS: the lab did not see enough to judge, and a check that did not run
///   must not look like one that passed. `git bisect run` skips such a commit.
/// - Else PASS.
///
/// XFAIL, ERROR and SKIP are words of the one who knows the scenario, not of the record.
public enum Judge {
    /// All checks of a run. A pure function: the same record gives the same verdict.
    ///
    /// Cost: some passes over the events; a run of a minute takes milliseconds.
    public static func verdict(_ evidence: Evidence, expecting: Expectations = Expectations()) -> Verdict {
        let description = evidence.description
        let nodes = (1...max(1, description.nodes)).map { NodeID($0) }
        let deaths = deaths(evidence.events)
        let offsets = ClockAlignment.offsets(description.clockOffsets, for: nodes.map { evidence.traces[$0] ?? [] })
        let traces = nodes.map { node in
            NodeTrace(
                node: node, events: evidence.traces[node] ?? [], cut: cut(of: node, description, evidence.events),
                clockOffset: description.clockOffsets.indices.contains(node.rawValue - 1)
                    ? offsets[node.rawValue - 1] : nil, died: deaths[node])
        }
        let sets = sets(of: evidence.snapshots)
        let synchronous = SynchronousCheck(traces, expected: expecting.metadataUpdates)
        let agreement = agreement(sets, evidence.events)
        let checks = [
            synchronous.result, WordCheck.result(traces), agreement,
            LogCheck.result(
                nodes, logs: evidence.logs, rules: evidence.rules,
                scope: { scope(of: $0, evidence, agreement) }, taints: taints(evidence.snapshots),
                died: Set(deaths.keys)),
            HangCheck.result(
                sets.map { set in
                    ClusterMoment(
                        label: set.label, snapshots: set.snapshots,
                        dead: dead(evidence.events, before: set.snapshots.map(\.time).max() ?? 0))
                }, hung: description.ending == .hung),
        ].map { unreadable($0, evidence) }.map { check in
            guard evidence.rulesAreNewer, check.name == LogCheck.name else { return check }
            var check = check
            check.seen.append("judged with the rules of this tree, not with those of the record")
            return check
        }
        let (word, reason) = word(for: checks)
        return Verdict(
            scenario: description.scenario, variant: description.variant, kernelRelease: description.kernelRelease,
            word: word,
            reason: reason, checks: checks, metadataUpdates: synchronous.updates, detectorsOff: description.detectorsOff
        )
    }

    private static func agreement(_ sets: [(label: String, snapshots: [NodeSnapshot])], _ events: [RunEvent])
        -> CheckResult
    {
        let final = sets.last { $0.label == "final" }?.snapshots ?? []
        let dead = dead(events, before: .infinity)
        let living = final.filter { !dead.contains($0.node) }
        return AgreementCheck.result(
            Dictionary(uniqueKeysWithValues: living.map { ($0.node, NodeArray.running(in: $0)) }),
            superblocks: Dictionary(uniqueKeysWithValues: living.map { ($0.node, SuperblockView.all(in: $0)) }))
    }

    private static func scope(of node: NodeID, _ evidence: Evidence, _ agreement: CheckResult) -> LogScope {
        var scope = LogScope(
            scenario: evidence.description.scenario, kernelRelease: evidence.description.kernelRelease,
            leaves: evidence.traces[node].map(leaves),
            agrees: agreement.answer == .notDecided ? nil : agreement.answer == .holds)
        if cut(of: node, evidence.description, evidence.events) != nil {
            scope.tracedUntil = evidence.traces[node]?.last.map { Double($0.time) / 1e9 } ?? 0
        }
        return scope
    }

    /// When leave() of md-cluster.c was called: seconds of the trace's clock, which counts from the boot.
    private static func leaves(_ events: [KernelEvent]) -> [Double] {
        events.filter { $0.calls("leave") }.map { Double($0.time) / 1e9 }
    }

    /// The last that is known of each node; the first would be before the modules were loaded.
    private static func taints(_ snapshots: [NodeSnapshot]) -> [NodeID: String] {
        var last: [NodeID: String] = [:]
        for snapshot in snapshots.sorted(by: { $0.time < $1.time }) {
            if let text = snapshot.files["/proc/sys/kernel/tainted"] { last[snapshot.node] = text }
        }
        return last
    }

    /// A check over a record with unreadable parts says which.
    private static func unreadable(_ check: CheckResult, _ evidence: Evidence) -> CheckResult {
        guard check.answer == .notDecided else { return check }
        var check = check
        check.findings += evidence.unreadable.sorted { $0.key < $1.key }.map {
            Finding("\($0.key) could not be read: \($0.value)")
        }
        return check
    }

    static func word(for checks: [CheckResult]) -> (VerdictWord, String) {
        func reason(_ answer: CheckAnswer) -> String? {
            let concerned = answer == .fails ? checks.failing : checks.filter { $0.answer == answer }
            guard let first = concerned.first else { return nil }
            let names = concerned.map(\.name).joined(separator: ", ")
            guard let finding = answer == .fails ? first.worst?.finding : first.findings.first else {
                return "\(names): \(answer.rawValue)"
            }
            // The text of a finding does not say where it is when its node does.
            let place = finding.node.flatMap { finding.text.contains($0) ? nil : "\($0): " } ?? ""
            return "\(names): \(answer.rawValue): \(place)\(finding.text)"
        }
        if let reason = reason(.fails) { return (.fail, reason) }
        if let fault = checks.flatMap(\.findings).first(where: { $0.rank == .userSpace }) {
            return (.userSpace, fault.text)
        }
        if let reason = reason(.notDecided) { return (.miss, reason) }
        if checks.isEmpty { return (.miss, "no check ran") }
        return (.pass, "\(checks.map(\.name).joined(separator: ", ")): all hold")
    }

    /// Why a node's trace may stop before its orderly end; nil when it may not.
    static func cut(of node: NodeID, _ description: RunDescription, _ events: [RunEvent]) -> String? {
        if events.contains(where: { $0.kind == .nodeDied && $0.node == node.description }) { return "\(node) died" }
        if events.contains(where: { $0.facts[RunEvent.lostTraceEnd] != nil && $0.node == node.description }) {
            return "the end of its trace could not be read"
        }
        switch description.ending {
        case .finished: return nil
        case .hung: return "the run hung"
        case .nodeDied: return "a node died"
        case .interrupted: return "the run was interrupted"
        case .failed: return "the run was broken off"
        case .running: return "the record was never closed"
        }
    }

    /// The sets of snapshots that show all nodes at about one time, in order: those taken for a hang, and the final
    /// one.
    static func sets(of snapshots: [NodeSnapshot]) -> [(label: String, snapshots: [NodeSnapshot])] {
        var last: [String: [NodeID: NodeSnapshot]] = [:]
        for snapshot in snapshots.sorted(by: { $0.time < $1.time })
        where snapshot.label == "final" || snapshot.label.hasPrefix("hang") {
            last[snapshot.label, default: [:]][snapshot.node] = snapshot
        }
        return last.map { ($0.key, $0.value.values.sorted { $0.node < $1.node }) }
            .sorted { ($0.snapshots[0].time, $0.label) < ($1.snapshots[0].time, $1.label) }
    }

    /// When nodes died, in host seconds.
    static func deaths(_ events: [RunEvent]) -> [NodeID: Double] {
        var deaths: [NodeID: Double] = [:]
        for event in events where event.kind == .nodeDied {
            if let node = event.node.flatMap({ NodeID(name: $0) }), deaths[node] == nil { deaths[node] = event.time }
        }
        return deaths
    }

    /// Nodes that had died when a set was taken.
    static func dead(_ events: [RunEvent], before time: Double) -> Set<NodeID> {
        Set(
            events.filter { $0.kind == .nodeDied && $0.time <= time }.compactMap {
                $0.node.flatMap { NodeID(name: $0) }
            })
    }
}
