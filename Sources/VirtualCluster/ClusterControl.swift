// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Glibc
import RunRecord

/// What came of a command on a node.
public struct CommandResult: Sendable, Equatable {
    /// The exit status, or 128 plus the signal that ended it, as a shell says it.
    public var status: Int32
    public var output: String
    public var errors: String
    public init(status: Int32, output: String, errors: String) {
        (self.status, self.output, self.errors) = (status, output, errors)
    }
}

/// A command that was started on a node and is not waited for yet.
public protocol RunningCommand: Sendable {
    /// Waits for the end, at most `limit`. Throws `ClusterFailure.commandTimedOut` and leaves the command running:
    /// a thread in D state cannot be killed anyway.
    func wait(limit: Duration) async throws -> CommandResult
}

/// What a node does when the kernel asks for a new device (the ADD_DEVICE uevent), in udev's place.
public enum ConfirmationPolicy: String, Sendable, Codable {
    /// Find the device by its UUID and run `mdadm --manage MD --cluster-confirm SLOT:DEVICE`, as mdadm's udev rule
    /// does.
    case confirm
    /// Answer SLOT:missing.
    case missing
    /// Say nothing: the kernel times out.
    case silent
}

/// What a scenario may do to one node. A `VirtualCluster` does it to a guest; tests of a runner do it to a fake.
public protocol NodeControl: Sendable {
    var id: NodeID { get }
    func run(_ argv: [String], limit: Duration) async throws -> CommandResult
    func start(_ argv: [String]) async throws -> any RunningCommand
    func read(_ path: String) async throws -> [UInt8]
    /// One write(2) of the whole text: what sysfs wants.
    func write(_ path: String, _ text: String) async throws
    func setConfirmation(_ policy: ConfirmationPolicy) async throws
    /// The threads of md, dlm and mdadm, those in D state, and those whose names begin with one of `names`. Leaves
    /// nothing in the record. Throws `commandTimedOut` after `limit`.
    func threads(named names: [String], limit: Duration) async throws -> [NodeSnapshot.Thread]
}

/// What a scenario may do to the cluster as a whole.
public protocol ClusterControl: Sendable {
    /// Sorted by id; those that died or were switched off are still here.
    var nodes: [any NodeControl] { get }
    /// Loads the md modules under test and starts tracing, on all nodes.
    func loadModules() async throws
    /// Reads the state of every living node into the record; returns what it read.
    func snapshot(_ label: String) async throws -> [NodeSnapshot]
    /// Ends a node at once, as a power cut does.
    func crash(_ node: NodeID) async throws
    /// Stops the node's virtual CPUs; DLM and corosync on the others see silence.
    func freeze(_ node: NodeID) async throws
    func thaw(_ node: NodeID) async throws
    /// Cuts the link between two nodes, or mends it.
    func setLink(_ first: NodeID, _ second: NodeID, up: Bool) async throws
    /// Appends to events.ndjson and to the terminal's progress.
    func note(_ kind: RunEvent.Kind, node: NodeID?, _ text: String, _ facts: [String: String])
}

/// Why somebody refused something.
public enum Refusal: Sendable, Equatable, ExpressibleByStringInterpolation, CustomStringConvertible {
    /// What a system call of a node said, as a positive number.
    case errno(Int32)
    case said(String)

    public init(stringLiteral text: String) { self = .said(text) }

    public var description: String {
        switch self {
        case .errno(let number): String(cString: strerror(number))
        case .said(let text): text
        }
    }
}

/// What can go wrong with a cluster: facts, worded at the edge.
public enum ClusterFailure: Error, Sendable, Equatable {
    /// The node's QEMU ended: a panic with -no-reboot, a crash, or somebody killed it.
    case nodeDied(NodeID, lastConsoleLines: [String])
    case commandTimedOut(NodeID, argv: [String], seconds: Double)
    /// The agent answered that it could not do it.
    case refused(NodeID, action: String, reason: Refusal)
    case notBooted(NodeID, seconds: Double, lastConsoleLines: [String])
    case agentVersion(NodeID, agent: Int, host: Int)
    case noCluster(NodeID, seconds: Double, reason: String)
    case qemuMissing(program: String)
    case qemuFailed(NodeID, status: Int32, errors: String)
    case noSuchNode(String, nodes: [NodeID])
    case interrupted
}
