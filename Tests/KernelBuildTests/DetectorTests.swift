// SPDX-License-Identifier: GPL-2.0
import Testing

@testable import KernelBuild

@Suite struct DetectorTests {
    @Test func whatIsNotSetIsOff() {
        let off = Detectors.off(
            config: "CONFIG_DETECT_HUNG_TASK=y\n# CONFIG_KASAN is not set\nCONFIG_UBSAN=m\nCONFIG_DEBUG_LIST=y\n")
        #expect(off["KASAN"] == "CONFIG_KASAN is not set in this kernel")
        #expect(off["UBSAN"] != nil && off["lockdep"] != nil)
        #expect(off["hung task"] == nil && off["list corruption"] == nil)
    }

    @Test func withoutAConfigurationAllAreOff() {
        #expect(Detectors.off(config: "").count == Detectors.known.count)
        #expect(
            Detectors.off(config: String(repeating: "x", count: 1_000_000) + "\n\u{0}=y").count == Detectors.known.count
        )
    }
}
