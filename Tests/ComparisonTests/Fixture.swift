// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import KernelTrace
import MDClusterModel
import RunRecord
import TestRecords

@testable import Comparison

/// A recorded run of Tests/Fixtures/runs, compared.
struct Fixture {
    var description: RunDescription
    var traces: [(node: NodeID, events: [KernelEvent])]
    var snapshots: [NodeSnapshot]

    init(_ name: String) throws {
        let run = try TrimmedRun(name)
        (description, traces, snapshots) = (run.description, run.traces, run.snapshots)
    }

    /// The probes that every recorded run had.
    static let probed = Set(
        ObservedProgram.arguments.keys.filter {
            !["md_wakeup_thread", "md_check_recovery", "load_bitmaps", "resync_start_notify"].contains($0)
        }
    ).union(
        ObservedProgram.arguments.keys.filter {
            !["md_wakeup_thread", "md_check_recovery", "load_bitmaps", "mddev_unlock", "resync_start_notify"].contains(
                $0)
        }.map { $0 + "__ret" })

    func compared(
        with variant: String, _ change: (inout [(node: NodeID, events: [KernelEvent])]) -> Void = { _ in },
        died: Set<NodeID> = [], limit: Int = 400_000
    ) throws -> ModelComparison {
        var traces = traces
        change(&traces)
        return try ModelComparison(
            traces: traces.map { ($0.node, $0.events) }, offsets: description.clockOffsets, probed: Self.probed,
            died: died, variant: variant, limit: limit)
    }

    /// Compared with the reference once for all tests: that takes seconds in a debug build.
    static func reference(_ name: String) throws -> ModelComparison {
        switch name {
        case "smoke": try smoke.get()
        case "add-device": try addDevice.get()
        default: try Fixture(name).compared(with: "v5.11")
        }
    }
    private static let smoke = Result { try Fixture("smoke").compared(with: "v5.11") }
    private static let addDevice = Result { try Fixture("add-device").compared(with: "v5.11") }
}
