// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import RunRecord
import Testing

@testable import Conformance

@Suite struct LockTableTests {
    /// Rows of a real hang (6.1, two nodes), as the master of the resources shows them.
    private let master = """
        id nodeid remid pid xid exflags flags sts grmode rqmode time_ms r_nodeid r_len r_name
        a 2 4 129 0 4 10000 3 1 5 3134464 0 3 "ack"
        4 0 0 131 0 4 0 2 1 -1 3172767 0 3 "ack"
        1 1 7 131 0 c 0 2 2 -1 3176536 1 7 "message"
        """

    private func read(_ text: String) -> [LockRow]? {
        LockRow.rows(
            in: NodeSnapshot(
                node: node1, label: "final", time: 0, uptime: 0, files: ["/sys/kernel/debug/dlm/aa_locks": text],
                threads: [], arrays: nil))
    }

    @Test func ownersAreWorkedOut() throws {
        let rows = try #require(read(master))
        #expect(rows.map(\.owner) == [node2, node1, node1])
        #expect(rows.map(\.fromMaster) == [true, true, false])
        #expect(rows.map(\.resource) == [.ack, .ack, .message])
        #expect(rows.map(\.status) == [.converting, .granted, .granted])
        #expect(rows[0].granted == .cr && rows[0].requested == .ex && rows[0].age == 3.134464)
    }

    @Test func garbageAndCutLinesArePassedOver() {
        #expect(read("") == [])
        #expect(read(String(master.prefix(150)))?.count == 1)
        #expect(read(String(repeating: "9 ", count: 100_000)) == [])
        // A status that DLM does not have on a queue.
        #expect(read("a 2 4 129 0 4 10000 9 1 5 3134464 0 3 \"ack\"\n") == [])
        #expect(read("\u{0}\u{ff}\n\n\"\"\"\n") == [])
    }

    @Test func noTableIsNotAnEmptyTable() {
        let snapshot = NodeSnapshot(
            node: node1, label: "final", time: 0, uptime: 0, files: [:], threads: [], arrays: nil)
        #expect(LockRow.rows(in: snapshot) == nil)
        #expect(!ClusterMoment(label: "final", snapshots: [snapshot], dead: []).hasLocks)
    }
}
