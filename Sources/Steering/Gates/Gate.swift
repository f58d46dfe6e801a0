// SPDX-License-Identifier: GPL-2.0

/// A place at which a thread is held: the entry or return of a function of an instrumented module, for one thread.
///
///     Gate("resync", at: .entry, of: "resync_info_update", by: "md0_resync", limit: .seconds(60))
///
/// It holds once, the first thread whose name begins with `comm`, after `skip` others have passed. Static and inlined
/// functions have gates as well. At its entry a function has done nothing yet; at its return it has done everything,
/// and its caller does not know.
public struct Gate: Sendable, Codable, Hashable {
    public enum Edge: String, Sendable, Codable { case entry, `return` }

    /// A name without blanks, at most 31 bytes, that no other gate of the node has.
    public var id: String
    public var edge: Edge
    public var function: String
    /// The beginning of `current->comm`; "*" is any thread. The kernel keeps 15 bytes of a name, and so does the gate.
    public var comm: String
    /// Milliseconds of guest time after which the gate lets go by itself, 1 to `longestLimit`.
    public var limit: Int
    /// So many hits pass first.
    public var skip: Int

    /// LONGEST_LIMIT_MS of mdlab_gate.c.
    public static let longestLimit = 600_000
    /// What MDLAB_GATE_ID_LEN and MDLAB_GATE_FUNCTION_LEN leave for names.
    static let longestID = 31
    static let longestFunction = 63

    public init(
        _ id: String, at edge: Edge, of function: String, by comm: String, limit: Duration, skip: Int = 0
    ) {
        self.id = id
        self.edge = edge
        self.function = function
        self.comm = comm
        self.limit = Int((limit / .milliseconds(1)).rounded())
        self.skip = skip
    }

    /// What is written to `control`.
    var line: String { "arm \(id) \(edge.rawValue) \(function) \(comm) \(limit) \(skip)" }

    /// Why the module would refuse it, whatever functions there are; nil when it would not.
    public var fault: GateFault? {
        func isWord(_ text: String, longest: Int) -> Bool {
            !text.isEmpty && text.utf8.count <= longest && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
        }
        if !isWord(id, longest: Self.longestID) { return .id(id) }
        if !isWord(function, longest: Self.longestFunction) { return .function(function) }
        if !isWord(comm, longest: 64) { return .comm(comm) }
        if !(1...Self.longestLimit).contains(limit) { return .limit(limit) }
        if !(0...Int(UInt32.max)).contains(skip) { return .skip(skip) }
        return nil
    }
}

/// What is wrong with a gate.
public enum GateFault: Sendable, Equatable {
    case id(String)
    case function(String)
    case comm(String)
    /// Milliseconds.
    case limit(Int)
    case skip(Int)
}
