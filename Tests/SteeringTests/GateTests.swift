// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import RunRecord
import Synchronization
import Testing
import VirtualCluster

@testable import Steering

/// What a node's `gates` and `points` said in a run of 6.1.0-56 in which md0_raid1 was held at several places.
private let recordedGates = """
    a expired mddev_trylock entry * 142 1 0 2020 md0_raid1
    b expired md_check_recovery return md0_raid1 142 2 1 1022 md0_raid1
    c armed mdstat_poll entry * 0 0 0 0 -
    d atomic super_written entry * 37 4 0 0 kworker/0:1H
    e held md_check_recovery entry md0_raid1 142 1 0 43 md0_raid1

    """
private let recordedPoints = """
    md_seq_open entry 1 0 345514 md_mod mdadm
    mddev_find_locked return 1 1 350209 md_mod mdadm
    md_check_events entry 2 0 356554 md_mod kworker/0:2
    sysfs_get_dirent_safe entry 11 0 356827 md_mod mdadm

    """

struct GateTextTests {
    @Test func gatesAreReadAsTheModuleWritesThem() throws {
        let states = try GateState.states(in: recordedGates)
        #expect(states.map(\.id) == ["a", "b", "c", "d", "e"])
        #expect(states.map(\.stage) == [.expired, .expired, .armed, .atomic, .held])
        #expect(states[1].edge == .return && states[1].hits == 2 && states[1].skipped == 1 && states[1].held == 1022)
        #expect(states[2].pid == nil && states[2].thread == nil)
        #expect(states[3].pid == 37 && states[3].thread == "kworker/0:1H")
        #expect(try GateState.states(in: "") == [])
    }

    @Test func aThreadsNameMayHaveBlanks() throws {
        #expect(try GateState("x held f entry * 7 1 0 3 a b  c").thread == "a b  c")
        #expect(try GatePoint("f return 3 0 12 m a b").comm == "a b")
    }

    @Test func pointsAreReadAsTheModuleWritesThem() throws {
        let points = try GatePoint.points(in: recordedPoints + "# 3 hits of more functions were not counted\n")
        #expect(points.count == 4)
        #expect(points[1].function == "mddev_find_locked" && points[1].atomic == 1 && points[1].edge == .return)
        #expect(points[3].hits == 11 && points[3].first == 356827 && points[3].comm == "mdadm")
    }

    @Test(arguments: [
        "", " ", "a", "a held", "a stuck f entry * 1 1 0 3 t", "a held f exit * 1 1 0 3 t",
        "a held f entry * x 1 0 3 t",
        "a held f entry * -1 1 0 3 t", "a held f entry * 1 1 0 3", "a held f entry * 1 1 0 99999999999999999999 t",
        "a held  entry * 1 1 0 3 t", "\u{0} held f", "a held f entry  1 1 0 3 t",
    ])
    func aLineThatIsNotOneOfGatesIsAnError(line: String) {
        #expect(throws: GateError.self) { try GateState(line) }
    }

    @Test(arguments: [
        "", "f", "f entry 0 0 1 m t", "f entry 1 2 1 m t", "f entry 1 0 -1 m t", "f middle 1 0 1 m t", "f entry 1 0 1",
        "f entry 1 0 1 m", "f entry 1 0 1  t",
    ])
    func aLineThatIsNotOneOfPointsIsAnError(line: String) {
        #expect(throws: GateError.self) { try GatePoint(line) }
    }

    @Test func aFileThatIsCutAnywhereIsAnErrorOrShorter() {
        for length in 0..<recordedGates.utf8.count {
            let cut = String(decoding: recordedGates.utf8.prefix(length), as: UTF8.self)
            let whole = cut.isEmpty || cut.hasSuffix("\n")
            #expect((try? GateState.states(in: cut)).map { $0.count < 6 } ?? !whole)
            if !whole { #expect(throws: GateError.self) { try GateState.states(in: cut) } }
        }
    }

    @Test func garbageNeverCrashes() {
        var state: UInt64 = 42
        for _ in 0..<2000 {
            var bytes: [UInt8] = []
            for _ in 0..<40 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes.append(UInt8(truncatingIfNeeded: state >> 33))
            }
            let text = String(decoding: bytes, as: UTF8.self) + "\n"
            #expect(throws: GateError.self) { try GateState.states(in: text) }
        }
    }

    @Test func aGateThatTheModuleWouldRefuseSaysWhy() {
        func fault(_ change: (inout Gate) -> Void) -> GateFault? {
            var gate = Gate("g", at: .entry, of: "f", by: "*", limit: .seconds(1))
            change(&gate)
            return gate.fault
        }
        #expect(fault { _ in } == nil)
        #expect(fault { $0.id = "" } == .id(""))
        #expect(fault { $0.id = "a b" } == .id("a b"))
        #expect(fault { $0.id = String(repeating: "x", count: 32) } != nil)
        #expect(fault { $0.function = "f\n" } == .function("f\n"))
        #expect(fault { $0.comm = "" } == .comm(""))
        #expect(fault { $0.limit = 0 } == .limit(0))
        #expect(fault { $0.limit = 600_001 } == .limit(600_001))
        #expect(fault { $0.skip = -1 } == .skip(-1))
    }
}

/// A node whose gate module exists only as text.
private final class GateNode: NodeControl {
    let id = NodeID(2)
    struct State {
        /// What `gates` says, one text for each time it is read; the last one stays.
        var gates: [String] = [""]
        var written: [String] = []
        var error: Int32 = 0
        var present = true
    }
    let state = Mutex(State())

    init(_ gates: [String] = [""], error: Int32 = 0, present: Bool = true) {
        state.withLock { $0 = State(gates: gates, error: error, present: present) }
    }

    func refusal(_ errno: Int32) -> ClusterFailure {
        .refused(id, action: "write", reason: .errno(errno))
    }
    func read(_ path: String) async throws -> [UInt8] {
        try state.withLock { state in
            guard state.present, path == GateModule.gates else { throw refusal(ENOENT) }
            return Array((state.gates.count > 1 ? state.gates.removeFirst() : state.gates[0]).utf8)
        }
    }
    func write(_ path: String, _ text: String) async throws {
        try state.withLock { state in
            guard state.present, path == GateModule.control else { throw refusal(ENOENT) }
            guard state.error == 0 else { throw refusal(state.error) }
            state.written.append(text)
        }
    }
    func run(_ argv: [String], limit: Duration) async throws -> CommandResult { throw refusal(ENOSYS) }
    func threads(named names: [String], limit: Duration) async throws -> [NodeSnapshot.Thread] {
        let stack = ["dlm_lock_sync+0x8e/0xd0 [md_cluster]", "lock_comm+0x52/0x150 [md_cluster]"]
        return [("md0_resync", "D"), ("md0_raid1", "S"), ("cat", "D")].enumerated().map {
            .init(pid: 142 + $0, comm: $1.0, state: $1.1, stack: stack)
        }
    }
    func start(_ argv: [String]) async throws -> any RunningCommand { throw refusal(ENOSYS) }
    func setConfirmation(_ policy: ConfirmationPolicy) async throws { throw refusal(ENOSYS) }
}

struct GateKeeperTests {
    private let gate = Gate("g", at: .return, of: "lock_comm", by: "md0_resync", limit: .seconds(60), skip: 2)

    @Test func gatesAreArmedReleasedAndForgotten() async throws {
        let node = GateNode()
        let keeper = GateKeeper(node)
        try await keeper.arm(gate)
        try await keeper.release("g")
        try await keeper.disarm("g")
        try await keeper.reset()
        #expect(
            node.state.withLock { $0.written } == [
                "arm g return lock_comm md0_resync 60000 2", "release g", "disarm g", "reset",
            ])
    }

    @Test(arguments: [
        (ENOENT, GateError.unknownFunction("lock_comm", NodeID(2))), (EEXIST, .alreadyArmed("g", NodeID(2))),
        (ENOSPC, .tooManyGates(NodeID(2))),
        (EINVAL, .refused(line: "arm g return lock_comm md0_resync 60000 2", NodeID(2))),
    ])
    func aRefusalSaysWhatWasWrong(errno: Int32, error: GateError) async {
        await #expect(throws: error) { try await GateKeeper(GateNode(error: errno)).arm(gate) }
    }

    @Test func aNodeWithoutTheModuleIsNotAnUnknownFunction() async {
        await #expect(throws: GateError.notInstrumented(NodeID(2))) {
            try await GateKeeper(GateNode(present: false)).arm(gate)
        }
        await #expect(throws: GateError.notInstrumented(NodeID(2))) {
            try await GateKeeper(GateNode(present: false)).states()
        }
    }

    @Test func aGateThatCannotBeIsNotAskedFor() async {
        let node = GateNode()
        var gate = gate
        gate.limit = 0
        await #expect(throws: GateError.badGate(gate, .limit(0))) { try await GateKeeper(node).arm(gate) }
        #expect(node.state.withLock { $0.written }.isEmpty)
    }

    @Test func theWaitEndsWhenAThreadIsHeld() async throws {
        let armed = "g armed lock_comm return md0_resync 0 0 0 0 -\n"
        let held = "g held lock_comm return md0_resync 142 3 2 5 md0_resync\n"
        let state = try await GateKeeper(GateNode([armed, armed, held])).untilHeld("g", patience: .seconds(600))
        #expect(state.pid == 142 && state.skipped == 2)
    }

    @Test(arguments: ["atomic", "expired", "released"])
    func aGateThatIsSpentIsNoHold(stage: String) async throws {
        let text = "g \(stage) lock_comm return md0_resync 142 3 2 5 md0_resync\n"
        let state = try GateState.states(in: text)[0]
        let expected = stage == "atomic" ? GateError.atomicContext(state, NodeID(2)) : .gone(state, NodeID(2))
        await #expect(throws: expected) {
            try await GateKeeper(GateNode([text])).untilHeld("g", patience: .seconds(3600))
        }
    }

    @Test func aThreadThatNeverComesIsSaidToBeSomewhereElse() async throws {
        let text = "g armed lock_comm return md0_resync 0 1 1 0 -\n"
        let expected = GateError.neverArrived(
            try GateState.states(in: text)[0], NodeID(2), seconds: 0.05,
            instead: [
                ThreadPlace(
                    pid: 142, comm: "md0_resync", state: "D",
                    stack: ["dlm_lock_sync+0x8e/0xd0 [md_cluster]", "lock_comm+0x52/0x150 [md_cluster]"])
            ])
        await #expect(throws: expected) {
            try await GateKeeper(GateNode([text])).untilHeld("g", patience: .milliseconds(50))
        }
    }

    @Test func aGateThatWasNeverArmedIsUnknown() async {
        await #expect(throws: GateError.unknownGate("x", NodeID(2))) {
            try await GateKeeper(GateNode([recordedGates])).untilHeld("x", patience: .seconds(3600))
        }
        await #expect(throws: GateError.unknownGate("x", NodeID(2))) {
            try await GateKeeper(GateNode(error: ESRCH)).release("x")
        }
    }
}
