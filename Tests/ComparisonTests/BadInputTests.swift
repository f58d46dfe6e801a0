// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import ProtocolTrace
import RunRecord
import TestRecords
import Testing

@testable import Comparison
@testable import KernelTrace

/// Records that do not hold what a comparison needs are never answered with "conforms".
@Suite struct BadInputTests {
    static func recording(_ change: (inout Recording) -> Void) throws -> Recording {
        var recording = try TrimmedRun("smoke").recording
        change(&recording)
        recording.identifyThreads()
        return recording
    }

    static func doubts(
        limit: Int = 400_000, _ change: (inout Recording) -> Void
    ) throws -> [ModelComparison.Doubt] {
        guard case .notDecided(let doubts) = try ModelComparison(try recording(change), limit: limit).answer else {
            return []
        }
        return doubts
    }

    /// What the tracer of a node says of itself: a ring buffer's stats, with a value changed.
    static let stats = """
        entries: 0
        overrun: 0
        commit overrun: 0
        bytes: 3476
        oldest event ts:     8.888
        now ts:     9.1
        dropped events: 0
        read events: 915
        """

    @Test func aRecordThatIsWholeConforms() throws {
        let whole = try Self.recording { recording in
            recording.nodes[0].snapshots[0].files["/sys/kernel/tracing/per_cpu/cpu0/stats"] = Self.stats
            recording.nodes[0].snapshots[0].files["/sys/kernel/tracing/kprobe_profile"] =
                "  join                                                       1               0\n"
        }
        #expect(try ModelComparison(whole, limit: 400_000).answer == .conforms)
    }

    @Test func eventsThatTheTracerDropsAreADoubt() throws {
        for (line, what) in [
            ("dropped events: 0", "dropped events of cpu0"), ("commit overrun: 0", "commit overrun of cpu0"),
            ("overrun: 0\ncommit", "overrun of cpu0"),
        ] {
            let doubts = try Self.doubts { recording in
                recording.nodes[1].snapshots[0].files["/sys/kernel/tracing/per_cpu/cpu0/stats"] = Self.stats.replacing(
                    line, with: line.replacing(": 0", with: ": 3"))
            }
            #expect(doubts == [.unmarked(NodeID(2), what: what, 3)])
        }
        let misses = try Self.doubts { recording in
            recording.nodes[0].snapshots[0].files["/sys/kernel/tracing/kprobe_profile"] =
                "  join                    1               0\n  lock_comm__ret          7               2\n"
        }
        #expect(misses == [.unmarked(NodeID(1), what: "misses of the probe lock_comm__ret", 2)])
    }

    @Test func garbageInTheTracersFilesIsNoLoss() {
        for text in ["", "dropped events", "dropped events: many", "\u{0}\u{ff}: 9\n::::", "a b c d\n1 2"] {
            let snapshot = NodeSnapshot(
                node: NodeID(1), label: "final", time: 1, uptime: 1,
                files: [
                    "/sys/kernel/tracing/per_cpu/cpu0/stats": text, "/sys/kernel/tracing/kprobe_profile": text,
                ], threads: [], arrays: nil)
            #expect(TraceLosses.all(in: snapshot, hasGaps: false).isEmpty)
        }
    }

    @Test func aRunThatWasCutOffIsNotDecided() throws {
        #expect(try Self.doubts { $0.description.ending = .running } == [.unfinished(.running)])
        #expect(try Self.doubts { $0.description.ending = .interrupted } == [.unfinished(.interrupted)])
    }

    /// mdlab was killed: each node's trace stops where it happens to stop. Whatever that leaves, nobody is blamed.
    @Test(arguments: 0..<8) func aRunThatWasKilledIsNeverBlamed(seed: Int) throws {
        let recording = try Self.recording { recording in
            recording.description.ending = .running
            for node in recording.nodes.indices {
                let count = recording.nodes[node].trace?.count ?? 0
                // Within the last fifty events, or anywhere.
                let cut = seed % 2 == 0 ? (seed * 37 + node * 71) % 50 : (seed * 997 + node * 389) % count
                recording.nodes[node].trace?.removeLast(cut)
                if seed % 3 == 0 {
                    recording.forgetNames(of: node)
                }
            }
        }
        guard case .notDecided = try ModelComparison(recording, limit: 400_000).answer else {
            Issue.record("\(try ModelComparison(recording, limit: 400_000).answer)")
            return
        }
    }

    @Test func aKernelWithoutAModelIsNotDecided() throws {
        #expect(
            try Self.doubts { $0.description.kernelRelease = "4.19.0-27-amd64" } == [
                .noModel(kernel: "4.19.0-27-amd64")
            ])
        for (release, model) in [
            ("5.10.0-30", nil), ("5.11.0", "v5.11"), ("6.1.0-56-amd64", "v5.11"), ("6.10.9", "v5.11"),
            ("6.11", "v6.11"),
            ("6.12.117+deb12-amd64", "v6.11"), ("6.13.0", nil), ("7", nil), ("", nil), ("rubbish", nil),
        ] as [(String, String?)] {
            #expect(ModelComparison.model(ofKernel: release) == model)
        }
    }

    private static func nameless(_ role: ThreadRole, _ recording: inout Recording) {
        recording.nodes[1].trace = recording.nodes[1].trace?.map { event in
            var event = event
            if event.role == role { event.comm = "<...>" }
            return event
        }
    }

    @Test func aThreadWithoutANameIsADoubt() throws {
        // Where the search gives up makes no difference.
        let doubts = try Self.doubts(limit: 500) { Self.nameless(.other, &$0) }
        guard case .unnamed(NodeID(2), _)? = doubts.first else {
            Issue.record("\(doubts)")
            return
        }
    }

    @Test func aThreadWithoutANameIsKnownByWhatOnlyItCalls() throws {
        for role in [ThreadRole.recvDaemon, .resync] {
            let recording = try Self.recording { Self.nameless(role, &$0) }
            #expect(try ModelComparison(recording, limit: 400_000).answer == .conforms, "\(role)")
        }
    }

    @Test func aTraceThatIsNotThereIsNotDecided() throws {
        #expect(try Self.doubts { $0.nodes[1].trace = nil } == [.noTrace(NodeID(2))])
    }

    @Test func filesOfTwoKernelsAreNotDecided() throws {
        let release = try Self.recording { _ in }.description.kernelRelease
        func booted(_ release: String) -> KernelLog {
            KernelLog(text: "5,0,0,-;Linux version \(release) (gcc-12) #1 SMP\n6,1,0,-;Command line: quiet\n")
        }
        #expect(
            try Self.doubts { $0.nodes[1].kmsg = booted("6.12.117+deb12-amd64") }
                == [.otherKernel(NodeID(2), log: "6.12.117+deb12-amd64", record: release)])
        let same = try Self.recording { for node in $0.nodes.indices { $0.nodes[node].kmsg = booted(release) } }
        #expect(ModelComparison.doubts(of: same, isNamed: false) == [])
    }

    @Test func aRecordWithADamagedFileIsNotDecided() throws {
        let path = "node1/snapshots/01-final.json"
        let damaged = MissingPart(path: path, why: .notUnderstood(line: nil))
        #expect(try Self.doubts { $0.missing = [damaged, damaged] } == [.damaged(path)])
        let unreadable = MissingPart(path: "events.ndjson", why: .unreadable("Input/output error"))
        #expect(try Self.doubts { $0.missing = [unreadable] } == [.damaged("events.ndjson")])
        // What a run never had is not damage.
        let absent = MissingPart(path: "node1/console.log", why: .absent)
        #expect(try ModelComparison(Self.recording { $0.missing = [absent] }, limit: 400_000).answer == .conforms)
    }

    @Test func twoArraysAreNotDecided() throws {
        let doubts = try Self.doubts { recording in
            recording.nodes[1].trace = recording.nodes[1].trace?.map { event in
                var event = event
                if case .dlm(var dlm) = event.body {
                    dlm.lockspace += 1
                    event.body = .dlm(dlm)
                }
                return event
            }
        }
        #expect(doubts == [.severalArrays])
    }

    /// They only say what is tried first.
    @Test(arguments: [1e300, -1e300, .infinity, .nan, 9.3e9])
    func aClockOffsetThatCannotBeMakesNoDifference(offset: Double) throws {
        let words = try TraceWords(
            traces: Fixture("smoke").traces, lockspace: 0, offsets: [offset], probed: Fixture.probed)
        #expect(words.nodes.count == 2)
    }
}
