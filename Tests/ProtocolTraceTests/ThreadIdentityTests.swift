// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import ProtocolTrace
import TestRecords
import Testing

/// Who the threads of a trace without names are: by what only they call, never by the locks that are judged.
@Suite struct ThreadIdentityTests {
    private func event(_ pid: Int, _ comm: String, _ body: KernelEvent.Body) -> KernelEvent {
        KernelEvent(node: NodeID(1), index: 0, time: 0, cpu: 0, pid: pid, comm: comm, body: body)
    }

    private func lock(_ resource: LockResource, _ mode: LockMode, flags: UInt32) -> KernelEvent.Body {
        .dlm(
            DLMEvent(
                kind: .lockStart, lockspace: 1, lock: 1, resource: resource, mode: mode, flags: flags, status: nil))
    }

    private func identities(_ events: [KernelEvent], shows: Bool = true) -> [Int: ThreadIdentity] {
        var events = events
        ThreadIdentities(events, showsReceiveThread: shows).apply(to: &events)
        return Dictionary(events.map { ($0.pid, $0.thread) }) { first, _ in first }
    }

    @Test func callsThatOnlyOneThreadMakesTell() {
        let found = identities(
            [
                event(1, "<...>", .function(name: "md_check_recovery", caller: "raid10d")),
                event(2, "<...>", .function(name: "md_check_recovery", caller: "load_bitmaps")),
                event(3, "mdadm", .function(name: "md_check_recovery", caller: "raid1d")),
                event(4, "<...>", .entry(function: "recv_daemon", arguments: [:])),
                event(5, "<...>", .entry(function: "resync_start", arguments: [:])),
                event(6, "<...>", .entry(function: "__sendmsg", arguments: [:])),
                event(7, "<...>", .entry(function: "md_reload_sb", arguments: [:])),
            ], shows: false)
        #expect(
            found == [
                1: .known(.raidDaemon), 2: .unknown, 3: .known(.other), 4: .known(.recvDaemon), 5: .known(.resync),
                6: .notReceiveThread, 7: .unknown,
            ])
    }

    /// A lock says nothing of who asked for it: that is what is judged.
    @Test func locksAreNoEvidence() {
        let new = event(1, "<...>", lock(.token, .nl, flags: 0))
        let reading = event(2, "<...>", lock(.message, .cr, flags: 4))
        #expect(identities([new, reading], shows: false)[2] == .unknown)
        // Whoever had been the receive thread would have shown its function first.
        #expect(identities([new, reading])[2] == .notReceiveThread)
        // Not where the begin is missing, or something in between.
        #expect(identities([reading])[2] == .notReceiveThread)
        #expect(identities([event(1, "<...>", lock(.token, .ex, flags: 4)), reading])[2] == .unknown)
        #expect(identities([new, event(0, "mdadm", .lost(3)), reading])[2] == .unknown)
    }

    /// Every recorded run without any name: the receive thread is found, and nobody is taken for another.
    @Test(arguments: ["smoke", "smoke@async", "concurrent-updates", "add-device", "resync-handover", "grow-size"])
    func recordedThreadsAreFoundWithoutTheirNames(name: String) throws {
        let run = try TrimmedRun(name).recording
        var nameless = run
        for place in nameless.nodes.indices {
            nameless.forgetNames(of: place)
        }
        nameless.identifyThreads()
        var found = 0
        for (node, bare) in zip(run.nodes, nameless.nodes) {
            for (event, other) in zip(node.trace ?? [], bare.trace ?? []) {
                #expect(other.thread.isReceiveThread == (event.role == .recvDaemon), "\(event)")
                if let role = other.role { #expect(role == event.role, "\(event)") }
                if other.thread == .known(.recvDaemon) { found += 1 }
            }
        }
        #expect(found > 0)
    }
}
