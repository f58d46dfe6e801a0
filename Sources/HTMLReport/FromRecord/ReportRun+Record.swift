// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Conformance
import Foundation
import KernelTrace
import ProtocolTrace
import RunRecord

extension ReportRun {
    /// What a record shows. Cost: some passes over the events.
    ///
    /// - Parameters:
    ///   - id: unique in the report, letters and digits.
    ///   - name: of the scenario, as the verdict's table has it.
    public init(_ recording: Recording, verdict: Verdict, id: String, name: String) {
        self.init(id: id, name: name, word: verdict.word.rawValue, reason: verdict.reason)
        let run = recording.description
        timeline = Timeline(recording)
        facts = Self.facts(of: run)
        let finder = EventFinder(timeline)
        checks = verdict.checks.map { check in
            Check(
                name: check.name, answer: check.answer.rawValue, seen: check.seen,
                findings: check.findings.map { finding in
                    Check.Finding(
                        text: (finding.node.map { finding.text.contains($0) ? "" : "\($0): " } ?? "") + finding.text,
                        details: finding.details, event: finder.event(near: finding.time, on: finding.node))
                })
        }
        updates = verdict.metadataUpdates.map { update in
            Update(
                sender: update.sender, thread: update.senderThread, receiver: update.receiver,
                path: update.path.rawValue, milliseconds: update.handling * 1e3,
                message: finder.message(to: update.receiver, at: update.time))
        }
        steps = recording.events.compactMap { event in
            switch event.kind {
            case .step, .wait, .nodeDied, .hang, .timeout, .interrupted, .splat:
                Step(seconds: event.time, node: event.node, text: event.text)
            default: nil
            }
        }
        hangs = HangPicture.all(in: recording.nodes.flatMap(\.snapshots))
    }

    private static func facts(of run: RunDescription) -> [ReportDocument.Fact] {
        var facts = [
            ReportDocument.Fact("kernel", run.kernelRelease),
            ReportDocument.Fact("nodes", "\(run.nodes)"),
            ReportDocument.Fact("began", run.started.formatted(.iso8601)),
            ReportDocument.Fact("ended", run.ending.rawValue),
        ]
        if let variant = run.variant { facts.append(.init("variant", variant)) }
        if !run.patches.isEmpty { facts.append(.init("patches", run.patches.joined(separator: ", "))) }
        let stock = run.modules.filter(\.stock).map(\.name)
        if !stock.isEmpty { facts.append(.init("the distribution's modules", stock.joined(separator: ", "))) }
        facts.append(.init("accelerator", run.accelerator))
        if let commit = run.toolCommit { facts.append(.init("mdlab", String(commit.prefix(12)))) }
        return facts
    }
}

/// Finds events of a timeline by what a verdict says of them: a node and its own time.
private struct EventFinder {
    private let timeline: Timeline
    /// Of each node: its own times and the events' places.
    private var byNode: [String: [(time: UInt64, event: Int)]] = [:]

    init(_ timeline: Timeline) {
        self.timeline = timeline
        for (place, event) in timeline.events.enumerated() {
            byNode[timeline.lanes[event.lane].node, default: []].append((event.nodeTime, place))
        }
    }

    /// - Parameter seconds: of the node's clock, as a verdict has them: rounded to what a Double holds.
    func event(near seconds: Double?, on node: String?) -> Int? {
        guard let seconds, seconds.isFinite, (0..<1e9).contains(seconds), let node, let list = byNode[node] else {
            return nil
        }
        let time = UInt64(seconds * 1e9)
        let nearest = list.min { Self.distance($0.time, time) < Self.distance($1.time, time) }
        return nearest.flatMap { Self.distance($0.time, time) < 1_000_000 ? $0.event : nil }
    }

    func message(to receiver: String, at seconds: Double) -> Int? {
        guard let event = event(near: seconds, on: receiver) else { return nil }
        let time = timeline.events[event].nodeTime
        return timeline.messages.firstIndex { message in
            message.receptions.contains { reception in
                let told = timeline.events[reception.toldEvent]
                return timeline.lanes[told.lane].node == receiver && Self.distance(told.nodeTime, time) < 1000
            }
        }
    }

    private static func distance(_ left: UInt64, _ right: UInt64) -> UInt64 {
        left > right ? left - right : right - left
    }
}
