// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Steering
import Testing

@testable import mdlab

@Suite struct ExploreKernelTests {
    @Test(arguments: [("90s", 90), ("10m", 600), ("2h", 7200)]) func aBudgetHasAUnit(text: String, seconds: Int) {
        #expect(Budget(argument: text)?.seconds == seconds)
    }

    @Test(arguments: ["", "10", "m", "0s", "-1m", "1.5h", "10x", "99999999999999999999s", "2 h"])
    func anythingElseIsNone(text: String) { #expect(Budget(argument: text) == nil) }

    @Test(arguments: [["--jobs", "0"], ["--jobs", "17"], ["--delay", "9"], ["--budget", "soon"]])
    func aMistakeIsUsage(arguments: [String]) {
        #expect(throws: (any Error).self) { try ExploreKernel.parse(["smoke"] + arguments) }
    }

    @Test func threeHoldsAreTooMany() throws {
        let hold = ["--hold", "node1 a entry f"]
        #expect(throws: (any Error).self) { try ExploreKernel.parse(["smoke"] + hold + hold + hold) }
        #expect(try ExploreKernel.parse(["smoke"] + hold + hold).hold.count == 2)
    }
}

@Suite struct GateWordingTests {
    private static func state(_ line: String) -> GateState {
        // The line is one of the module's, or the test is wrong.
        // swift-format-ignore: NeverUseForceTry
        try! GateState.states(in: line + "\n")[0]
    }

    @Test(arguments: [
        (
            GateError.unknownFunction("lock_com", NodeID(1)),
            "no instrumented module of node1 has a function lock_com: look for its name in the kernel's drivers/md.",
            Int32(2)
        ),
        (
            .atomicContext(state("g atomic super_written entry * 37 1 0 0 kworker/0:1H"), NodeID(2)),
            "gate 'g': node2 kworker/0:1H came to the entry of super_written where it must not sleep, and was not held: "
                + "choose one of its callers.", 2
        ),
        (
            .neverArrived(
                state("g armed lock_comm entry md0_resync 0 0 0 0 -"), NodeID(2), seconds: 5,
                instead: [
                    ThreadPlace(
                        pid: 142, comm: "md0_resync", state: "S",
                        stack: ["md_do_sync+0x1/0x2 [md_mod]", "md_thread+0x1/0x2"])
                ]),
            "gate 'g': no md0_resync of node2 came to the entry of lock_comm in 5 s: md0_resync-142 was in md_do_sync <- md_thread; "
                + "make it come there, or choose a function that it passes.", 125
        ),
        (
            .notInstrumented(NodeID(1)),
            "node1 has no gates: its md modules must be built with --instrument and be loaded first.", 125
        ),
    ])
    func whatIsWrongAtAGateIsOneLine(error: GateError, line: String, code: Int32) {
        #expect(error.line == line)
        #expect(error.exitCode == code)
    }

    @Test func aPlaceThatIsNoneIsOneLine() {
        let error = ExplorationError.badHold("lock_token")
        #expect(
            error.line.hasPrefix(
                "'lock_token' is no place to hold a thread at: write 'node1 md0_resync entry lock_token'"))
        #expect(error.exitCode == 2)
    }
}
