// SPDX-License-Identifier: GPL-2.0
import Conformance
import RunRecord

extension HangPicture {
    /// The waits that cannot end in the last sets of snapshots that a watchdog took; empty for a run that did not hang.
    static func all(in snapshots: [NodeSnapshot]) -> [HangPicture] {
        let label = snapshots.filter { $0.label.hasPrefix("hang") }.max { $0.time < $1.time }?.label
        let last = snapshots.filter { $0.label == label }
        return HangCheck.hangs(in: snapshots).map { hang in
            HangPicture(
                title: title(of: hang), isCycle: hang.nobody == nil,
                waiters: hang.edges.map { edge in
                    let thread = last.first { $0.node == edge.from.node }?.threads.first { $0.pid == edge.from.pid }
                    let name = "\(edge.from.node) \(edge.from.comm)"
                    let parts = Self.parts(of: edge.line, after: name)
                    return Waiter(
                        thread: "\(name)-\(edge.from.pid)", place: parts.place, waitsFor: parts.waitsFor,
                        stack: thread?.stack ?? [])
                })
        }
    }

    private static func title(of hang: WaitGraph.Hang) -> String {
        guard let nobody = hang.nobody else { return "\(hang.edges.count) threads wait for each other" }
        return "\(hang.edges.last.map { "\($0.from.node) \($0.from.comm)" } ?? "a thread") waits for \(nobody.rawValue)"
    }

    /// "node1 md0_raid1: dlm_lock_sync(token, EX) <- ... waits for node2 md0_raid1, which holds token EX" in two.
    private static func parts(of line: String, after name: String) -> (place: String, waitsFor: String) {
        var rest = line[...]
        if rest.hasPrefix(name + ": ") { rest = rest.dropFirst(name.count + 2) }
        guard let found = rest.firstRange(of: " waits for ") else { return (String(rest), "") }
        return (String(rest[..<found.lowerBound]), String(rest[found.upperBound...]))
    }
}
