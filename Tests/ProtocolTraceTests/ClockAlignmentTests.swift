// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import ProtocolTrace
import TestRecords
import Testing

@Suite struct ClockAlignmentTests {
    private static func aligned(_ run: TrimmedRun, error: Double) -> [Double] {
        var offsets = run.description.clockOffsets
        offsets[1] += error
        return ClockAlignment.offsets(offsets, for: run.traces.map(\.events))
    }

    @Test(arguments: ["smoke", "smoke@async", "concurrent-updates", "stop-while-resyncing", "node-dies"])
    func anOffsetThatIsOffIsPutRightByTheMessages(name: String) throws {
        let run = try TrimmedRun(name)
        let right = Self.aligned(run, error: 0)
        #expect(right[0] == run.description.clockOffsets[0])
        for error in [-0.35, -0.015, 0.015, 0.15, 0.35] {
            // A message takes some milliseconds, and it does not say which.
            #expect(abs(Self.aligned(run, error: error)[1] - right[1]) < 0.010, "\(error)")
        }
    }

    @Test func anOffsetThatNoMessageFitsStays() throws {
        let run = try TrimmedRun("smoke")
        #expect(Self.aligned(run, error: 50)[1] == run.description.clockOffsets[1] + 50)
        #expect(Self.aligned(run, error: 1e300)[1] == 1e300)
        #expect(ClockAlignment.offsets([1], for: [[], []]) == [1, 0])
        #expect(ClockAlignment.offsets([], for: []) == [])
    }
}
