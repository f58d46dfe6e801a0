// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace

/// A node's events as text, one a line with tabs between the fields: what a trace.dat says that the checks look at, in
/// a hundredth of its size. Recorded runs under Tests/Fixtures/runs are kept in it.
///
///     TIME PID COMM in __sendmsg type=0,raid_slot=0
///     TIME PID COMM dlm dlm_lock_start LOCKSPACE LOCK RESOURCE MODE FLAGS STATUS
public enum EventText {
    /// Functions whose calls by the function tracer matter: there is no kprobe on them, or not in every record.
    static let functions: Set<String> = [
        "md_reload_sb", "mddev_unlock", "md_check_recovery", "load_bitmaps", "resync_start_notify",
    ]

    public static func write(_ events: [KernelEvent]) -> String {
        var lines: [String] = []
        for event in events {
            let body: [String]
            switch event.body {
            case .function(let name, let caller) where functions.contains(name): body = ["fn", name, caller]
            case .entry(let function, let arguments):
                // Pointers say nothing.
                let kept = arguments.filter { ["type", "raid_slot", "nr", "ack"].contains($0.key) }.sorted {
                    $0.key < $1.key
                }
                body = [
                    "in", function, kept.isEmpty ? "-" : kept.map { "\($0.key)=\($0.value)" }.joined(separator: ","),
                ]
            case .exit(let function, let value): body = ["out", function, value.map(String.init) ?? "-"]
            case .dlm(let dlm):
                body = [
                    "dlm", dlm.kind.rawValue, String(dlm.lockspace), String(dlm.lock), dlm.resource.rawValue,
                    dlm.mode.map { String($0.rawValue) } ?? "-", String(dlm.flags),
                    dlm.status.map { String($0) } ?? "-",
                ]
            case .lost(let number): body = ["lost", String(number)]
            default: continue
            }
            lines.append(([String(event.time), String(event.pid), event.comm] + body).joined(separator: "\t"))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    public static func read(_ text: String, node: NodeID) throws -> [KernelEvent] {
        try text.split(separator: "\n").enumerated().map { index, line in
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard fields.count > 4, let time = UInt64(fields[0]), let pid = Int(fields[1]) else {
                throw Malformed(line: index + 1)
            }
            guard let body = body(Array(fields[3...])) else { throw Malformed(line: index + 1) }
            return KernelEvent(node: node, index: index, time: time, cpu: 0, pid: pid, comm: fields[2], body: body)
        }
    }

    public struct Malformed: Error, Equatable {
        public var line: Int
        public init(line: Int) { self.line = line }
    }

    private static func body(_ fields: [String]) -> KernelEvent.Body? {
        switch (fields[0], fields.count) {
        case ("fn", 3): return .function(name: fields[1], caller: fields[2])
        case ("in", 3):
            var arguments: [String: Int64] = [:]
            for pair in fields[2].split(separator: ",") where pair != "-" {
                let parts = pair.split(separator: "=")
                guard parts.count == 2, let value = Int64(parts[1]) else { return nil }
                arguments[String(parts[0])] = value
            }
            return .entry(function: fields[1], arguments: arguments)
        case ("out", 3): return .exit(function: fields[1], value: Int64(fields[2]))
        case ("dlm", 8):
            guard let kind = DLMEvent.Kind(rawValue: fields[1]), let lockspace = UInt32(fields[2]),
                let lock = UInt32(fields[3]),
                let flags = UInt32(fields[6])
            else { return nil }
            return .dlm(
                DLMEvent(
                    kind: kind, lockspace: lockspace, lock: lock, resource: LockResource(rawValue: fields[4]),
                    mode: Int8(fields[5]).map { LockMode(rawValue: $0) }, flags: flags, status: Int32(fields[7])))
        case ("lost", 2): return UInt64(fields[1]).map { .lost($0) }
        default: return nil
        }
    }
}
