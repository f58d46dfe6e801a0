// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import Testing

@testable import Comparison

@Suite struct ClockAlignmentTests {
    private static func aligned(_ name: String, _ change: (inout [Double]) -> Void = { _ in }) throws -> [Double] {
        let fixture = try Fixture(name)
        var offsets = fixture.description.clockOffsets
        change(&offsets)
        return ClockAlignment.offsets(
            offsets, for: fixture.traces.map(\.events), lockspace: try lockspace(fixture.traces[0].events))
    }

    private static func lockspace(_ events: [KernelEvent]) throws -> UInt32 {
        try #require(
            events.lazy.compactMap { event -> UInt32? in
                guard case .dlm(let dlm) = event.body, dlm.resource == .ack else { return nil }
                return dlm.lockspace
            }.first)
    }

    @Test(arguments: ["smoke", "smoke@async", "concurrent-updates", "node-dies"])
    func anOffsetThatIsOffIsPutRightByTheMessages(name: String) throws {
        let measured = try Fixture(name).description.clockOffsets
        let right = try Self.aligned(name)
        #expect(right[0] == measured[0])
        for error in [-0.015, 0.015] {
            let aligned = try Self.aligned(name) { $0[1] += error }
            // A message takes some milliseconds, and it does not say which.
            #expect(abs(aligned[1] - right[1]) < 0.010)
        }
    }

    @Test func anOffsetThatNoMessageFitsStays() throws {
        let measured = try Fixture("smoke").description.clockOffsets
        let aligned = try Self.aligned("smoke") { $0[1] += 5 }
        #expect(aligned[1] == measured[1] + 5)
        #expect(ClockAlignment.offsets([1], for: [[], []], lockspace: 1) == [1, 0])
    }
}
