// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import VirtualCluster

/// One step of a scenario, with the line of the file it came from.
public struct Step: Sendable, Equatable {
    public var action: Action
    public var line: Int

    public indirect enum Action: Sendable, Equatable {
        case run(RunStep)
        /// Waits for a command that was started in the background.
        case join(String, limit: Double)
        /// One write(2) of `text`.
        case write(text: String, path: String, on: NodeSet)
        case wait([Condition], limit: Double)
        /// Waits until nothing goes on any more on the nodes that answer: no resync, no message, no superblock to
        /// write.
        case settle(limit: Double)
        case confirm(ConfirmationPolicy, on: NodeSet)
        /// `mdadm --stop`.
        case stop(NodeSet)
        /// `mdadm --assemble` with the array's devices.
        case assemble(NodeSet)
        /// A power cut.
        case crash(NodeID)
        case freeze(NodeID)
        case thaw(NodeID)
        case link(NodeID, NodeID, up: Bool)
        /// Branches that run at the same time; the step ends when all have ended.
        case together([[Step]])
        case `repeat`(Int, [Step])
    }

    /// One line for a person: "node1: mdadm /dev/md0 --fail /dev/vdb".
    public var text: String {
        switch action {
        case .run(let run): "\(run.on): \(run.command.text)" + (run.background.map { " & (\($0))" } ?? "")
        case .join(let name, _): "wait for the end of \(name)"
        case .write(let text, let path, let nodes): "\(nodes): echo \(text) > \(path)"
        case .wait(let conditions, _): "wait until " + conditions.map(\.text).joined(separator: " and ")
        case .settle: "wait until nothing goes on any more"
        case .confirm(let policy, let nodes): "\(nodes): answer new devices with \(policy.rawValue)"
        case .stop(let nodes): "\(nodes): mdadm --stop /dev/md0"
        case .assemble(let nodes): "\(nodes): mdadm --assemble /dev/md0"
        case .crash(let node): "\(node): power cut"
        case .freeze(let node): "\(node): stop its CPUs"
        case .thaw(let node): "\(node): let its CPUs go on"
        case .link(let first, let second, let up): "\(up ? "mend" : "cut") the link between \(first) and \(second)"
        case .together(let branches): "at the same time: " + branches.compactMap(\.first?.text).joined(separator: " | ")
        case .repeat(let times, let steps): "\(times) times: " + steps.map(\.text).joined(separator: "; ")
        }
    }
}

/// A command of a scenario.
public struct RunStep: Sendable, Equatable {
    public enum Command: Sendable, Equatable {
        /// Given to the shell of the node, which is busybox with its applets.
        case shell(String)
        case argv([String])
        public var argv: [String] {
            switch self {
            case .shell(let line): ["/bin/busybox", "sh", "-c", line]
            case .argv(let argv): argv
            }
        }
        public var text: String {
            switch self {
            case .shell(let line): line.split(separator: "\n").joined(separator: "; ")
            case .argv(let argv): argv.joined(separator: " ")
            }
        }
    }
    public enum Status: Sendable, Equatable {
        case exactly(Int32)
        case nonzero
        case any
        public func accepts(_ status: Int32) -> Bool {
            switch self {
            case .exactly(let wanted): status == wanted
            case .nonzero: status != 0
            case .any: true
            }
        }
    }
    public var command: Command
    public var on: NodeSet
    public var status: Status = .exactly(0)
    /// Seconds on a machine of ordinary speed.
    public var limit: Double
    /// The name under which a later `join:` finds it.
    public var background: String?
}

/// Which nodes a step is about.
public enum NodeSet: Sendable, Equatable, CustomStringConvertible {
    case all
    /// All but node1.
    case others
    /// Only in conditions: at least one node.
    case any
    case these([NodeID])

    public func members(of nodes: [NodeID]) -> [NodeID] {
        switch self {
        case .all, .any: nodes
        case .others: nodes.filter { $0 != NodeID(1) }
        case .these(let chosen): nodes.filter(chosen.contains)
        }
    }

    public var description: String {
        switch self {
        case .all: "all nodes"
        case .others: "the other nodes"
        case .any: "some node"
        case .these(let nodes): nodes.map(\.description).joined(separator: ", ")
        }
    }
}
