// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import GuestProtocol
import RunRecord

/// A whole cluster on disk: every node's memory and devices and the shared disks, all of one moment.
///
///     SAVED/  node1.state  node2.state  disk0 disk1 ...  host.json  node1/kmsg.log trace.cpu0.raw ...
///
/// It may be saved at any moment: with or without md's modules, in the middle of a resync, with threads held at gates.
extension QEMUCluster {
    /// What the host knows of the nodes and cannot ask again.
    private struct HostState: Codable {
        var modulesAreLoaded: Bool
        /// The addresses of the modules' symbols, by node.
        var symbols: [Int: [String: UInt64]]
        var tracing: [Int]
        /// Not there in clusters that were saved before there were counters.
        var counters: [Int: [CounterMemory]]?
    }

    private static func hostState(in folder: URL) -> URL { folder.appending(path: "host.json") }

    /// Saves the cluster into a folder and leaves it stopped.
    ///
    /// All nodes stop before any is saved: corosync's and DLM's timers stand still together, and nobody is missed. The
    /// agents hold their reports back first, so that none is cut in two.
    public func save(to folder: URL) async throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try await everyNode { node in try await node.agent.demand(.quiesce) }
        try await everyNode { node in try await node.monitor.execute("stop") }
        for disk in 0..<configuration.disks { try disks.save(disk: disk, to: folder.appending(path: "disk\(disk)")) }
        let host = state.withLock { state in
            HostState(
                modulesAreLoaded: state.modulesAreLoaded,
                symbols: Dictionary(uniqueKeysWithValues: state.symbols.map { ($0.key.rawValue, $0.value.modules) }),
                tracing: state.tracing.map(\.rawValue).sorted(),
                counters: Dictionary(uniqueKeysWithValues: state.counters.map { ($0.key.rawValue, $0.value) }))
        }
        try JSONEncoder().encode(host).write(to: Self.hostState(in: folder))
        try await everyNode { [self] node in
            let state = folder.appending(path: "\(node.id).state")
            try await node.monitor.execute(
                "migrate", ["uri": "exec:cat > '\(state.path.replacingOccurrences(of: "'", with: "'\\''"))'"])
            var status = try await node.monitor.execute("query-migrate")
            while status.status != "completed" {
                guard status.status != "failed" else {
                    throw ClusterFailure.refused(
                        node.id, action: "save the node", reason: .said(status.errorDescription ?? "unknown"))
                }
                try await Task.sleep(for: .milliseconds(20))
                status = try await node.monitor.execute("query-migrate")
            }
            // What the node has said so far belongs to every record that starts from here.
            let record = recorder.layout.node(node.id)
            let kept = RunLayout(root: folder).node(node.id)
            try FileManager.default.createDirectory(at: kept.root, withIntermediateDirectories: true)
            try Self.copyLogs(from: record.root, to: kept.root)
        }
    }

    /// What is appended to while a node runs: its logs, and what it has traced so far.
    private static func copyLogs(from source: URL, to target: URL) throws {
        let files = FileManager.default
        for name in try files.contentsOfDirectory(atPath: source.path)
        where ["kmsg.log", "corosync.log", "trace.parts"].contains(name) || name.hasPrefix("trace.cpu") {
            try files.copyItem(at: source.appending(path: name), to: target.appending(path: name))
        }
    }

    /// Starts all nodes of a saved cluster where they stopped. The configuration must be the one that was saved.
    public static func restore(_ configuration: ClusterConfiguration, from folder: URL, recorder: RunRecorder)
        async throws
        -> QEMUCluster
    {
        let cluster = try QEMUCluster(configuration, recorder: recorder)
        do {
            for disk in 0..<configuration.disks {
                try cluster.disks.load(disk: disk, from: folder.appending(path: "disk\(disk)"))
            }
            for node in cluster.guests {
                try copyLogs(
                    from: RunLayout(root: folder).node(node.id).root, to: recorder.layout.node(node.id).root)
                try await cluster.launch(node, incoming: folder.appending(path: "\(node.id).state"))
            }
            let host = try JSONDecoder().decode(HostState.self, from: Data(contentsOf: hostState(in: folder)))
            cluster.state.withLock { state in
                state.modulesAreLoaded = host.modulesAreLoaded
                state.tracing = Set(host.tracing.map { NodeID($0) })
                for (node, counters) in host.counters ?? [:] { state.counters[NodeID(node)] = counters }
                for (node, modules) in host.symbols { state.symbols[NodeID(node)] = KernelSymbols(modules: modules) }
            }
            try await withLimit(
                .seconds(60), else: .notBooted(NodeID(1), seconds: 60, lastConsoleLines: ["restoring a saved cluster"])
            ) {
                try await cluster.everyNode { node in
                    while try await node.monitor.execute("query-status").status == "inmigrate" {
                        try await Task.sleep(for: .milliseconds(5))
                    }
                }
                try await cluster.everyNode { node in try await node.monitor.execute("cont") }
                try await cluster.everyNode { node in try await node.agent.demand(.resume) }
            }
            try await cluster.greet()
            recorder.note(.restored, "\(configuration.nodes) nodes restored from a saved cluster")
        } catch {
            await cluster.stop()
            throw error
        }
        return cluster
    }
}
