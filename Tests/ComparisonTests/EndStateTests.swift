// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import KernelTrace
import RunRecord
import Testing

@testable import Comparison

/// The state at rest of recorded runs (Tests/Fixtures/runs), as it was and with one value changed.
@Suite struct EndStateTests {
    static func endState(
        _ name: String, node: Int = 1, _ change: (inout NodeSnapshot) -> Void = { _ in }
    ) throws -> EndState {
        let (fixture, comparison) = try #require(compared[name])
        var snapshots = fixture.snapshots
        for index in snapshots.indices where snapshots[index].node == NodeID(node) { change(&snapshots[index]) }
        return EndState(
            comparison, traces: fixture.traces, snapshots: snapshots, ending: fixture.description.ending)
    }

    /// Each is compared once.
    static let compared: [String: (Fixture, ModelComparison)] = {
        var list: [String: (Fixture, ModelComparison)] = [:]
        for name in ["smoke", "grow-size", "remove-device"] {
            if let fixture = try? Fixture(name), let comparison = try? fixture.compared(with: "v5.11") {
                list[name] = (fixture, comparison)
            }
        }
        return list
    }()

    @Test(arguments: ["smoke", "grow-size", "remove-device"])
    func aRunOfTheReferenceEndsInAStateOfTheModel(name: String) throws {
        let end = try Self.endState(name)
        #expect(end.answer == .agrees, "\(end.differences)")
        #expect(end.compared[.device, default: 0] >= 4)
        #expect(end.compared[.locks, default: 0] == 10)
        #expect(end.compared[.state, default: 0] == 8)
    }

    struct Alteration: CustomTestStringConvertible, Sendable {
        var run: String
        var node: Int
        var file: String
        var value: String
        var field: EndStateField
        var testDescription: String { "\(run) node\(node) \(file) = \(value)" }
    }

    @Test(arguments: [
        Alteration(run: "smoke", node: 2, file: "md/dev-vdb/state", value: "in_sync", field: .device),
        Alteration(run: "smoke", node: 1, file: "md/dev-vdb/state", value: "in_sync", field: .device),
        Alteration(run: "smoke", node: 2, file: "md/dev-vda/state", value: "faulty", field: .device),
        Alteration(run: "smoke", node: 2, file: "md/raid_disks", value: "3", field: .raidDisks),
        Alteration(run: "smoke", node: 1, file: "md/component_size", value: "31000", field: .size),
        Alteration(run: "smoke", node: 2, file: "md/degraded", value: "0", field: .degraded),
        Alteration(run: "smoke", node: 2, file: "md/array_state", value: "clear", field: .membership),
        Alteration(run: "grow-size", node: 2, file: "md/component_size", value: "32768", field: .size),
        Alteration(run: "grow-size", node: 1, file: "md/dev-vdb/slot", value: "0", field: .slot),
    ])
    func anAlteredFileIsNoStateOfTheModel(alteration: Alteration) throws {
        let end = try Self.endState(alteration.run, node: alteration.node) { snapshot in
            let path = "/sys/block/md0/\(alteration.file)"
            #expect(snapshot.files[path] != nil)
            snapshot.files[path] = alteration.value + "\n"
        }
        #expect(end.answer == .differs)
        #expect(
            end.differences.contains { $0.field == alteration.field && $0.node == NodeID(alteration.node) },
            "\(end.differences)")
    }

    @Test func alteredLocksBitsAndMutexesAreNoStateOfTheModel() throws {
        let locks = try Self.endState("smoke", node: 2) { snapshot in
            for (path, text) in snapshot.files where path.hasSuffix("_locks") {
                // What an ack that was never granted looks like.
                let lines = text.split(separator: "\n").map(String.init)
                snapshot.files[path] = lines.map { line in
                    line.hasSuffix("\"ack\"") ? line.replacing(" 2 1 -1 ", with: " 3 1 5 ") : line
                }.joined(separator: "\n")
            }
        }
        #expect(locks.differences.map(\.observed) == ["CR, converting to EX"])
        let bits = try Self.endState("smoke", node: 2) { $0.arrays?[0].clusterState = 1 << 6 | 1 << 4 }
        #expect(bits.differences.map(\.field) == [.state])
        let mutex = try Self.endState("smoke", node: 2) { $0.arrays?[0].reconfigMutexOwner = 77 }
        #expect(mutex.differences.map(\.field) == [.reconfigMutex])
        let remote = try Self.endState("smoke", node: 2) { snapshot in
            snapshot.files["/proc/mdstat"] = snapshot.files["/proc/mdstat"]?.replacing(
                "      bitmap:", with: "      \tresync=REMOTE\n      bitmap:")
        }
        #expect(remote.differences.map(\.field) == [.remote])
    }

    @Test func anAlteredSuperblockIsNoStateOfTheModel() throws {
        let (fixture, comparison) = try #require(Self.compared["smoke"])
        var snapshots = fixture.snapshots
        for index in snapshots.indices {
            snapshots[index].superblocks = try snapshots[index].superblocks.mapValues { text in
                var bytes = [UInt8](try #require(Data(base64Encoded: text)))
                // dev_roles[1]: vdb is active in slot 1 again. The checksum with it: 0xfffe - 1 less.
                bytes[258] = 1
                bytes[259] = 0
                return Data(Self.summed(bytes)).base64EncodedString()
            }
        }
        let end = EndState(comparison, traces: fixture.traces, snapshots: snapshots, ending: .finished)
        #expect(end.differences.map(\.field) == [.superblockRole])
    }

    /// calc_sb_1_csum over the bytes that the roles reach to.
    private static func summed(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        func word(_ offset: Int) -> UInt64 {
            (0..<4).reduce(UInt64(0)) { $0 | UInt64(bytes[offset + $1]) << UInt64($1 * 8) }
        }
        let length = 256 + Int(word(220)) * 2
        var sum: UInt64 = 0
        for offset in stride(from: 0, to: length - 3, by: 4) where offset != 216 { sum += word(offset) }
        if length % 4 == 2 { sum += UInt64(bytes[length - 2]) | UInt64(bytes[length - 1]) << 8 }
        let folded = UInt32(truncatingIfNeeded: (sum & 0xffff_ffff) + (sum >> 32))
        for place in 0..<4 { bytes[216 + place] = UInt8(truncatingIfNeeded: folded >> UInt32(place * 8)) }
        return bytes
    }

    /// The removal of "remove-device" as the finding has it: node 2 keeps the faulty device. Its raid1d had time for
    /// it.
    @Test func aForgottenRemovalIsTold() throws {
        let smoke = try Fixture("smoke").snapshots.last { $0.node == NodeID(2) && $0.label == "final" }
        let kept = try #require(smoke).files.filter { $0.key.contains("/md/dev-vdb/") }
        #expect(!kept.isEmpty)
        let end = try Self.endState("remove-device", node: 2) { $0.files.merge(kept) { $1 } }
        #expect(end.differences.map(\.field).first == .device)
        #expect(end.differences.first?.observed == "faulty")
    }

    @Test func whatCannotBeComparedIsSaid() throws {
        let (fixture, comparison) = try #require(Self.compared["smoke"])
        func end(_ snapshots: [NodeSnapshot], _ ending: RunDescription.Ending = .finished) -> EndState.Answer {
            EndState(comparison, traces: fixture.traces, snapshots: snapshots, ending: ending).answer
        }
        #expect(end([]) == .notCompared(.noSnapshot(NodeID(1))))
        #expect(end(fixture.snapshots, .hung) == .notCompared(.ended(.hung)))
        var busy = fixture.snapshots
        for index in busy.indices { busy[index].files["/sys/block/md0/md/sync_action"] = "recover\n" }
        #expect(end(busy) == .notCompared(.notAtRest(NodeID(1), action: "recover")))
        var early = fixture.snapshots
        for index in early.indices { early[index].uptime = 1 }
        guard case .notCompared(.wentOn(NodeID(1), _)) = end(early) else {
            Issue.record("\(end(early))")
            return
        }
        let stranger = try fixture.compared(with: "cr-cw")
        #expect(
            EndState(stranger, traces: fixture.traces, snapshots: fixture.snapshots, ending: .finished).answer
                == .notCompared(.eventsDoNotConform))
    }
}

/// One device, action by action.
@Suite struct DeviceHistoryTests {
    static func history(_ actions: [ArrayAction], variant: String = "v5.11") -> Set<[DeviceRole]> {
        var history = DeviceHistory(device: 1, nodes: 2, rules: .init(variant: variant))
        for action in actions { history.take(action) }
        return Set(history.atRest.map { [$0[0], $0[1]] })
    }

    static let failed: [ArrayAction] = [
        .join(node: 0), .join(node: 1), .pass(node: 0), .written(node: 0), .reload(node: 1),
        .passEnds(node: 0, takesRoles: true),
    ]

    @Test func whatOneNodeWritesTheOtherReads() {
        let ends = Self.history(Self.failed)
        #expect(ends.contains([.inSync, .inSync]))
        #expect(!ends.contains([.faultyOut, .inSync]))
        #expect(!ends.contains([.inSync, .faultyOut]))
        // Without the other node's md_reload_sb it does not know.
        #expect(Self.history(Self.failed.filter { $0 != .reload(node: 1) }).contains([.faultyOut, .inSync]))
    }

    @Test func aRemovalBehindTheLookIsForgottenAndBeforeItIsNot() {
        let fails = Self.failed + [.pass(node: 1), .passEnds(node: 1, takesRoles: true)]
        let removal: [ArrayAction] = [
            .received(node: 1, .remove, device: 1), .acknowledged(node: 1),
            .told(node: 0, .remove, device: 1, byMdadm: true),
        ]
        let inTime = fails + removal + [.pass(node: 1), .passEnds(node: 1, takesRoles: true)]
        #expect(Self.history(inTime) == [[.absent, .absent]])
        let late =
            fails + [.pass(node: 1), .passUpdates(node: 1)] + removal + [.passEnds(node: 1, takesRoles: true)]
        #expect(Self.history(late).contains([.absent, .faultyOut]))
    }

    /// A REMOVE that comes before the failure was announced: the other node still uses the device, and keeps it.
    @Test func onlyAKernelThatDoesNotWaitRemovesAtOnce() {
        let actions: [ArrayAction] = [
            .join(node: 0), .join(node: 1), .received(node: 1, .remove, device: 1), .acknowledged(node: 1),
            .pass(node: 1), .passEnds(node: 1, takesRoles: true), .told(node: 0, .remove, device: 1, byMdadm: true),
        ]
        #expect(Self.history(actions, variant: "remove-eaten").contains([.absent, .inSync]))
        #expect(!Self.history(actions).contains([.absent, .inSync]))
    }
}
