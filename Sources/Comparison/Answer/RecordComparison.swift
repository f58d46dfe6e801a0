// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import MDClusterModel

extension Comparison {
    /// Compares a record with a variant; without one, with the variant that its kernel is.
    ///
    /// What cannot be read of it is a doubt, not an error.
    public init(_ recording: Recording, variant: String? = nil, limit: Int = Comparison.stateLimit) throws(ModelError) {
        try self.init(
            traces: recording.nodes.map { ($0.id, $0.trace) }, offsets: recording.description.clockOffsets,
            probed: Self.probes(of: recording), variant: variant ?? Self.variant(of: recording), limit: limit)
    }

    /// The functions that had a probe on some node.
    static func probes(of recording: Recording) -> Set<String> {
        recording.nodes.reduce(into: []) { $0.formUnion($1.probes) }
    }

    /// The variant that a record's kernel is: the one it was built as, else what its version has.
    public static func variant(of recording: Recording) -> String {
        if let variant = recording.description.variant { return variant }
        let version = recording.description.kernelRelease.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        return version.lexicographicallyPrecedes([6, 11]) ? "v5.11" : "v6.11"
    }
}
