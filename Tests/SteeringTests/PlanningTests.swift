// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Comparison
import Foundation
import MDClusterModel
import ModelChecker
import ProcedureModel
import Testing

@testable import Steering

/// What `mdlab model check --json` writes.
func counterexample(_ variant: String, _ workload: String) throws -> RunDocument {
    let machine = try Machine(
        MDCluster.program(variant: variant, nodes: 2, workload: Workload(workload, nodes: 2)))
    let run = try #require(Search(machine).run().counterexample)
    return machine.document(of: run, variant: variant, workload: workload, verdict: "FAILS: deadlock")
}

@Suite struct PlanningTests {
    @Test func theStoredScheduleIsWhatIsMade() throws {
        let prediction = try Prediction(counterexample("no-holding-on-stop", "fail/stop"), file: "x.json")
        let name = "deadlock-no-holding-on-stop"
        let made = try Planning.schedules(for: prediction, name: name)
        let stored = try String(contentsOf: schedulesFolder.appending(path: name + ".yaml"), encoding: .utf8)
        #expect(made.first?.text == stored)
        #expect(made.allSatisfy { $0.schedule.gates.count == 1 })
    }

    /// Whoever confirms the device may do so or not, which looks alike in the document. The schedule needs that it
    /// does.
    @Test func aCounterexampleWithAnAnswerOfUserSpaceIsPlanned() throws {
        let prediction = try Prediction(counterexample("v5.11", "add,sysfs-remove/"), file: "x.json")
        #expect(!prediction.answers.isEmpty)
        let made = try #require(try Planning.schedules(for: prediction, name: "x").first?.schedule)
        #expect(made.operations.map(\.name) == ["add-b", "remove-b"])
        #expect(made.gates.count == 1 && made.deadlock.count == 1)
    }

    @Test func aStepThatTheModelCannotTakeIsNamed() throws {
        var document = try counterexample("no-holding-on-stop", "fail/stop")
        document.states[7].step?.identity?.ordinal += 100
        #expect(throws: PlanError.notARunOfTheModel(step: 7)) { _ = try Prediction(document, file: "x.json") }
    }

    @Test func aCounterexampleIsReadThoughEverythingIsWordedOtherwise() throws {
        let document = try counterexample("no-holding-on-stop", "fail/stop")
        var reworded = document
        for number in reworded.states.indices {
            reworded.states[number].step?.text = "in other words"
            reworded.states[number].step?.stack = ["elsewhere"]
            for (name, value) in reworded.states[number].values where value.contains(": ") {
                reworded.states[number].values[name] = "stands at \(number)"
            }
        }
        #expect(try Prediction(reworded, file: "x.json").run.steps == Prediction(document, file: "x.json").run.steps)
        // A document of before there were identities is known by its texts.
        var old = document
        for number in old.states.indices { old.states[number].step?.identity = nil }
        #expect(try Prediction(old, file: "x.json").run.steps == Prediction(document, file: "x.json").run.steps)
        old.states[7].step?.text = "in other words"
        #expect(throws: PlanError.notARunOfTheModel(step: 7)) { _ = try Prediction(old, file: "x.json") }
    }

    @Test func aRunThatEndsAtRestIsNoDeadlock() throws {
        var document = try counterexample("no-holding-on-stop", "fail/stop")
        document.states = []
        document.meta.workload = "/fail"
        // Nothing has begun: the only thread that is not at rest is the process.
        #expect(throws: Never.self) { try Prediction(document, file: "x.json") }
        document.meta.workload = "nonsense"
        #expect(throws: PlanError.self) { try Prediction(document, file: "x.json") }
    }

    @Test(arguments: ["", "{", "[]", "{\"#meta\": 3}", "\u{0}\u{1}"])
    func aFileThatIsNoCounterexample(text: String) throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "mdlab-\(UUID().uuidString).json")
        try Data(text.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        #expect(throws: PlanError.notACounterexample(file.lastPathComponent)) { try Prediction.read(file: file) }
    }

    @Test func aFileThatIsNotThere() {
        #expect(throws: PlanError.self) { try Prediction.read(file: URL(filePath: "/nowhere/x.json")) }
    }

    @Test func functionsThatAreLeftAndEntered() {
        let edges = ControlledModel.edges(
            ["dlm_lock_sync", "lock_comm", "sendmsg", "mdadm on node1"].map { CallFrame($0) },
            ["__sendmsg", "sendmsg", "mdadm on node1"].map { CallFrame($0) })
        #expect(edges.map(\.1) == ["dlm_lock_sync", "lock_comm", "__sendmsg"])
        #expect(edges.map(\.0) == [.return, .return, .entry])
        #expect(ControlledModel.edges([CallFrame("a")], [CallFrame("a")]).isEmpty)
        // The same function with other arguments is left and entered again.
        func f(_ value: Int) -> CallFrame { CallFrame("f", [.init(name: "mode", value: .number(value))]) }
        #expect(ControlledModel.edges([f(0)], [f(1)]).map(\.1) == ["f", "f"])
    }

    @Test func reasonsAreWordedAsInAFile() {
        let all: [(WaitEdge.Reason, String)] = [
            (.lock("ack", .ex, held: .cr), "ack EX"), (.mutex("reconfig_mutex"), "reconfig_mutex"),
            (.variable("SEND_LOCK", .v("SEND_LOCK") == 0), "SEND_LOCK"),
            (.end(of: "md0_cluster_recv"), "the end of recv_daemon"),
        ]
        for (reason, text) in all {
            #expect(AwaitedThing(reason).description == text)
            // And read again as what it was.
            #expect(AwaitedThing(text) == AwaitedThing(reason))
        }
        #expect(AwaitedThing("wake-up") == .wakeUp)
        for garbage in ["", "ack XY", "the end of ", "a b c"] { #expect(AwaitedThing(garbage) == nil, "\(garbage)") }
    }

    @Test func operationsOfTheModelAreCommands() throws {
        let names = Workload.operationNames.filter { !["join", "crash", "delay"].contains($0) }
        let all = try ModelOperation.all(of: Workload(names.joined(separator: ","), nodes: 2))
        #expect(all.count == 2 * names.count)
        #expect(Set(all.map(\.name)).count == all.count)
        #expect(Set(all.filter { $0.node == NodeID(1) }.map(\.command)).count == names.count)
        #expect(throws: PlanError.unsupportedOperation("crash")) {
            try ModelOperation.all(of: Workload("fail/crash", nodes: 2))
        }
    }

    /// While a process is not begun it takes no step, and while a thread is held it takes none either.
    @Test func nothingGoesOnThatIsHeld() throws {
        let prediction = try Prediction(counterexample("no-holding-on-stop", "fail/stop"), file: "x.json")
        var model = ControlledModel(prediction.machine)
        var random = SplitMix(seed: 1)
        let idle = model.settle(&random)
        #expect(idle && model.steps == 0)
        let process = try #require(prediction.machine.threads.firstIndex { $0.name == "mdadm" && $0.node == 0 })
        let daemon = try #require(prediction.machine.threads.firstIndex { $0.name == "md0_raid1" && $0.node == 0 })
        let point = ModelPoint(thread: daemon, edge: .entry, function: "md_update_sb")
        model.arm(point, skip: 0)
        model.begin(process)
        let came = model.settle(&random)
        #expect(came)
        #expect(model.gates.map(\.isHeld) == [true])
        let held = model.positions[daemon]
        model.moved = []
        let waited = model.settle(&random)
        #expect(waited && model.moved.isEmpty)
        model.release(point)
        let went = model.settle(&random)
        #expect(went && model.positions[daemon] != held)
    }
}
