// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import GuestImage
import Testing
import VirtualCluster

@testable import mdlab

/// What a person reads when the lab fails: one line each, with what to do.
@Suite struct ClusterWordingTests {
    @Test(arguments: [
        (
            ClusterFailure.nodeDied(NodeID(2), lastConsoleLines: ["Kernel panic - not syncing: x"]), Exit.untestable,
            "node2's QEMU ended (last on its console: 'Kernel panic - not syncing: x'); the record's node2/qemu.log and "
                + "console.log say more."
        ),
        (
            .commandTimedOut(NodeID(1), argv: ["mdadm", "/dev/md0"], seconds: 4.2), Exit.untestable,
            "node1: 'mdadm /dev/md0' did not end in 5 s: look at node1/snapshots of the record for what it waits for."
        ),
        (
            .notBooted(NodeID(1), seconds: 180, lastConsoleLines: []), Exit.untestable,
            "node1 did not come up in 180 s; look at node1/console.log of the record, and try again on a less busy machine."
        ),
        (
            .agentVersion(NodeID(1), agent: 3, host: 1), Exit.untestable,
            "node1 runs agent version 3, mdlab speaks version 1: run make build, and remove the folder clusters of the cache."
        ),
        (
            .qemuMissing(program: "/usr/bin/qemu-system-x86_64"), Exit.usage,
            "/usr/bin/qemu-system-x86_64 is not there: run scripts/bootstrap, or apt-get install qemu-system-x86."
        ),
        (
            .noSuchNode("node5", nodes: [NodeID(1), NodeID(2)]), Exit.usage,
            "there is no node5: the nodes are node1, node2."
        ),
        (.interrupted, Exit.interrupted, "interrupted."),
    ]) func aFailureIsALine(failure: ClusterFailure, code: Int32, line: String) {
        #expect(failure.line == line)
        #expect(failure.exitCode == code)
    }

    @Test func theAgentThatIsNotBuiltIsNamed() {
        let error = GuestImageError.unreadable("/x/.build-agent/release/mdlab-agent", errno: 2)
        #expect(error.line == "the agent /x/.build-agent/release/mdlab-agent is not built: run make build.")
        #expect(error.exitCode == Exit.usage)
    }

    @Test func nothingThatAGuestSaysMakesALineLong() {
        let noise = String(repeating: "x", count: 100_000)
        #expect(ClusterFailure.refused(NodeID(1), action: noise, reason: "no").line.count < 300)
        #expect(ClusterFailure.noCluster(NodeID(1), seconds: 1, reason: noise).line.count < 500)
        #expect(ClusterFailure.commandTimedOut(NodeID(1), argv: [noise], seconds: 1).line.count < 300)
    }
}

@Suite struct VMCommandTests {
    @Test func aCommandHasANodeAndALine() throws {
        let (node, line) = try VM.parse("node2: mdadm -D /dev/md0: x", nodes: 2)
        #expect(node == 2 && line == " mdadm -D /dev/md0: x")
    }

    @Test(arguments: ["ls", "node3: ls", "node0: ls", "nodex: ls", ":", ""]) func anythingElseIsRefused(command: String)
    {
        #expect(throws: (any Error).self) { try VM.parse(command, nodes: 2) }
    }
}
