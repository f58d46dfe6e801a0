// SPDX-License-Identifier: GPL-2.0
import RunRecord

/// The path of each METADATA_UPDATED as a small table: sender, thread, receiver, path, milliseconds.
enum UpdateTable {
    static let heading = ["sender", "thread", "receiver", "path", "ms"]
    /// More rows than this are counted, not shown: a person reads the first ones, a program reads verdict.json.
    static let most = 40

    /// Aligned lines, the heading first; empty when there was no message.
    static func rows(_ updates: [MetadataUpdate]) -> [String] {
        if updates.isEmpty { return [] }
        let table =
            [heading]
            + updates.prefix(most).map { update in
                [
                    update.sender, update.senderThread, update.receiver, update.path.rawValue,
                    milliseconds(update.handling),
                ]
            }
        let widths = heading.indices.map { column in table.map { $0[column].count }.max() ?? 0 }
        var lines = table.map { row in
            row.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                return column == row.count - 1 ? padding + row[column] : row[column] + padding
            }.joined(separator: "  ")
        }
        if updates.count > most { lines.append("and \(updates.count - most) more, see verdict.json") }
        return lines
    }

    /// One digit after the point.
    static func milliseconds(_ seconds: Double) -> String {
        guard seconds.isFinite, abs(seconds) < 1e9 else { return "?" }
        let tenths = Int((seconds * 10_000).rounded())
        return "\(tenths / 10).\(abs(tenths % 10))"
    }
}
