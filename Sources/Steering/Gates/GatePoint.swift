// SPDX-License-Identifier: GPL-2.0

/// One place that threads came by while hits were recorded: where a gate could have held them.
public struct GatePoint: Sendable, Equatable, Codable {
    public var function: String
    public var edge: Gate.Edge
    public var hits: Int
    /// Those of them at which sleeping is forbidden.
    public var atomic: Int
    /// Microseconds of guest time from the start of the recording to the first hit.
    public var first: Int
    /// The function's module, as lsmod says it: "md_cluster".
    public var module: String
    /// The thread's name.
    public var comm: String

    /// The lines of a `points` file, in the order of the first hits. A last line may say that hits were not counted.
    public static func points(in text: String) throws(GateError) -> [GatePoint] {
        if !text.isEmpty, text.last != "\n" { throw .unreadable(line: String(text.suffix(100))) }
        var points: [GatePoint] = []
        for line in text.split(separator: "\n") where !line.hasPrefix("#") { points.append(try GatePoint(line)) }
        return points
    }

    /// `FUNCTION entry|return HITS ATOMIC FIRST_US MODULE COMM`; COMM may have blanks in it.
    init(_ line: some StringProtocol) throws(GateError) {
        let words = Substring(line).split(separator: " " as Character, maxSplits: 6, omittingEmptySubsequences: false)
            .map(String.init)
        guard words.count == 7, let edge = Gate.Edge(rawValue: words[1]), let hits = Int(words[2]),
            let atomic = Int(words[3]), let first = Int(words[4]), hits > 0, atomic >= 0, atomic <= hits, first >= 0,
            !words[0].isEmpty, !words[5].isEmpty, !words[6].isEmpty
        else { throw .unreadable(line: String(line.prefix(100))) }
        (function, self.edge, self.hits, self.atomic, self.first) = (words[0], edge, hits, atomic, first)
        (module, comm) = (words[5], words[6])
    }
}
