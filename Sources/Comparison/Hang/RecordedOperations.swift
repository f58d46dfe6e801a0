// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import MDClusterModel

/// What the nodes of a record did, as a workload of the model: taken from the calls that md-cluster.c saw, not from the
/// scenario, whose commands may be any shell's.
public enum RecordedOperations {
    /// Each operation once a node, in the order in which they were first seen after the last node had joined; nil when
    /// there is none, or when there are more nodes than the model has.
    public static func workload(
        of traces: [(node: NodeID, events: [KernelEvent])]
    ) -> (nodes: Int, text: String)? {
        guard (2...4).contains(traces.count) else { return nil }
        let lists = traces.map { operations($0.events) }
        if lists.allSatisfy(\.isEmpty) { return nil }
        let text = lists.map { $0.joined(separator: ",") }.joined(separator: "/")
        return (try? Workload(text, nodes: traces.count)).map { _ in (nodes: traces.count, text: text) }
    }

    private static func operations(_ events: [KernelEvent]) -> [String] {
        let begin = events.lastIndex { $0.isCall("join") } ?? 0
        var list: [String] = []
        for event in events[begin...] {
            guard let name = operation(event), !list.contains(name) else { continue }
            // What is removed or added again failed before.
            if ["remove", "sysfs-remove", "re-add"].contains(name), !list.contains("fail") { list.append("fail") }
            list.append(name)
        }
        return list
    }

    private static func operation(_ event: KernelEvent) -> String? {
        guard case .entry(let function, _) = event.body else { return nil }
        return switch (function, event.role) {
        case ("metadata_update_start", .raidDaemon): "fail"
        case ("remove_disk", _): event.comm.hasPrefix("mdadm") ? "remove" : "sysfs-remove"
        case ("gather_bitmaps", _): "re-add"
        case ("add_new_disk", _): "add"
        case ("update_size", _): "grow"
        case ("leave", .other): "stop"
        case ("resync_start", .resync): "resync"
        default: nil
        }
    }
}
