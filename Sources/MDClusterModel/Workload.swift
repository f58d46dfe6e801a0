// SPDX-License-Identifier: GPL-2.0

/// What the nodes do: for each node its processes, and for each process its operations, one after the other.
///
///     fail            every node fails its device
///     fail,remove     ... and then removes it
///     fail/resync     node 1 fails its device, node 2 begins a resync; further nodes do nothing
///     fail+grow/      two processes of node 1 do one thing each, at the same time
public struct Workload: Hashable, Sendable {
    /// [node][process][operation], nodes from 0.
    public var processes: [[[String]]]
    public var text: String

    public init(_ text: String, nodes: Int) throws(ModelError) {
        self.text = text
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { part in
            part.split(separator: "+").map { $0.split(separator: ",").map(String.init) }.filter { !$0.isEmpty }
        }
        guard parts.count == 1 || parts.count <= nodes else { throw .tooManyParts(workload: text, nodes: nodes) }
        for name in parts.joined().joined() where !Operations.names.contains(name) {
            throw .unknownOperation(name, known: Operations.names)
        }
        if parts.allSatisfy(\.isEmpty) { throw .emptyWorkload(known: Operations.names) }
        processes = (0..<nodes).map { parts.count == 1 ? parts[0] : ($0 < parts.count ? parts[$0] : []) }
    }

    /// Whether a node's processes name an operation.
    func uses(_ operation: String) -> Bool { processes.joined().joined().contains(operation) }

    func uses(_ operation: String, on node: Int) -> Bool { processes[node].joined().contains(operation) }

    public static let operationNames = Operations.names
}

/// What is wrong with a request for a model.
public enum ModelError: Error, Hashable, Sendable {
    case unknownVariant(String, known: [String])
    case unknownOperation(String, known: [String])
    case unknownProcedure(String, known: [String])
    case unknownRule(String, near: [String])
    case tooManyParts(workload: String, nodes: Int)
    case emptyWorkload(known: [String])
    case unsupportedNodes(Int)
}
