// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import RunRecord

/// Events that a node's tracer did not record and that its trace cannot mark as lost: what the ring buffer refused, and
/// the returns for which a probe had no room. A node's last snapshot has the tracer's own counts.
struct TraceLosses: Equatable {
    var node: NodeID
    /// "dropped events" of a CPU's ring buffer, or the probe's name.
    var what: String
    var count: UInt64

    /// - Parameter hasGaps: the trace marks losses already; then what it overran is no news.
    static func all(in snapshot: NodeSnapshot, hasGaps: Bool) -> [TraceLosses] {
        var losses: [TraceLosses] = []
        func add(_ what: String, _ count: UInt64) {
            if count > 0 { losses.append(TraceLosses(node: snapshot.node, what: what, count: count)) }
        }
        for (path, text) in snapshot.files.sorted(by: { $0.key < $1.key }) {
            if path.hasPrefix("/sys/kernel/tracing/per_cpu/"), path.hasSuffix("/stats") {
                let cpu = path.split(separator: "/").dropLast().last ?? "?"
                for line in text.split(separator: "\n") {
                    let parts = line.split(separator: ":", maxSplits: 1)
                    guard parts.count == 2, let count = UInt64(parts[1].trimmed) else { continue }
                    switch parts[0] {
                    case "dropped events", "commit overrun": add("\(parts[0]) of \(cpu)", count)
                    case "overrun": if !hasGaps { add("overrun of \(cpu)", count) }
                    default: continue
                    }
                }
            } else if path == "/sys/kernel/tracing/kprobe_profile" {
                // "  NAME  HITS  MISSES"
                for line in text.split(separator: "\n") {
                    let fields = line.split(whereSeparator: \.isWhitespace)
                    if fields.count == 3, let count = UInt64(fields[2]) {
                        add("misses of the probe \(fields[0])", count)
                    }
                }
            }
        }
        return losses
    }
}

extension Substring {
    fileprivate var trimmed: Substring { drop { $0 == " " || $0 == "\t" }.prefix { $0.isNumber } }
}
