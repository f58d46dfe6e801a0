// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import GuestProtocol
import RunRecord

/// A whole cluster on disk: every node's memory and devices and the shared disks, all of one moment.
///
///     SAVED/  node1.state  node2.state  disk0 disk1 ...  node1/kmsg.log ...
extension VirtualCluster {
    /// Saves the cluster into a folder and leaves it stopped.
    ///
    /// All nodes stop before any is saved: corosync's and DLM's timers stand still together, and nobody is missed. The
    /// agents hold their reports back first, so that none is cut in two.
    public func save(to folder: URL) async throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try await everyNode { node in try await node.agent.demand(.quiesce) }
        try await everyNode { node in try await node.monitor.execute("stop") }
        for disk in 0..<configuration.disks { try disks.save(disk: disk, to: folder.appending(path: "disk\(disk)")) }
        try await everyNode { [self] node in
            let state = folder.appending(path: "\(node.id).state")
            try await node.monitor.execute(
                "migrate", ["uri": "exec:cat > '\(state.path.replacingOccurrences(of: "'", with: "'\\''"))'"])
            var status = try await node.monitor.execute("query-migrate")
            while status.status != "completed" {
                guard status.status != "failed" else {
                    throw ClusterFailure.refused(
                        node.id, action: "save the node", reason: status.errorDescription ?? "unknown")
                }
                try await Task.sleep(for: .milliseconds(20))
                status = try await node.monitor.execute("query-migrate")
            }
            // What the node has said so far belongs to every record that starts from here.
            let record = recorder.layout.node(node.id)
            let kept = RunLayout(root: folder).node(node.id)
            try FileManager.default.createDirectory(at: kept.root, withIntermediateDirectories: true)
            for name in Self.logs where FileManager.default.fileExists(atPath: record.root.appending(path: name).path) {
                try FileManager.default.copyItem(
                    at: record.root.appending(path: name), to: kept.root.appending(path: name))
            }
        }
    }

    private static let logs = ["kmsg.log", "corosync.log"]

    /// Starts all nodes of a saved cluster where they stopped. The configuration must be the one that was saved.
    public static func restore(_ configuration: ClusterConfiguration, from folder: URL, recorder: RunRecorder)
        async throws
        -> VirtualCluster
    {
        let cluster = try VirtualCluster(configuration, recorder: recorder)
        do {
            for disk in 0..<configuration.disks {
                try cluster.disks.load(disk: disk, from: folder.appending(path: "disk\(disk)"))
            }
            for node in cluster.guests {
                let kept = RunLayout(root: folder).node(node.id)
                for name in logs {
                    guard let data = try? Data(contentsOf: kept.root.appending(path: name)) else { continue }
                    recorder.append(data, to: recorder.layout.node(node.id).root.appending(path: name))
                }
                try await cluster.launch(node, incoming: folder.appending(path: "\(node.id).state"))
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
