// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol

/// What can go wrong at the gates of a node.
public enum GateError: Error, Sendable, Equatable {
    /// No gates on this node: its modules are not instrumented, or not loaded yet.
    case notInstrumented(NodeID)
    /// No loaded instrumented module has this function.
    case unknownFunction(String, NodeID)
    /// The gate itself is wrong; nothing was asked of the node.
    case badGate(Gate, GateFault)
    /// The module refused the line although nothing seems wrong with it.
    case refused(line: String, NodeID)
    /// A gate of this name is armed, or holds a thread.
    case alreadyArmed(String, NodeID)
    case tooManyGates(NodeID)
    case unknownGate(String, NodeID)
    /// The thread came where it must not sleep: it was not held.
    case atomicContext(GateState, NodeID)
    /// Nobody came in `seconds`. `instead` is where the threads of that name were at the end of them.
    case neverArrived(GateState, NodeID, seconds: Double, instead: [ThreadPlace])
    /// The thread was held and has gone: the limit was over before anybody looked, or somebody released it.
    case gone(GateState, NodeID)
    /// A line of the module's files that says nothing that is known.
    case unreadable(line: String)
}

/// Where a thread of a node was.
public struct ThreadPlace: Sendable, Equatable {
    public var pid: Int
    public var comm: String
    /// The state letter of /proc/PID/stat.
    public var state: String
    /// /proc/PID/stack, innermost first: "dlm_lock_sync+0x99/0xc0 [md_cluster]".
    public var stack: [String]

    public init(pid: Int, comm: String, state: String, stack: [String]) {
        (self.pid, self.comm, self.state, self.stack) = (pid, comm, state, stack)
    }
}
