// SPDX-License-Identifier: GPL-2.0
import MDClusterModel
import ProcedureModel

/// What makes md.c call md-cluster.c in a scenario: on which node, and what before what.
public struct CallerScript: Hashable, Sendable {
    /// What somebody does to the array of a node.
    public enum Operation: String, Sendable, CaseIterable {
        case assemble, stop
        /// Whatever makes md_update_sb write: a device fails, a flag of a device is set.
        case update
        case remove
        case reAdd = "re-add"
        case add
        /// The device cannot be bound to the array when the others have confirmed it.
        case addUnbound = "add-unbound"
        /// The answers to a NEWDISK, given when it comes.
        case confirm, refuse
        case grow, resync
        /// BITMAP_RESIZE, which a reshape sends.
        case resizeBitmap = "resize-bitmap"
        case crash
    }

    public struct Call: Hashable, Sendable {
        /// From 0.
        public var node: Int
        public var operation: Operation
        public init(_ operation: Operation, on node: Int) { (self.node, self.operation) = (node, operation) }
    }

    public var nodes: Int
    /// Those of a phase run at the same time; a phase begins when the calls of the one before have returned, the
    /// array's thread has written what it had to, and no resync is going on.
    public private(set) var phases: [[Call]] = []

    public init(nodes: Int) { self.nodes = nodes }

    /// The array is assembled on one node, then on the others.
    public static func assembled(nodes: Int) -> CallerScript {
        var script = CallerScript(nodes: nodes)
        script.append([Call(.assemble, on: 0)])
        script.append((1..<nodes).map { Call(.assemble, on: $0) })
        return script
    }

    /// Calls of a phase that are there twice, and a phase that only repeats the one before, are left out: they reach
    /// nothing more.
    public mutating func append(_ calls: [Call]) {
        var once: [Call] = []
        for call in calls where !once.contains(call) { once.append(call) }
        if !once.isEmpty, phases.last != once { phases.append(once) }
    }

    /// What a scenario can be made of, one thing at a time and the same thing on both nodes.
    public static let standard: [(operation: Operation, script: CallerScript)] = {
        func script(_ calls: [Call]) -> CallerScript {
            var script = assembled(nodes: 2)
            script.append(calls)
            return script
        }
        return Operation.allCases.flatMap { operation in
            let own = Call(operation, on: 0)
            let calls: [[Call]] =
                switch operation {
                case .assemble: [[Call(.update, on: 0)]]
                case .confirm, .refuse: [[Call(.add, on: 1), own]]
                case .addUnbound: [[own, Call(.confirm, on: 1)]]
                case .crash: [[Call(.crash, on: 1), Call(.update, on: 0)]]
                default: [[own, Call(operation, on: 1)], [own, Call(.update, on: 1)]]
                }
            return calls.map { (operation, script($0)) }
        }
    }()

    public var operations: Set<Operation> { Set(phases.joined().map(\.operation)) }
}
