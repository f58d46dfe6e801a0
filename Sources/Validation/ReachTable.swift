// SPDX-License-Identifier: GPL-2.0

/// Which functions of drivers/md which scenarios reach, as runs with line counters showed it (kernel-tests/reach).
///
///     fail-device/raid10: __sendmsg ack_bast error md_error ...
public struct ReachTable: Sendable, Equatable {
    /// Scenario -> functions.
    public private(set) var functions: [String: Set<String>]

    public init(_ functions: [String: Set<String>] = [:]) { self.functions = functions }

    /// - Returns: nil for text with a line that is no line of the table.
    public init?(text: String) {
        functions = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard let colon = line.firstIndex(of: ":"), colon != line.startIndex else { return nil }
            functions[String(line[..<colon]), default: []].formUnion(
                line[line.index(after: colon)...].split(separator: " ").map(String.init))
        }
    }

    public var text: String {
        functions.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.sorted().joined(separator: " "))\n" }.joined()
    }

    public mutating func add(_ scenario: String, _ reached: some Sequence<String>) {
        functions[scenario, default: []].formUnion(reached)
    }

    /// Scenarios that together reach as many of the functions as can be reached: those that reach most of what is left
    /// come first.
    ///
    /// - Parameter limit: at most so many.
    public func scenarios(reaching wanted: Set<String>, among names: [String], limit: Int) -> [String] {
        var (left, chosen) = (wanted, [String]())
        while chosen.count < limit {
            let gains = names.filter { !chosen.contains($0) }.map {
                ($0, functions[$0, default: []].intersection(left))
            }
            guard let best = gains.max(by: { $0.1.count < $1.1.count }), !best.1.isEmpty else { break }
            // Of equals the first: suites begin with the cheapest.
            let first = gains.first { $0.1.count == best.1.count } ?? best
            chosen.append(first.0)
            left.subtract(first.1)
        }
        // With room left, more runs of the same functions: a rare fault needs more than one scenario.
        for name in names.sorted(by: { count(wanted, $0) > count(wanted, $1) })
        where chosen.count < limit && !chosen.contains(name) && count(wanted, name) > 0 {
            chosen.append(name)
        }
        return chosen
    }

    private func count(_ wanted: Set<String>, _ name: String) -> Int {
        functions[name, default: []].intersection(wanted).count
    }

    /// Those that no scenario reaches.
    public func unreached(_ wanted: Set<String>) -> Set<String> {
        functions.values.reduce(wanted) { $0.subtracting($1) }
    }
}
