// SPDX-License-Identifier: GPL-2.0
/// Two steps of md-cluster.c that meet (`StepTable`), in this order: a thread took the first one while another was
/// about to take the second.
///
/// Both orders of two steps are two pairs. Who waits for a mutex is about to take it, so a pair is met by contention,
/// too.
public struct StepPair: Hashable, Sendable, Comparable {
    public var first: String
    public var second: String
    /// The threads are of different nodes.
    public var isAcross: Bool

    public init(first: String, second: String, isAcross: Bool) {
        (self.first, self.second, self.isAcross) = (first, second, isAcross)
    }

    /// The functions of both steps: what pairs are grouped by.
    public var functions: Functions {
        Functions(first: StepNames.function(of: first), second: StepNames.function(of: second), isAcross: isAcross)
    }

    public struct Functions: Hashable, Sendable, Comparable {
        public var first: String
        public var second: String
        public var isAcross: Bool
        public static func < (left: Functions, right: Functions) -> Bool {
            (left.first, left.second, left.isAcross ? 1 : 0) < (right.first, right.second, right.isAcross ? 1 : 0)
        }
    }

    public static func < (left: StepPair, right: StepPair) -> Bool {
        (left.first, left.second, left.isAcross ? 1 : 0) < (right.first, right.second, right.isAcross ? 1 : 0)
    }
}
