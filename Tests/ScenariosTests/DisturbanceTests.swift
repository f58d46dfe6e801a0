// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Testing

@testable import Scenarios

@Suite struct DisturbanceTests {
    @Test func aFaultIsReadWithItsMoment() {
        let crash = Disturbance("crash node2 3.5", nodes: 2)
        #expect(crash?.fault == .powerCut(NodeID(2)) && crash?.after == 3.5)
        let cut = Disturbance("cut node1 node3 0 2", nodes: 3)
        #expect(cut?.fault == .linkCut(NodeID(1), NodeID(3), seconds: 2) && cut?.after == 0)
    }

    @Test(arguments: [
        "", "crash", "crash node3 1", "crash node1", "crash node1 -1", "crash node1 nan", "crash node1 1 2",
        "cut node1 1 2",
        "cut node1 node1 1 2", "cut node1 node2 1", "cut node1 node2 x 2", "melt node1 1", "crash 1 1",
        "crash node1 1e99",
    ]) func anythingElseIsNoFault(text: String) {
        #expect(Disturbance(text, nodes: 2) == nil)
    }
}
