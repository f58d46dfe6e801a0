// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import RunRecord

/// Check (e): no wait that cannot end.
///
/// A hang is a cycle of waits, or a chain that ends where nobody can act. A wait that is merely long, such as the other
/// node's resync thread in resync_start, ends in a thread that gets on, and is not one. One set of snapshots is not
/// enough, since its parts are not taken at one instant: a hang counts when two sets some seconds apart show the same
/// threads with the same stacks.
public struct HangCheck: Sendable {
    public static let name = "no-hang"

    /// The lines of the hang that two sets of snapshots of all living nodes show, or nil: what a watchdog asks while a
    /// run goes on.
    public static func hang(in first: [NodeSnapshot], then second: [NodeSnapshot]) -> [String]? {
        let moments = [
            ClusterMoment(label: "hang-1", snapshots: first, dead: []),
            ClusterMoment(label: "hang-2", snapshots: second, dead: []),
        ]
        let found = result(moments, hung: false)
        return found.answer == .fails ? found.findings.flatMap { [$0.text] + $0.details } : nil
    }

    /// The waits that cannot end in the last two sets of snapshots that a watchdog labelled "hang-N", as values:
    /// cycles, else chains. Empty when the run did not hang, or no two sets show the same.
    public static func hangs(in snapshots: [NodeSnapshot]) -> [WaitGraph.Hang] {
        var labels: [String] = []
        for snapshot in snapshots.sorted(by: { $0.time < $1.time })
        where snapshot.label.hasPrefix("hang") && !labels.contains(snapshot.label) { labels.append(snapshot.label) }
        guard let last = labels.last, let before = labels.dropLast().last else { return [] }
        func moment(_ label: String) -> ClusterMoment {
            ClusterMoment(label: label, snapshots: snapshots.filter { $0.label == label }, dead: [])
        }
        let (first, second) = (moment(before), moment(last))
        let earlier = WaitGraph(first).hangs
        return worst(
            WaitGraph(second).hangs.filter { hang in
                earlier.contains { hang.continues($0, after: second.time - first.time) }
            })
    }

    /// - Parameters:
    ///   - moments: the sets of snapshots in the order in which they were taken.
    ///   - hung: the runner gave up waiting for something.
    static func result(_ moments: [ClusterMoment], hung: Bool) -> CheckResult {
        let graphs = moments.map { ($0, WaitGraph($0)) }
        let suspects = graphs.filter { $0.0.label.hasPrefix("hang") }
        var findings: [Finding] = []
        var answer = CheckAnswer.holds

        var ended: [String] = []
        for (first, second) in zip(suspects, suspects.dropFirst()) where answer == .holds {
            let between = second.0.time - first.0.time
            var confirmed = second.1.hangs.filter { hang in
                first.1.hangs.contains { hang.continues($0, after: between) }
            }
            // A wait for a node that died is over when DLM has recovered. A cycle is none that only a timeout ended.
            if !hung, let final = graphs.last, final.0.label == "final", final.0.time > second.0.time {
                let over = confirmed.filter { hang in
                    hang.nobody == .deadNode
                        && !final.1.hangs.contains { $0.continues(hang, after: final.0.time - second.0.time) }
                }
                ended += over.map { Self.finding($0, note: " (for some seconds: it came to an end)").text }
                confirmed.removeAll(where: over.contains)
            }
            findings += Self.worst(confirmed).map { Self.finding($0) }
            if !confirmed.isEmpty { answer = .fails }
        }
        if answer == .holds {
            // A suspicion that came to nothing is over when the run went on to its end.
            let once = hung && !suspects.isEmpty ? suspects.suffix(1) : graphs.suffix(1)
            let hangs = once.flatMap { moment, graph in
                graph.hangs.filter { $0.nobody != .lostGrant }.map { (moment.label, $0) }
            }
            for (label, hang) in hangs {
                answer = .notDecided
                findings.append(
                    Self.finding(
                        hang, note: " (seen in the snapshots \"\(label)\" only, which were not taken at one instant)"))
            }
            if hung, hangs.isEmpty {
                answer = .notDecided
                let last = (suspects.last ?? graphs.last)?.0
                findings.append(
                    Finding(
                        "the run stood still, and no wait that cannot end was found in its snapshots",
                        details: Self.blocked(last)))
            }
        }
        if moments.isEmpty {
            answer = .notDecided
            findings.append(Finding("there is no set of snapshots to look at"))
        }
        return CheckResult(name: name, answer: answer, findings: findings, seen: graphs.map(Self.seen) + ended)
    }

    /// The cycles; without one, the chains. A thread that waits behind a cycle is no news.
    private static func worst(_ hangs: [WaitGraph.Hang]) -> [WaitGraph.Hang] {
        let cycles = hangs.filter { $0.nobody == nil }
        return cycles.isEmpty ? hangs : cycles
    }

    private static func finding(_ hang: WaitGraph.Hang, note: String = "") -> Finding {
        let nodes = hang.nodes.sorted().map(\.description).joined(separator: ", ")
        let what =
            switch hang.nobody {
            case nil: "\(count(hang.edges.count, "thread")) of \(nodes) wait for each other in a cycle"
            case .some(let nobody):
                "\(hang.edges.last!.from.node) \(hang.edges.last!.from.comm) waits for \(nobody.rawValue)"
            }
        return Finding(
            what + note, details: hang.lines, fact: FindingFact(.hang, hang.nobody?.rawValue ?? "cycle"),
            nodes: hang.nodes.sorted().map(\.description))
    }

    private static func seen(_ moment: ClusterMoment, _ graph: WaitGraph) -> String {
        let threads = moment.nodes.reduce(0) { $0 + $1.threads.count }
        let cycles = graph.hangs.count { $0.nobody == nil }
        let memory =
            moment.nodes.allSatisfy { $0.arrays != nil } ? "" : "; mutex owners and cinfo->state inferred from stacks"
        let locks = moment.hasLocks ? "" : "; DLM's lock tables were not read"
        return "\"\(moment.label)\": \(count(threads, "thread")) on \(count(moment.nodes.count, "node")), "
            + "\(count(graph.edges.count, "wait")) for others, \(count(cycles, "cycle"))\(memory)\(locks)"
    }

    /// The threads in uninterruptible sleep, for a hang that is not understood.
    private static func blocked(_ moment: ClusterMoment?) -> [String] {
        (moment?.nodes ?? []).flatMap { node in
            node.threads.filter { $0.state == "D" }.map {
                "\(node.node) \($0.comm)-\($0.pid): \(Frames($0.stack).chain)"
            }
        }
    }
}
