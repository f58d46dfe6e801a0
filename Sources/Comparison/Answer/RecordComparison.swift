// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import MDClusterModel
import ProtocolTrace
import RunRecord

extension ModelComparison {
    /// Compares a record with a variant; without one, with the variant that its kernel is.
    ///
    /// What cannot be read of it is a doubt, not an error.
    public init(_ recording: Recording, variant: String? = nil, limit: Int = ModelComparison.stateLimit)
        throws(ModelError)
    {
        try self.init(
            traces: recording.nodes.map { ($0.id, $0.trace) }, offsets: recording.description.clockOffsets,
            probed: Self.probes(of: recording), died: Self.dead(in: recording),
            variant: variant ?? Self.variant(of: recording), limit: limit,
            doubts: Self.doubts(of: recording, isNamed: variant != nil))
    }

    static func dead(in recording: Recording) -> Set<NodeID> {
        Set(
            recording.nodes.map(\.id).filter { id in
                recording.events.contains { $0.kind == .nodeDied && $0.node == id.description }
            })
    }

    /// What makes "conforms" too much to say, whatever the events are.
    ///
    /// - Parameter isNamed: somebody said which variant it is to be compared with.
    static func doubts(of recording: Recording, isNamed: Bool) -> [Doubt] {
        var doubts: [Doubt] = []
        if !isNamed, model(of: recording) == nil {
            doubts.append(.noModel(kernel: recording.description.kernelRelease))
        }
        // A hang is an end that the model has, too.
        if [.running, .interrupted].contains(recording.description.ending) {
            doubts.append(.unfinished(recording.description.ending))
        }
        for node in recording.nodes.map(\.id)
        where recording.events.contains(where: { $0.facts[RunEvent.lostTraceEnd] != nil && $0.node == node.description }
        ) {
            doubts.append(.unended(node))
        }
        for part in recording.missing {
            switch part.why {
            case .notUnderstood, .unreadable:
                if !doubts.contains(.damaged(part.path)) { doubts.append(.damaged(part.path)) }
            // A trace is a doubt of its own.
            case .absent, .incomplete, .stillWritten, .trace: continue
            // The comparison looks at no log.
            case .rules: continue
            }
        }
        let release = recording.description.kernelRelease
        for node in recording.nodes {
            if let booted = node.kmsg?.kernelRelease, booted != release {
                doubts.append(.otherKernel(node.id, log: booted, record: release))
            }
            guard let last = node.snapshots.last else { continue }
            let hasGaps = node.trace?.contains { if case .lost = $0.body { true } else { false } } ?? false
            doubts += TraceLosses.all(in: last, hasGaps: hasGaps).map { .unmarked($0.node, what: $0.what, $0.count) }
        }
        return doubts
    }

    /// The functions that had a probe on some node.
    static func probes(of recording: Recording) -> Set<String> {
        recording.nodes.reduce(into: []) { $0.formUnion($1.probes) }
    }

    /// The variant that a record's kernel is: the one it was built as, else what its version has, else the nearest.
    public static func variant(of recording: Recording) -> String { model(of: recording) ?? "v5.11" }

    /// nil for a kernel whose md-cluster.c no variant was made for.
    static func model(of recording: Recording) -> String? {
        recording.description.variant ?? model(ofKernel: recording.description.kernelRelease)
    }

    /// v5.11 and v6.11 are read from 6.1 and 6.12; between v5.11 and 6.12 nothing else changed that they have.
    static func model(ofKernel release: String) -> String? {
        let version = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        guard version.count == 2, !version.lexicographicallyPrecedes([5, 11]),
            version.lexicographicallyPrecedes([6, 13])
        else { return nil }
        return version.lexicographicallyPrecedes([6, 11]) ? "v5.11" : "v6.11"
    }
}
