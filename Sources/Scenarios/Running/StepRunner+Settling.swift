// SPDX-License-Identifier: GPL-2.0
import VirtualCluster

extension StepRunner {
    /// Waits until nothing is going on any more; the snapshot that shows it stays in the record as `label`.
    ///
    /// A receiver of METADATA_UPDATED takes the token once more by itself, to find that there is nothing to send.
    /// Threads and superblock flags that say so are only in a snapshot, so it is taken again while they do; the last
    /// one counts.
    ///
    /// - Parameters:
    ///   - limit: seconds on a machine of ordinary speed.
    ///   - pending: what else has to be over, in words.
    func settle(
        _ label: String, limit: Double, pending: @Sendable () async throws -> [String] = { [] }
    ) async throws {
        cluster.note(.wait, node: nil, "quiescence", [:])
        let clock = ContinuousClock()
        let end = clock.now + patience.limit(limit)
        try await wait(for: [.idle(on: .all)], limit: limit)
        while true {
            var busy = try await pending()
            if busy.isEmpty { busy = try await stuck() }
            if busy.isEmpty {
                busy = try await cluster.snapshot(label).compactMap(Quiescence.reason) + pending()
                if busy.isEmpty { return }
            }
            if clock.now >= end {
                throw StepProblem.limit(what: "quiescence", seconds: limit * patience.slowness, observed: busy)
            }
            try await Task.sleep(for: Self.pollInterval)
        }
    }

    /// md's threads that wait for something just now. Cheaper than a snapshot, and leaves nothing in the record.
    private func stuck() async throws -> [String] {
        var threads: [StuckThread] = []
        for node in await situation.answering {
            threads += try await node.stuckThreads(limit: patience.limit(20))
        }
        return threads.map { "\($0.node): \($0.comm) waits in \($0.stack.first ?? "an unknown place")" }
    }
}
