// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Conformance
import KernelTrace
import VirtualCluster

/// A thread that a schedule may speak of, as one look at /proc saw it.
struct SeenThread: Sendable, Equatable {
    var pid: Int
    var comm: String
    /// The state letter of /proc/PID/stat.
    var state: String
    /// Kernel functions, innermost first.
    var functions: [String]
    /// Whether a frame is in md or md-cluster.
    var isInMD: Bool

    /// "dlm_lock_sync <- lock_comm <- sendmsg", from the function that decided to sleep.
    var text: String {
        if functions.isEmpty { return state == "R" ? "running" : "in user space" }
        let asleep = functions.drop { Frames.sleeping.contains($0) }
        return asleep.prefix(6).joined(separator: " <- ")
    }

    /// A daemon of md that waits for something to do.
    var isAtRest: Bool { functions.first { !Frames.sleeping.contains($0) } == "md_thread" }
}

/// Looks at md's threads and at the processes of operations on one node, by one shell command.
struct ThreadLook: Sendable {
    /// The names of processes that count.
    let programs: Set<String>

    private var script: String {
        let patterns = (["*\"(md0_\"*"] + programs.sorted().map { "*\"(\($0))\"*" }).joined(separator: "|")
        return "for d in /proc/[0-9]*; do { read -r s < $d/stat; } 2>/dev/null || continue; "
            + "case \"$s\" in \(patterns)) echo \"@$s\"; cat $d/stack 2>/dev/null;; esac; done"
    }

    func look(at node: any NodeControl, limit: Duration) async throws -> [SeenThread] {
        Self.parse(try await node.run(["/bin/busybox", "sh", "-c", script], limit: limit).output)
    }

    /// A line "@PID (COMM) STATE ..." for each thread, then the lines of its stack. What is no such line is left out.
    static func parse(_ output: String) -> [SeenThread] {
        var threads: [SeenThread] = []
        for line in output.split(separator: "\n").prefix(10_000) {
            if line.hasPrefix("@") {
                guard let open = line.firstIndex(of: "("), let close = line.lastIndex(of: ")"), open < close,
                    let pid = Int(line[line.index(after: line.startIndex)..<open].filter { $0 != " " }),
                    let state = line[line.index(after: close)...].split(separator: " ").first
                else { continue }
                threads.append(
                    SeenThread(
                        pid: pid, comm: String(line[line.index(after: open)..<close]), state: String(state),
                        functions: [], isInMD: false))
            } else if !threads.isEmpty, let frame = StackFrame(line) {
                threads[threads.count - 1].functions.append(frame.function)
                if let module = frame.module, ["md_mod", "md_cluster", "raid1", "raid10"].contains(module) {
                    threads[threads.count - 1].isInMD = true
                }
            }
        }
        return threads
    }
}

extension Schedule {
    /// The thread that a name means among those that were seen. Of several processes of one name, the one inside md.
    func find(_ thread: ScheduledThread, among seen: [SeenThread]) -> SeenThread? {
        if case .operation = thread.kind {
            let same = seen.filter { $0.comm == comm(of: thread) }
            return same.first { $0.isInMD } ?? same.first { !$0.functions.isEmpty } ?? same.first
        }
        return seen.first { ThreadRole(comm: $0.comm) == thread.role }
    }

    /// The names of the processes of its operations.
    var programs: Set<String> { Set(operations.map(\.comm)) }
}
