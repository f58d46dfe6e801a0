// SPDX-License-Identifier: GPL-2.0

/// Which functions of drivers/md which scenarios enter, and how often, as runs with line counters showed it
/// (kernel-tests/reach).
///
///     fail-device/raid10: __sendmsg=8 ack_bast=7 error=1 ...
public struct ReachTable: Sendable, Equatable {
    /// Scenario -> function -> how often it was entered.
    public private(set) var functions: [String: [String: UInt64]]

    public init(_ functions: [String: [String: UInt64]] = [:]) { self.functions = functions }

    /// - Returns: nil for text with a line that is no line of the table.
    public init?(text: String) {
        functions = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard let colon = line.firstIndex(of: ":"), colon != line.startIndex else { return nil }
            var entries: [String: UInt64] = [:]
            for word in line[line.index(after: colon)...].split(separator: " ") {
                let parts = word.split(separator: "=")
                guard parts.count == 2, let count = UInt64(parts[1]) else { return nil }
                entries[String(parts[0])] = count
            }
            functions[String(line[..<colon])] = entries
        }
    }

    public var text: String {
        functions.sorted { $0.key < $1.key }.map { name, entries in
            "\(name): " + entries.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
                + "\n"
        }.joined()
    }

    public mutating func add(_ scenario: String, _ reached: [String: UInt64]) {
        functions[scenario, default: [:]].merge(reached) { max($0, $1) }
    }

    /// Scenarios that together reach as many of the functions as can be reached. Those that reach most of what is left
    /// come first; of equals the one that enters them most often, since what is rare needs many tries.
    ///
    /// - Parameter limit: at most so many.
    public func scenarios(reaching wanted: Set<String>, among names: [String], limit: Int) -> [String] {
        var (left, chosen) = (wanted, [String]())
        func gain(_ name: String) -> (new: Int, entries: UInt64) {
            let entries = functions[name, default: [:]]
            return (left.count { entries[$0] != nil }, wanted.reduce(0) { $0 + (entries[$1] ?? 0) })
        }
        while chosen.count < limit {
            let gains = names.filter { !chosen.contains($0) }.map { (name: $0, gain: gain($0)) }
            // Of equals in everything the first: suites begin with the cheapest.
            let best = gains.max { $0.gain < $1.gain }
            guard let best, best.gain.entries > 0 else { break }
            chosen.append(best.name)
            left.subtract(functions[best.name, default: [:]].keys)
        }
        return chosen
    }

    /// Those that no scenario reaches.
    public func unreached(_ wanted: Set<String>) -> Set<String> {
        functions.values.reduce(wanted) { $0.subtracting($1.keys) }
    }
}
