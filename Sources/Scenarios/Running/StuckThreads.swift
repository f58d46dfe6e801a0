// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol

/// A thread that sleeps uninterruptibly, as a light look at /proc saw it.
struct StuckThread: Hashable, Sendable {
    var node: NodeID
    var pid: Int
    var comm: String
    /// /proc/PID/stack, innermost first.
    var stack: [String]
}

/// The watchdog's light look at a node: threads in D state with their stacks, read by one shell command. It leaves
/// nothing in the record; a full snapshot is taken only when something looks stuck.
enum LightLook {
    /// A line "@PID (COMM) D ..." for each thread in D state, then the lines of its stack. Only built-ins of busybox's
    /// shell and cat.
    static let script = """
        for d in /proc/[0-9]*; do { read -r s < $d/stat; } 2>/dev/null || continue; \
        case "${s##*) }" in D*) echo "@$s"; cat $d/stack 2>/dev/null;; esac; done
        """

    static let argv = ["/bin/busybox", "sh", "-c", script]

    static func parse(_ output: String, node: NodeID) -> [StuckThread] {
        var threads: [StuckThread] = []
        for line in output.split(separator: "\n").prefix(10_000) {
            if line.hasPrefix("@") {
                guard let open = line.firstIndex(of: "("), let close = line.lastIndex(of: ")"), open < close,
                    let pid = Int(line[line.index(after: line.startIndex)..<open].filter { $0 != " " })
                else { continue }
                threads.append(
                    StuckThread(node: node, pid: pid, comm: String(line[line.index(after: open)..<close]), stack: []))
            } else if !threads.isEmpty {
                threads[threads.count - 1].stack.append(frame(line))
            }
        }
        return threads.filter(\.concernsMD)
    }

    /// "[<0>] dlm_lock_sync+0x99/0xc0 [md_cluster]" without the address.
    private static func frame(_ line: Substring) -> String {
        guard line.hasPrefix("["), let end = line.firstIndex(of: "]") else { return String(line.prefix(200)) }
        return String(line[line.index(after: end)...].drop { $0 == " " }.prefix(200))
    }
}

extension StuckThread {
    /// Whether it is one of md's threads, or a program inside md or its cluster code, and may be part of a hang.
    ///
    /// `dlm_lock_sync_interruptible` is not: `resync_start` waits there for as long as another node's resync takes.
    var concernsMD: Bool {
        if stack.contains(where: { $0.hasPrefix("dlm_lock_sync_interruptible+") }) { return false }
        return ThreadRole(comm: comm) != .other
            || stack.contains { frame in
                ["[md_cluster]", "[md_mod]", "[raid1]", "[raid10]"].contains { frame.hasSuffix($0) }
            }
    }
}
