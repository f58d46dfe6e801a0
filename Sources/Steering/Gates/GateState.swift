// SPDX-License-Identifier: GPL-2.0

/// A gate as the node's `gates` file shows it.
public struct GateState: Sendable, Equatable {
    public enum Stage: String, Sendable {
        /// Nobody has come yet.
        case armed
        /// A thread sleeps there.
        case held
        /// It was let go, or the gate was released before anybody came.
        case released
        /// It was let go because the limit was over.
        case expired
        /// A thread came where it must not sleep, and went on: the gate is spent.
        case atomic
    }

    public var id: String
    public var stage: Stage
    public var function: String
    public var edge: Gate.Edge
    /// The prefix it was armed with, cut as the kernel cuts names.
    public var comm: String
    /// Who came; nil until then.
    public var pid: Int?
    /// All that came by, before, at and after the hold.
    public var hits: Int
    /// Those of them that were let by because of `Gate.skip`.
    public var skipped: Int
    /// Milliseconds of guest time, still growing while it is held.
    public var held: Int
    /// The name of who came; nil until then.
    public var thread: String?

    /// The lines of a `gates` file.
    public static func states(in text: String) throws(GateError) -> [GateState] {
        var states: [GateState] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: true) { states.append(try GateState(line)) }
        // The module ends every line; a file that was cut does not.
        if !text.isEmpty, text.last != "\n" { throw .unreadable(line: String(text.suffix(100))) }
        return states
    }

    /// `ID STATE FUNCTION entry|return COMM PID HITS SKIPPED HELD_MS THREAD`; THREAD may have blanks in it.
    init(_ line: some StringProtocol) throws(GateError) {
        let words = Substring(line).split(separator: " " as Character, maxSplits: 9, omittingEmptySubsequences: false)
            .map(String.init)
        guard words.count == 10, let stage = Stage(rawValue: words[1]), let edge = Gate.Edge(rawValue: words[3]),
            let pid = Int(words[5]), let hits = Int(words[6]), let skipped = Int(words[7]), let held = Int(words[8]),
            pid >= 0, hits >= 0, skipped >= 0, held >= 0, !words[0].isEmpty, !words[2].isEmpty, !words[4].isEmpty,
            !words[9].isEmpty
        else { throw .unreadable(line: String(line.prefix(100))) }
        id = words[0]
        self.stage = stage
        function = words[2]
        self.edge = edge
        comm = words[4]
        self.pid = pid == 0 ? nil : pid
        self.hits = hits
        self.skipped = skipped
        self.held = held
        thread = pid == 0 ? nil : words[9]
    }
}
