// SPDX-License-Identifier: GPL-2.0
import Comparison
import Foundation

extension ComparisonWording {
    /// A table of all messages: times of the sender from its token, of each receiver from its bast.
    static func table(_ exchanges: [MessageExchange]) -> String {
        if exchanges.isEmpty { return "no message was sent, or the events do not conform" }
        var lines = ["messages, in the order of the run; milliseconds since token EX was granted, or since the bast"]
        for (number, item) in exchanges.enumerated() {
            let from = item.token ?? item.begun
            lines.append(
                "  \(number + 1)  \(item.type)\(isAboutDevice(item.type) ? " \(item.device)" : "")  \(item.sender) "
                    + "\(item.comm)-\(item.pid)  token \(seconds(from))  "
                    + cells(
                        from,
                        [
                            ("message EX", item.locked), ("CW", item.published), ("ack EX", item.acknowledged),
                            ("CR", item.restored), ("end", item.ended),
                        ]) + (item.result.map { $0 == 0 ? "" : "  returns \($0)" } ?? ""))
            for receiver in item.receivers {
                let from = receiver.bast ?? receiver.read ?? 0
                lines.append(
                    "       \(receiver.node) \(receiver.comm)-\(receiver.pid)  bast \(seconds(from))  "
                        + cells(
                            from,
                            [
                                ("message CR", receiver.read), ("md_reload_sb", receiver.reloadBegun),
                                ("returns", receiver.reloadEnded), ("ack NL", receiver.acknowledged),
                                ("message NL", receiver.ended),
                            ]))
            }
            if item.receivers.isEmpty { lines.append("       nobody else was in the array") }
        }
        return lines.joined(separator: "\n")
    }

    private static func isAboutDevice(_ type: String) -> Bool {
        ["METADATA_UPDATED", "NEWDISK", "REMOVE", "RE_ADD"].contains(type)
    }

    private static func seconds(_ time: UInt64) -> String { String(format: "%.6f", Double(time) / 1e9) }

    private static func cells(_ from: UInt64, _ cells: [(String, UInt64?)]) -> String {
        cells.compactMap { name, time in
            time.map { "\(name) \(String(format: "%.1f", Double(Int64(bitPattern: $0 &- from)) / 1e6))" }
        }.joined(separator: "  ")
    }
}
