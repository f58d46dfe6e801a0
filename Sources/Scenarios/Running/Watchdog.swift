// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import RunRecord
import VirtualCluster

/// Looks at the nodes while the steps run, so that a hang is named soon after it happened and not when a limit ends.
///
/// A thread in D state is no hang by itself. The watchdog only suspects: when md threads sleep at the same place in
/// several looks, it takes two full snapshots and asks `finder` whether they show a wait that cannot end.
public struct Watchdog: Sendable {
    /// Given two snapshots of all nodes; the lines of a cycle, or nil when there is none to be seen.
    package typealias Finder = @Sendable (_ first: [NodeSnapshot], _ second: [NodeSnapshot]) -> [String]?

    public struct Pace: Sendable {
        /// Before the first look.
        public var delay = Duration.zero
        /// Between two looks.
        public var interval = Duration.seconds(2)
        /// So many looks in a row must find the same threads at the same place.
        public var looks = 3
        /// Between the two snapshots.
        public var betweenSnapshots = Duration.seconds(2)
        /// So many looks after a suspicion that came to nothing, the same threads may be suspected again.
        public var looksUntilAgain = 10

        public init(
            delay: Duration = .zero, interval: Duration = .seconds(2), looks: Int = 3,
            betweenSnapshots: Duration = .seconds(2), looksUntilAgain: Int = 10
        ) {
            self.delay = delay
            self.interval = interval
            self.looks = looks
            self.betweenSnapshots = betweenSnapshots
            self.looksUntilAgain = looksUntilAgain
        }
    }

    let cluster: any ClusterControl
    let situation: Situation
    let finder: Finder
    var pace = Pace()
    /// Shared with the end of a run that reached a limit, so that labels are not given twice.
    let snapshots: HangSnapshots
    /// False while threads are held on purpose: then nobody is suspected.
    var mayJudge: @Sendable () -> Bool = { true }

    /// Returns only by throwing: `.hang` when there is one, `.nodeDied`, or when it is cancelled.
    func watch() async throws {
        var seen: [StuckThread: Int] = [:]
        try await Task.sleep(for: pace.delay)
        while true {
            try await Task.sleep(for: pace.interval)
            guard mayJudge() else { seen = [:]; continue }
            var stuck: Set<StuckThread> = []
            for node in await situation.answering {
                stuck.formUnion(try await look(at: node))
            }
            seen = Dictionary(uniqueKeysWithValues: stuck.map { ($0, (seen[$0] ?? 0) + 1) })
            guard seen.values.contains(where: { $0 == pace.looks }) else { continue }
            let (first, second) = try await snapshots.take(cluster, apart: pace.betweenSnapshots)
            if let lines = finder(first, second) { throw StepProblem.hang(lines) }
            let names = stuck.map { "\($0.node) \($0.comm)" }.sorted()
            cluster.note(.note, node: nil, "long wait, but no cycle: " + names.joined(separator: ", "), [:])
            for thread in stuck { seen[thread] = pace.looks - pace.looksUntilAgain }
        }
    }

    private func look(at node: any NodeControl) async throws -> [StuckThread] {
        do {
            return try await node.stuckThreads(limit: .seconds(20))
        } catch ClusterFailure.nodeDied(let id, let lines) {
            // A node that the scenario crashed or froze in the meantime is not news.
            guard await situation.answering.contains(where: { $0.id == id }) else { return [] }
            throw StepProblem.nodeDied(id, lastConsoleLines: lines)
        } catch is CancellationError {
            throw StepProblem.interrupted
        } catch {
            // A node too busy to answer is looked at again in the next round; a step's own limit still ends the run.
            return []
        }
    }
}

/// Takes the pairs of snapshots that show whether anything moves.
actor HangSnapshots {
    private var pairs = 0

    /// Labels "hang-1" and "hang-2", then "hang-3" and "hang-4", ...
    func take(_ cluster: any ClusterControl, apart: Duration) async throws -> ([NodeSnapshot], [NodeSnapshot]) {
        pairs += 1
        let number = pairs
        let first = try await cluster.snapshot("hang-\(2 * number - 1)")
        try await Task.sleep(for: apart)
        let second = try await cluster.snapshot("hang-\(2 * number)")
        return (first, second)
    }
}
