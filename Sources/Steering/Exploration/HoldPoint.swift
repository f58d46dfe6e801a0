// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol

/// A gate on one node, without the name and the limit: where an exploration delays a thread.
///
/// As text "node1 md0_resync entry lock_token", with " 2" after it for a hold after two hits have passed.
public struct HoldPoint: Sendable, Hashable, Codable, CustomStringConvertible {
    public var node: Int
    /// The beginning of the thread's name.
    public var comm: String
    public var edge: Gate.Edge
    public var function: String
    public var skip: Int

    public init(node: Int, comm: String, edge: Gate.Edge, function: String, skip: Int = 0) {
        (self.node, self.comm, self.edge, self.function, self.skip) = (node, comm, edge, function, skip)
    }

    public var description: String {
        "node\(node) \(comm) \(edge.rawValue) \(function)" + (skip > 0 ? " \(skip)" : "")
    }

    /// nil for a text that is none.
    public init?(_ text: String) {
        let words = text.split(separator: " ").map(String.init)
        guard words.count == 4 || words.count == 5, let node = NodeID(name: words[0]),
            let edge = Gate.Edge(rawValue: words[2]), let skip = words.count == 5 ? Int(words[4]) : 0, skip >= 0
        else { return nil }
        self.init(node: node.rawValue, comm: words[1], edge: edge, function: words[3], skip: skip)
    }

    func gate(_ id: String, limit: Duration) -> Gate {
        Gate(id, at: edge, of: function, by: comm, limit: limit, skip: skip)
    }
}

/// What one run of an exploration delays: nothing, one thread, or two.
public struct DelayPlan: Sendable, Hashable, Codable, CustomStringConvertible {
    public var holds: [HoldPoint]
    public init(_ holds: [HoldPoint]) { self.holds = holds }

    public var description: String { holds.isEmpty ? "nothing" : holds.map(\.description).joined(separator: " + ") }
}
