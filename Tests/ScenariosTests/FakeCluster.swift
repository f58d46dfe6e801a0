// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Glibc
import RunRecord
import Synchronization
import VirtualCluster

/// A cluster that exists only as state: files per node, and a closure that answers commands.
final class FakeCluster: ClusterControl {
    struct State {
        var files: [NodeID: [String: String]] = [:]
        var events: [RunEvent] = []
        var snapshots: [String] = []
        var commands: [String] = []
        var dead: Set<NodeID> = []
        var sbFlags: UInt64 = 0
        var confirmations: [NodeID: ConfirmationPolicy] = [:]
        /// What a look at any node shows.
        var threads: [NodeSnapshot.Thread] = []
    }

    /// What a command does: its result, or an error; nil for a command that never ends.
    typealias Answer = @Sendable (_ node: NodeID, _ argv: [String], _ cluster: FakeCluster) throws -> CommandResult?

    let state = Mutex(State())
    let answer: Answer
    let count: Int

    init(nodes: Int = 2, answer: @escaping Answer = { _, _, _ in CommandResult(status: 0, output: "", errors: "") }) {
        count = nodes
        self.answer = answer
        for node in 1...nodes {
            set(NodeID(node), "/proc/mdstat", "md0 : active raid1 vdb[1] vda[0]\n      [2/2] [UU]\n")
        }
    }

    func set(_ node: NodeID, _ path: String, _ text: String?) {
        state.withLock { $0.files[node, default: [:]][path] = text }
    }
    func set(_ path: String, _ text: String?) { for node in 1...count { set(NodeID(node), path, text) } }

    var nodes: [any NodeControl] { (1...count).map { FakeNode(id: NodeID($0), cluster: self) } }
    var events: [RunEvent] { state.withLock { $0.events } }
    var snapshots: [String] { state.withLock { $0.snapshots } }
    var commands: [String] { state.withLock { $0.commands } }

    func loadModules() async throws {}
    func snapshot(_ label: String) async throws -> [NodeSnapshot] {
        state.withLock { state in
            state.snapshots.append(label)
            return (1...count).map { NodeID($0) }.filter { !state.dead.contains($0) }.map { node in
                NodeSnapshot(
                    node: node, label: label, time: 0, uptime: 0, files: state.files[node] ?? [:], threads: [],
                    arrays: [
                        NodeSnapshot.ArrayState(
                            name: "md0", clusterState: 0, reconfigMutexOwner: nil, receiveMutexOwner: nil, flags: 0,
                            recovery: 0,
                            sbFlags: state.sbFlags)
                    ])
            }
        }
    }
    func crash(_ node: NodeID) async throws { state.withLock { _ = $0.dead.insert(node) } }
    func freeze(_ node: NodeID) async throws {}
    func thaw(_ node: NodeID) async throws {}
    func setLink(_ first: NodeID, _ second: NodeID, up: Bool) async throws {
        state.withLock { $0.commands.append("link \(first) \(second) \(up)") }
    }
    func note(_ kind: RunEvent.Kind, node: NodeID?, _ text: String, _ facts: [String: String]) {
        state.withLock {
            $0.events.append(RunEvent(time: 0, kind: kind, node: node?.description, text: text, facts: facts))
        }
    }
}

struct FakeNode: NodeControl {
    let id: NodeID
    let cluster: FakeCluster

    private func checkAlive() throws {
        if cluster.state.withLock({ $0.dead.contains(id) }) {
            throw ClusterFailure.nodeDied(id, lastConsoleLines: ["Kernel panic - not syncing"])
        }
    }

    func run(_ argv: [String], limit: Duration) async throws -> CommandResult {
        try checkAlive()
        cluster.state.withLock { $0.commands.append("\(id): \(argv.joined(separator: " "))") }
        if let result = try cluster.answer(id, argv, cluster) { return result }
        try await Task.sleep(for: limit)
        throw ClusterFailure.commandTimedOut(id, argv: argv, seconds: Double(limit.components.seconds))
    }
    func start(_ argv: [String]) async throws -> any RunningCommand { FakeCommand(node: self, argv: argv) }
    func read(_ path: String) async throws -> [UInt8] {
        try checkAlive()
        guard let text = cluster.state.withLock({ $0.files[id]?[path] }) else {
            throw ClusterFailure.refused(id, action: "read \(path)", reason: .errno(ENOENT))
        }
        return Array(text.utf8)
    }
    func write(_ path: String, _ text: String) async throws {
        try checkAlive()
        if text == "refused" {
            throw ClusterFailure.refused(id, action: "write \(path)", reason: .errno(EBUSY))
        }
        cluster.set(id, path, text)
    }
    func threads(named names: [String], limit: Duration) async throws -> [NodeSnapshot.Thread] {
        try checkAlive()
        return cluster.state.withLock { $0.threads }
    }
    func setConfirmation(_ policy: ConfirmationPolicy) async throws {
        cluster.state.withLock { $0.confirmations[id] = policy }
    }
}

struct FakeCommand: RunningCommand {
    let node: FakeNode
    let argv: [String]
    func wait(limit: Duration) async throws -> CommandResult { try await node.run(argv, limit: limit) }
}
