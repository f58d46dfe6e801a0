// SPDX-License-Identifier: GPL-2.0

/// A node of the cluster, counted from 1: corosync's and DLM's nodeid, and md's slot when nodes join in order.
public struct NodeID: RawRepresentable, Hashable, Sendable, Codable, Comparable {
    public var rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }
    public init(_ value: Int) { rawValue = value }

    /// "node1" and so on; nil for anything else.
    public init?(name: some StringProtocol) {
        guard name.hasPrefix("node"), let number = Int(name.dropFirst(4)), number > 0 else { return nil }
        rawValue = number
    }

    public static func < (left: NodeID, right: NodeID) -> Bool { left.rawValue < right.rawValue }
}

extension NodeID: CustomStringConvertible {
    public var description: String { "node\(rawValue)" }
}
