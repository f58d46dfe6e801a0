// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import RunRecord
import Testing

@testable import Comparison
@testable import Steering

/// The recorded hang of smoke@no-holding-in-start is that of the schedule with the nodes the other way round.
@Suite struct DeadlockMatchTests {
    private static let run = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/runs/smoke@no-holding-in-start")

    private func snapshots() throws -> [NodeSnapshot] {
        try (1...2).map { node in
            let folder = RunLayout(root: Self.run).node(NodeID(node)).snapshots
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            let name = try #require(names.first { $0.hasSuffix("hang-2.json") })
            return try JSONDecoder().decode(NodeSnapshot.self, from: Data(contentsOf: folder.appending(path: name)))
        }
    }

    private func schedule(swapped: Bool, _ change: (inout String) -> Void = { _ in }) throws -> Schedule {
        let file = schedulesFolder.appending(path: "deadlock-no-holding-in-start.yaml")
        var text = try String(contentsOf: file, encoding: .utf8)
        if swapped {
            let parts = text.components(separatedBy: "deadlock:\n")
            text =
                parts[0] + "deadlock:\n"
                + parts[1].replacing("node1", with: "NODE").replacing("node2", with: "node1").replacing(
                    "NODE", with: "node2")
        }
        change(&text)
        return try ScheduleReader.parse(Array(text.utf8), name: "x", file: "x.yaml")
    }

    @Test func aHangThatIsAsPredicted() throws {
        let match = DeadlockMatch(try schedule(swapped: true).predictedWaits, in: try snapshots())
        #expect(match.matches, "\(match.lines)")
        #expect(match.lines.count == 3)
    }

    @Test func theSameHangOfOtherNodesIsAnother() throws {
        let match = DeadlockMatch(try schedule(swapped: false).predictedWaits, in: try snapshots())
        #expect(!match.matches)
        // Both md threads stand somewhere else, and no receive thread waits on node2.
        #expect(match.lines.allSatisfy { !$0.differences.isEmpty })
    }

    @Test(arguments: [
        ("waits-for: ack EX", "waits-for: ack PR", "its lock on ack is CR, and it asks for EX"),
        ("waits-for: ack EX", "waits-for: resync EX", "its lock on resync is NL, and it asks for --"),
        ("waits-for: ack EX", "waits-for: nonsense", "no such wait is known"),
        ("waits-for: reconfig_mutex", "waits-for: recv_mutex", "recv_mutex is held by md0_cluster_recv, not by raid1d"),
        (
            "waits-for: reconfig_mutex, held-by: node1 raid1d", "waits-for: wake-up",
            "reconfig_mutex is held and HOLDING_MUTEX_FOR_RECVD is clear: no wake-up is due"
        ),
        (
            "waits-for: reconfig_mutex, held-by: node1 raid1d", "waits-for: reconfig_mutex, held-by: node1 recv_daemon",
            "reconfig_mutex is held by md0_raid1, not by recv_daemon"
        ),
        (
            "in: [recv_daemon]", "in: [md_update_sb]",
            "it stands in recv_daemon <- md_thread <- kthread <- ret_from_fork"
        ),
    ])
    func whatIsOtherwiseIsSaid(wanted: String, instead: String, difference: String) throws {
        let schedule = try schedule(swapped: true) { text in
            guard let place = text.range(of: wanted, options: .backwards) else { return }
            text.replaceSubrange(place, with: instead)
        }
        let match = DeadlockMatch(schedule.predictedWaits, in: try snapshots())
        #expect(match.lines.flatMap(\.differences) == [difference])
    }

    @Test func withoutSnapshotsNothingMatches() throws {
        #expect(!DeadlockMatch(try schedule(swapped: true).predictedWaits, in: []).matches)
        #expect(!DeadlockMatch(try parseSchedule(scheduleText()).predictedWaits, in: try snapshots()).matches)
    }

    @Test func functionsMustStandInTheirOrder() {
        #expect(DeadlockMatch.isSubsequence(["a", "c"], of: ["a", "b", "c"]))
        #expect(!DeadlockMatch.isSubsequence(["c", "a"], of: ["a", "b", "c"]))
        #expect(!DeadlockMatch.isSubsequence(["a", "a"], of: ["a", "b"]))
        #expect(DeadlockMatch.isSubsequence([], of: []))
    }
}
