// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import Scenarios
import Testing

@testable import Steering

let schedulesFolder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "kernel-tests/schedules")

/// Two operations and a gate; `order` and `deadlock` are lines as they stand in a file.
func scheduleText(
    gates: String = "  g: {on: node2, thread: raid1d, entry: md_update_sb}",
    order: [String] = ["arm: g", "start: fail-c", "held: g", "start: fail-b", "ends: fail-b", "release: g"],
    deadlock: String = ""
) -> String {
    """
    summary: a test
    nodes: 2
    disks: 4
    array: {devices: 4}
    operations:
      fail-b: {on: node1, run: mdadm /dev/md0 --fail /dev/vdb}
      fail-c: {on: node2, run: mdadm /dev/md0 --fail /dev/vdc}
    gates:
    \(gates)
    order:
    \(order.map { "  - " + $0 }.joined(separator: "\n"))
    \(deadlock.isEmpty ? "" : "deadlock:\n" + deadlock)
    """
}

func parseSchedule(_ text: String) throws(ScheduleError) -> Schedule {
    try ScheduleReader.parse(Array(text.utf8), name: "test", file: "test.yaml")
}

@Suite struct ScheduleReaderTests {
    @Test func theProjectsSchedulesAreRead() throws {
        let files = try FileManager.default.contentsOfDirectory(at: schedulesFolder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "yaml" }
        #expect(files.count >= 6)
        for file in files {
            let schedule = try ScheduleReader.read(file: file)
            #expect(!schedule.gates.isEmpty && schedule.scenario.variants.count == 1, "\(file.lastPathComponent)")
            let hangs = schedule.scenario.variants.values.contains { $0.checks == ["no-hang"] }
            #expect(schedule.deadlock.isEmpty == !hangs, "\(file.lastPathComponent)")
        }
    }

    @Test func whatAFileSaysIsWhatIsRead() throws {
        let schedule = try parseSchedule(
            scheduleText(
                gates: "  g: {on: node2, thread: fail-c, return: md_error, skip: 3}",
                order: [
                    "arm: g", "start: fail-c", "held: g", "waits: {node1 raid1d: rest, node2 fail-c: md_ioctl}",
                    "locks: {node1 token: NL -> EX, node2 ack: CR}", "{release: g, limit: 40s}", "start: fail-b",
                ],
                deadlock: "  node2 fail-c: {in: [a, b], waits-for: ack EX, held-by: node1 recv_daemon}"))
        #expect(
            schedule.gates == [
                .init(
                    name: "g", thread: .init(node: NodeID(2), .operation("fail-c")), edge: .return,
                    function: "md_error",
                    skip: 3,
                    line: 9)
            ])
        #expect(
            schedule.order.map(\.event.text) == [
                "arm g", "start fail-c", "g holds its thread",
                "node1 raid1d is at rest, node2 fail-c waits in md_ioctl",
                "node1 token is NL -> EX, node2 ack is CR", "release g", "start fail-b",
            ])
        #expect(schedule.order[5].limit == 40)
        #expect(
            schedule.deadlock == [
                .init(
                    thread: .init(node: NodeID(2), .operation("fail-c")), stack: ["a", "b"], waitsFor: .lock(.ack, .ex),
                    heldBy: .init(node: NodeID(1), .recvDaemon))
            ])
        #expect(schedule.comm(of: schedule.gates[0].thread) == "mdadm")
    }

    @Test(arguments: [
        ("  g: {on: node2, thread: raid1, entry: f}", "thread", "raid1", ["raid1d"]),
        ("  g: {on: node1, thread: fail-c, entry: f}", "thread", "fail-c", ["fail-b"]),
    ])
    func aThreadThatIsNotThere(gates: String, kind: String, name: String, near: [String]) {
        guard case .unknown("test.yaml", 9, kind, name, let found, _)? = error(scheduleText(gates: gates)) else {
            Issue.record("\(String(describing: error(scheduleText(gates: gates))))")
            return
        }
        #expect(found.first == near.first)
    }

    @Test(arguments: [
        ("arm: h", "gate", "h"), ("start: fail-d", "operation", "fail-d"),
        ("waits: {node3 raid1d: rest}", "node", "node3"),
        ("waits: {node1 raidd: rest}", "thread", "raidd"), ("locks: {node1 tokn: EX}", "lock", "tokn"),
        ("locks: {node9 token: EX}", "node", "node9"), ("ends: remove", "operation", "remove"),
    ])
    func aNameOfTheOrderThatIsNotThere(entry: String, kind: String, name: String) {
        guard case .unknown(_, 11, kind, name, _, let known)? = error(scheduleText(order: [entry])) else {
            Issue.record("\(String(describing: error(scheduleText(order: [entry]))))")
            return
        }
        #expect(!known.isEmpty)
    }

    @Test func aFunctionThatNoModuleHas() throws {
        let schedule = try parseSchedule(scheduleText())
        #expect(schedule.unknownFunction(among: ["md_update_sb"], file: "x") == nil)
        let known: Set<String> = ["md_update_sbs", "raid1d"]
        guard
            case .unknown("x", 9, "function", "md_update_sb", ["md_update_sbs"], _)? = schedule.unknownFunction(
                among: known, file: "x")
        else {
            Issue.record("\(String(describing: schedule.unknownFunction(among: known, file: "x")))")
            return
        }
    }

    @Test func anEventThatIsNotThere() {
        #expect(
            error(scheduleText(order: ["hold: g"]))
                == .scenario(
                    .file("test.yaml", line: 11, .unknownKey("hold", what: "an entry of order", near: ["held"]))))
    }

    @Test func anUnknownNodeOfAGate() {
        guard
            case .scenario(.file(_, 9, .unknownNode("node4", _)))? = error(
                scheduleText(gates: "  g: {on: node4, thread: raid1d, entry: f}"))
        else {
            Issue.record("node4 was accepted")
            return
        }
    }

    @Test(arguments: [
        (["held: g"], ScheduleError.Disorder.notArmed(gate: "g")),
        (["release: g"], .notArmed(gate: "g")),
        (["arm: g", "arm: g"], .armedTwice(gate: "g")),
        (["arm: g"], .neverReleased(gate: "g")),
        (["arm: g", "release: g", "held: g"], .notArmed(gate: "g")),
        (["ends: fail-b"], .notStarted(operation: "fail-b")),
        (["waits: {node2 fail-c: f}"], .notStarted(operation: "fail-c")),
        (["start: fail-b", "start: fail-b"], .startedTwice(operation: "fail-b")),
        (["start: fail-b"], .neverStarted(operation: "fail-c")),
    ])
    func anOrderThatCannotBe(order: [String], what: ScheduleError.Disorder) {
        guard case .order(_, _, what)? = error(scheduleText(order: order)) else {
            Issue.record("\(String(describing: error(scheduleText(order: order))))")
            return
        }
    }

    @Test(arguments: [
        "{start: fail-b, arm: g}", "{}", "waits: []", "waits: {node1 raid1d: [a]}", "locks: {node1 token: XX}",
        "locks: {node1 token: EX -> }", "waits: {node1: rest}", "waits: {node1 raid1d: a b}", "{arm: g, limit: -1}",
        "just text", "[]",
    ])
    func anEntryThatSaysNothing(entry: String) {
        #expect(error(scheduleText(order: [entry])) != nil)
    }

    @Test(arguments: [
        "  g: {on: node2, thread: raid1d}", "  g: {on: node2, thread: raid1d, entry: a, return: b}", "  \"a b\": {}",
    ])
    func aGateThatSaysNothing(gates: String) { #expect(error(scheduleText(gates: gates)) != nil) }

    @Test func anyPartOfAFileIsReadOrRefused() throws {
        let text = Array(try Data(contentsOf: schedulesFolder.appending(path: "remove-behind-resync.yaml")))
        var refused = 0
        for length in stride(from: 0, to: text.count, by: 23) {
            do {
                _ = try ScheduleReader.parse(Array(text.prefix(length)), name: "cut", file: "cut.yaml")
            } catch {
                refused += 1
            }
        }
        #expect(refused > text.count / 46)
        #expect(throws: ScheduleError.self) {
            try ScheduleReader.parse((0..<4096).map { UInt8($0 * 7 & 0xff) }, name: "x", file: "x.yaml")
        }
    }

    /// `mdlab run` must not take a schedule for a scenario: it would leave the gates out.
    @Test func aScheduleIsNoScenario() throws {
        let text = Array(scheduleText().utf8)
        #expect(throws: ScenarioError.self) { try ScenarioReader.parse(text, name: "test", file: "test.yaml") }
        #expect(try ScenarioReader.parse(text, name: "test", file: "test.yaml", isSchedule: true).disks == 4)
    }

    private func error(_ text: String) -> ScheduleError? {
        do {
            _ = try parseSchedule(text)
            return nil
        } catch {
            return error
        }
    }
}
