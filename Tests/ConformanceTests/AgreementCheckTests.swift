// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import RunRecord
import Testing

@testable import Conformance

@Suite struct AgreementCheckTests {
    /// A two-way mirror with vdb failed, and a spare.
    private func files() -> [String: String] {
        [
            "/sys/block/md0/size": "260096\n", "/sys/block/md0/md/array_state": "active\n",
            "/sys/block/md0/md/raid_disks": "2\n",
            "/sys/block/md0/md/degraded": "1\n", "/sys/block/md0/md/component_size": "130048\n",
            "/sys/block/md0/md/level": "raid1\n",
            "/sys/block/md0/md/layout": "0\n", "/sys/block/md0/md/chunk_size": "0\n",
            "/sys/block/md0/md/sync_action": "idle\n",
            "/sys/block/md0/md/dev-vda/state": "in_sync\n", "/sys/block/md0/md/dev-vda/slot": "0\n",
            "/sys/block/md0/md/dev-vdb/state": "faulty\n", "/sys/block/md0/md/dev-vdb/slot": "none\n",
            "/sys/block/md0/md/dev-vdc/state": "spare\n", "/sys/block/md0/md/dev-vdc/slot": "none\n",
        ]
    }

    private let blocks = [
        SuperblockView(
            disk: "vda", events: 30, raidDisks: 2, size: 260096, number: 0, roles: [.active(0), .faulty, .spare]),
        SuperblockView(
            disk: "vdb", events: 20, raidDisks: 2, size: 260096, number: 1, roles: [.active(0), .active(1), .spare]),
        SuperblockView(
            disk: "vdc", events: 30, raidDisks: 2, size: 260096, number: 2, roles: [.active(0), .faulty, .spare]),
    ]

    private func judge(_ second: [String: String]?, blocks: [SuperblockView]? = nil) -> CheckResult {
        var snapshots = [snapshot(node1, files())]
        if let second { snapshots.append(snapshot(node2, second)) }
        let views = Dictionary(uniqueKeysWithValues: snapshots.map { ($0.node, NodeArray.running(in: $0)) })
        let all = Dictionary(uniqueKeysWithValues: snapshots.map { ($0.node, blocks ?? self.blocks) })
        return AgreementCheck.result(views, superblocks: all)
    }

    private func snapshot(_ node: NodeID, _ files: [String: String]) -> NodeSnapshot {
        NodeSnapshot(node: node, label: "final", time: 1, uptime: 1, files: files, threads: [], arrays: nil)
    }

    @Test func equalNodesAgree() {
        let result = judge(files())
        #expect(result.findings == [])
        #expect(result.answer == .holds)
        #expect(
            result.seen == [
                "md0 on node1, node2: raid_disks 2, degraded 1, 130048 KiB; vda 0 in_sync, vdb none faulty, vdc none spare; events 30"
            ])
    }

    @Test(arguments: [
        ("/sys/block/md0/size", "1", "/sys/block/md0/size: node1 says 260096, node2 says 1"),
        ("/sys/block/md0/md/degraded", "0", "/sys/block/md0/md/degraded: node1 says 1, node2 says 0"),
        ("/sys/block/md0/md/raid_disks", "3", "/sys/block/md0/md/raid_disks: node1 says 2, node2 says 3"),
        ("/sys/block/md0/md/component_size", "7", "/sys/block/md0/md/component_size: node1 says 130048, node2 says 7"),
        (
            "/sys/block/md0/md/dev-vdb/state", "in_sync",
            "/sys/block/md0/md/dev-vdb/state: node1 says faulty, node2 says in_sync"
        ),
        ("/sys/block/md0/md/dev-vda/slot", "1", "/sys/block/md0/md/dev-vda/slot: node1 says 0, node2 says 1"),
        (
            "/sys/block/md0/md/dev-vdd/state", "spare",
            "/sys/block/md0/md/dev-vdd: node1 says no such member, node2 says a member"
        ),
    ]) func everyDifferenceIsNamed(file: String, content: String, text: String) {
        var other = files()
        other[file] = content + "\n"
        let result = judge(other)
        #expect(result.answer == .fails)
        #expect(result.findings.map(\.text).contains(text), "\(result.findings.map(\.text))")
    }

    @Test func eachNodeIsComparedWithTheSuperblocks() {
        var bent = blocks
        bent[0].raidDisks = 3
        bent[0].size = 1
        bent[0].roles = [.active(1), .active(1), .spare]
        let result = judge(nil, blocks: bent)
        #expect(result.answer == .fails)
        #expect(
            result.findings.map(\.text) == [
                "/sys/block/md0/md/raid_disks is 2, the superblock of vda says 3",
                "/sys/block/md0/md/component_size is 130048 KiB, the superblock of vda says 1 sectors",
                "/sys/block/md0/md/dev-vda is slot 0, the superblock of vda gives it slot 1",
                "/sys/block/md0/md/dev-vdb is faulty or spare, the superblock of vda gives it slot 1",
            ])
    }

    @Test func membersInSyncMustHaveTheSameEvents() {
        var both = files()
        both["/sys/block/md0/md/dev-vdb/state"] = "in_sync\n"
        both["/sys/block/md0/md/dev-vdb/slot"] = "1\n"
        let view = NodeArray.running(in: snapshot(node1, both))
        let result = AgreementCheck.result([node1: view], superblocks: [node1: blocks])
        #expect(result.answer == .fails)
        #expect(result.findings[0].text == "the superblock of vdb has events 20, that of vda 30, and both are in sync")
    }

    @Test func aStoppedArrayIsLeftOutAndSaid() {
        let result = judge(["/sys/block/md0/md/array_state": "clear\n"])
        #expect(result.answer == .holds)
        #expect(result.seen[0] == "node2: no array runs there; left out")
    }

    @Test func anArrayThatIsNotAtRestIsNotDecided() {
        var busy = files()
        busy["/sys/block/md0/md/sync_action"] = "recover\n"
        let result = judge(busy)
        #expect(result.answer == .notDecided)
        #expect(result.findings[0].text == "/sys/block/md0/md/sync_action says recover: the array is not at rest")
    }

    @Test func nothingToCompareIsNotDecided() {
        #expect(AgreementCheck.result([:], superblocks: [:]).answer == .notDecided)
        #expect(judge(files(), blocks: []).answer == .notDecided)
        var none = files()
        none["/sys/block/md0/md/dev-vda/state"] = "faulty\n"
        let view = NodeArray.running(in: snapshot(node1, none))
        #expect(AgreementCheck.result([node1: view], superblocks: [node1: blocks]).answer == .notDecided)
    }

    @Test func garbageInSysfsIsADifferenceNotACrash() {
        var other = files()
        for key in other.keys where key != "/sys/block/md0/md/array_state" {
            other[key] = String(repeating: "\u{fffd},", count: 20_000)
        }
        #expect(judge(other).answer != .holds)
        #expect(NodeArray.running(in: snapshot(node1, ["/sys/block//md/array_state": "", "/": "", "": ""])).isEmpty)
    }
}
