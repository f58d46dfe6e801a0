// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import RunRecord

extension LockRow {
    /// The rows of every /sys/kernel/debug/dlm/LOCKSPACE_locks of a snapshot that belongs to a clustered array; nil when there is
    /// no such file. Lines that are not a row are passed over: a table read while it changes may end in the middle.
    static func rows(in snapshot: NodeSnapshot) -> [LockRow]? {
        let tables = snapshot.files.filter { $0.key.hasPrefix("/sys/kernel/debug/dlm/") && $0.key.hasSuffix("_locks") }
        if tables.isEmpty { return nil }
        return tables.sorted { $0.key < $1.key }.flatMap { _, text in
            text.split(separator: "\n").compactMap { LockRow(line: $0, seenBy: snapshot.node) }
        }
    }

    /// "id nodeid remid pid xid exflags flags sts grmode rqmode time_ms r_nodeid r_len r_name", as print_format2_lock of
    /// fs/dlm/debug_fs.c writes it. The time is microseconds, whatever the heading says.
    init?(line: Substring, seenBy viewer: NodeID) {
        let fields = line.split(separator: " ", maxSplits: 13)
        guard fields.count == 14, let holder = Int(fields[1]), let status = Int(fields[7]), let granted = Int8(fields[8]),
            let requested = Int8(fields[9]), let master = Int(fields[11]), fields[13].hasPrefix("\"")
        else { return nil }
        switch status {
        case 1: self.status = .waiting
        case 2: self.status = .granted
        case 3: self.status = .converting
        default: return nil
        }
        fromMaster = master == 0
        // On the master a row with a node id is that node's lock; else it is the viewer's own.
        owner = fromMaster && holder != 0 ? NodeID(holder) : viewer
        resource = LockResource(rawValue: String(fields[13].dropFirst().prefix { $0 != "\"" }))
        self.granted = LockMode(rawValue: granted)
        self.requested = LockMode(rawValue: requested)
        age = Double(fields[10]).map { $0 / 1e6 }
    }
}

extension ClusterMoment {
    /// One set of snapshots.
    init(label: String, snapshots: [NodeSnapshot], dead: Set<NodeID>) {
        self.label = label
        self.dead = dead
        time = snapshots.map(\.time).max() ?? 0
        nodes = snapshots.filter { !dead.contains($0.node) }.map {
            Node(node: $0.node, threads: $0.threads, locks: LockRow.rows(in: $0), arrays: $0.arrays)
        }
    }
}
