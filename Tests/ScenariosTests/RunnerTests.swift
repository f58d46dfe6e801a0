// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import RunRecord
import Testing
import VirtualCluster

@testable import Scenarios

private let done = CommandResult(status: 0, output: "", errors: "")

/// A thread in D state, as the light look prints it.
private let stuckReceiver = NodeSnapshot.Thread(
    pid: 77, comm: "md0_cluster_rec", state: "D",
    stack: ["recv_daemon+0x1a2/0x3f0 [md_cluster]", "md_thread+0xb1/0x150 [md_mod]"])

private func runner(
    _ steps: String, _ cluster: FakeCluster, settle: Double = 2,
    finder: @escaping @Sendable ([NodeSnapshot], [NodeSnapshot]) -> [String]? = { _, _ in nil }
) throws -> ScenarioRunner {
    var scenario = try scenario(steps: steps)
    scenario.nodeCounts = [cluster.count]
    var runner = ScenarioRunner(
        instance: ScenarioInstance(scenario: scenario, level: .raid1, nodes: cluster.count), cluster: cluster,
        patience: Patience(slowness: 1), finder: finder)
    runner.pace.interval = .milliseconds(20)
    runner.pace.betweenSnapshots = .milliseconds(20)
    runner.pace.looksUntilAgain = 1000
    runner.settleLimit = settle
    return runner
}

@Suite(.timeLimit(.minutes(1))) struct RunnerTests {
    @Test func aRunCreatesAssemblesStepsAndSettles() async throws {
        let cluster = FakeCluster(nodes: 3) { node, argv, cluster in
            if argv.contains("mdadm /dev/md0 --fail /dev/vdb") {
                cluster.set("/sys/block/md0/md/dev-vdb/state", "faulty\n")
            }
            return done
        }
        let outcome = try await runner(
            """
              - {confirm: missing, on: others}
              - {run: mdadm /dev/md0 --fail /dev/vdb, on: node1}
              - {wait: {on: all, device: vdb, is: faulty}}
              - {settle: 5s}
            """, cluster
        ).run()
        #expect(outcome == ScenarioRunner.Outcome(ending: .finished, problem: nil))
        #expect(
            cluster.commands.prefix(2) == [
                "node1: mdadm --create /dev/md0 --run --bitmap=clustered --nodes=3 --metadata=1.2 --homehost=none --level=1"
                    + " --raid-devices=2 --assume-clean /dev/vda /dev/vdb",
                "node2: mdadm --examine /dev/vdb",
            ])
        #expect(cluster.commands.contains("node3: mdadm --assemble /dev/md0 /dev/vda /dev/vdb"))
        #expect(cluster.state.withLock { $0.confirmations } == [NodeID(2): .missing, NodeID(3): .missing])
        #expect(cluster.snapshots == ["settled", "final"])
        #expect(cluster.events.contains { $0.kind == .stepEnd && $0.facts["line"] == "5" })
    }

    @Test func anUnexpectedStatusIsTheKernelsProblemAndAMissingProgramTheScenarios() async throws {
        let busy = FakeCluster { _, argv, _ in
            argv.contains("a") ? CommandResult(status: 1, output: "", errors: "x\nDevice or resource busy\n") : done
        }
        let outcome = try await runner("  - {run: a, on: node1}", busy).run()
        #expect(
            outcome.problem == .status(node: NodeID(1), command: "a", status: 1, output: "Device or resource busy"))
        #expect(busy.events.last { $0.facts["problem"] != nil }?.facts["blame"] == "kernel")
        #expect(busy.snapshots == ["end"])

        let missing = FakeCluster { _, argv, _ in
            argv.contains("a") ? CommandResult(status: 127, output: "", errors: "sh: a: not found") : done
        }
        #expect(try await runner("  - {run: a, on: node1}", missing).run().ending == .failed)
        #expect(missing.events.last { $0.facts["problem"] != nil }?.facts["blame"] == "scenario")
    }

    @Test func aRefusedWriteIsTheKernelsAnswer() async throws {
        let cluster = FakeCluster()
        let outcome = try await runner("  - {write: refused, to: /sys/x, on: node2}", cluster).run()
        #expect(
            outcome.problem
                == .status(
                    node: NodeID(2), command: "echo refused > /sys/x", status: 1, output: "Device or resource busy"))
    }

    @Test func aConditionThatStaysFalseEndsTheRunWithTwoSnapshots() async throws {
        let cluster = FakeCluster()
        cluster.set("/sys/block/md0/md/degraded", "0\n")
        let outcome = try await runner("  - {wait: {on: all, md: degraded, is: 1}, limit: 0.2s}", cluster).run()
        #expect(outcome.ending == .hung)
        guard case .limit(let what, _, let observed) = outcome.problem else { Issue.record("\(outcome)"); return }
        #expect(what == "/sys/block/md0/md/degraded is 1 on all nodes")
        #expect(observed == ["node1: 0", "node2: 0"])
        #expect(cluster.snapshots == ["hang-1", "hang-2"])
        #expect(cluster.events.last { $0.facts["problem"] != nil }?.kind == .timeout)
    }

    @Test func whatCannotComeAnyMoreIsNotWaitedFor() async throws {
        let cluster = FakeCluster()
        cluster.set("/sys/block/md0/md/degraded", "0\n")
        var run = try runner("  - {wait: {on: all, md: degraded, is: 1}, limit: 3600s}", cluster)
        run.patience.stillness = 1
        let outcome = await run.run()
        guard case .limit(let what, let seconds, let observed) = outcome.problem else {
            Issue.record("\(outcome)")
            return
        }
        #expect(what == "/sys/block/md0/md/degraded is 1 on all nodes" && seconds < 3600)
        #expect(observed.dropLast() == ["node1: 0", "node2: 0"])
        #expect(observed.last?.hasPrefix("nothing has moved on any node for ") == true)
    }

    @Test func aWaitBesideACommandIsNoStillness() async throws {
        // The command ends later than nothing may move.
        let cluster = FakeCluster { _, argv, _ in
            argv.last == "slow" ? nil : CommandResult(status: 0, output: "", errors: "")
        }
        cluster.set("/sys/block/md0/md/degraded", "0\n")
        let steps = """
              - together:
                - {run: slow, on: node1, limit: 2.5s}
                - {wait: {on: all, md: degraded, is: 1}, limit: 3600s}
            """
        var run = try runner(steps, cluster)
        run.patience.stillness = 0.5
        let outcome = await run.run()
        guard case .limit(let what, _, _) = outcome.problem else {
            Issue.record("\(outcome)")
            return
        }
        #expect(what.contains("slow"))
    }

    @Test func onlyWhatStaysTheSameIsStill() {
        let start = ContinuousClock.now
        var stillness = Stillness(now: start)
        #expect(!stillness.isDue(start) && stillness.isDue(start + .seconds(1)))
        #expect(stillness.still(["a"], now: start + .seconds(1)) == .zero)
        #expect(stillness.still(["a"], now: start + .seconds(9)) == .seconds(8))
        #expect(stillness.still(["b"], now: start + .seconds(10)) == .zero)
        #expect(stillness.still(nil, now: start + .seconds(20)) == .zero)
        #expect(stillness.still(["b"], now: start + .seconds(30)) == .zero)
        #expect(stillness.still(["b"], now: start + .seconds(31)) == .seconds(1))
    }

    @Test func theWatchdogNamesAHangWhileACommandIsStillWaitedFor() async throws {
        let cluster = FakeCluster { _, argv, _ in
            argv.contains("fail") ? nil : done
        }
        cluster.state.withLock { $0.threads = [stuckReceiver] }
        // The command never ends: that the run does is the watchdog's doing.
        let outcome = try await runner("  - {run: fail, on: node1, limit: 3600s}", cluster) { first, second in
            #expect(first.map(\.label) == ["hang-1", "hang-1"] && second.map(\.label) == ["hang-2", "hang-2"])
            return ["node1 waits for node2", "node2 waits for node1"]
        }.run()
        #expect(outcome.ending == .hung)
        #expect(outcome.problem == .hang(["node1 waits for node2", "node2 waits for node1"]))
        #expect(cluster.snapshots == ["hang-1", "hang-2"])
    }

    @Test func aLongWaitWithoutACycleIsOnlyNoted() async throws {
        let cluster = FakeCluster { _, argv, cluster in
            if argv.contains("begin") { cluster.set("/x", "begun") }
            return done
        }
        cluster.state.withLock { $0.threads = [stuckReceiver] }
        let run = try runner(
            "  - {run: begin, on: node1}\n  - {wait: {on: node1, file: /x, is: ended}, limit: 3600s}", cluster)
        async let outcome = run.run()
        while !cluster.events.contains(where: { $0.text.hasPrefix("long wait") }) {
            try await Task.sleep(for: .milliseconds(10))
        }
        cluster.state.withLock { $0.threads = [] }
        cluster.set("/x", "ended")
        #expect(await outcome.ending == .finished)
        #expect(cluster.snapshots == ["hang-1", "hang-2", "final"])
    }

    @Test func aDeadNodeEndsTheRunUnlessTheScenarioCrashedIt() async throws {
        let dying = FakeCluster { node, argv, cluster in
            if argv.contains("a") { cluster.state.withLock { _ = $0.dead.insert(NodeID(2)) } }
            return done
        }
        let outcome = try await runner("  - {run: a, on: node1}\n  - {run: b, on: node2}", dying).run()
        #expect(outcome.ending == .nodeDied)
        #expect(outcome.problem == .nodeDied(NodeID(2), lastConsoleLines: ["Kernel panic - not syncing"]))
        #expect(dying.snapshots == ["end"])

        let crashed = FakeCluster()
        #expect(try await runner("  - {crash: node2}\n  - {run: a, on: all}", crashed).run().ending == .finished)
        #expect(crashed.commands.last == "node1: /bin/busybox sh -c a")
        let asked = try await runner("  - {crash: node2}\n  - {run: a, on: node2}", FakeCluster()).run()
        #expect(asked.problem == .scenario("a step on node2, which was crashed or frozen before"))
    }

    @Test func cancellingCompletesTheRecord() async throws {
        let cluster = FakeCluster { _, argv, _ in argv.contains("a") ? nil : done }
        let run = try runner("  - {run: a, on: node1, limit: 50s}", cluster)
        let task = Task { await run.run() }
        while !cluster.commands.contains("node1: /bin/busybox sh -c a") { try await Task.sleep(for: .milliseconds(5)) }
        task.cancel()
        #expect(await task.value == ScenarioRunner.Outcome(ending: .interrupted, problem: .interrupted))
        #expect(cluster.snapshots == ["end"])
        #expect(cluster.events.last { $0.facts["problem"] != nil }?.kind == .interrupted)
    }

    @Test func settlingWaitsForPendingSuperblocks() async throws {
        let cluster = FakeCluster()
        cluster.state.withLock { $0.sbFlags = 4 }
        async let outcome = try runner("  - {run: a, on: node1}", cluster, settle: 30).run()
        while cluster.snapshots.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        cluster.state.withLock { $0.sbFlags = 0 }
        #expect(try await outcome.ending == .finished)
        #expect(cluster.snapshots.count >= 2 && cluster.snapshots.allSatisfy { $0 == "final" })
    }

    @Test func branchesOfTogetherOverlap() async throws {
        // Each branch waits for what the other writes: one after the other, it would never end.
        let cluster = FakeCluster()
        let outcome = try await runner(
            """
              - together:
                  - - {write: one, to: /a, on: node1}
                    - {wait: {on: node2, file: /b, is: two}}
                  - - {wait: {on: node1, file: /a, is: one}}
                    - {write: two, to: /b, on: node2}
              - repeat: 3
                steps: [{cut: [node1, node2]}, {mend: [node1, node2]}]
              - {run: sleeper, on: node2, background: s}
              - {join: s}
            """, cluster
        ).run()
        #expect(outcome.ending == .finished)
        #expect(cluster.commands.filter { $0 == "link node1 node2 false" }.count == 3)
        #expect(cluster.commands.last == "node2: /bin/busybox sh -c sleeper")
    }
}

@Suite struct QuiescenceTests {
    private func snapshot(state: String = "S", mdstat: String = "", sbFlags: UInt64 = 0) -> NodeSnapshot {
        NodeSnapshot(
            node: NodeID(2), label: "final", time: 0, uptime: 0, files: ["/proc/mdstat": mdstat],
            threads: [
                .init(pid: 1, comm: "md0_raid1", state: state, stack: ["dlm_lock_sync+0x1/0x2 [md_cluster]"]),
                .init(pid: 2, comm: "jbd2", state: "D", stack: []),
            ],
            arrays: [
                .init(
                    name: "md0", clusterState: 0, reconfigMutexOwner: nil, receiveMutexOwner: nil, flags: 0,
                    recovery: 0,
                    sbFlags: sbFlags)
            ])
    }

    @Test func whatIsStillGoingOnIsNamed() {
        #expect(Quiescence.reason(snapshot()) == nil)
        #expect(
            Quiescence.reason(snapshot(state: "D")) == "node2: md0_raid1 waits in dlm_lock_sync+0x1/0x2 [md_cluster]")
        #expect(
            Quiescence.reason(snapshot(mdstat: "resync=PENDING")) == "node2: a resync or recovery runs or is pending")
        #expect(Quiescence.reason(snapshot(sbFlags: 1)) == "node2: md0 has a superblock to write")
    }
}

@Suite struct ConditionTests {
    @Test(arguments: [
        ("Personalities : [raid1]\nmd0 : active raid1 vdb[1] vda[0]\n  65408 blocks super 1.2 [2/2] [UU]\n", false),
        ("      [=>...]  resync =  8.3% (5440/65408) finish=0.9min", true), ("  \tresync=PENDING", true),
        ("      recover=REMOTE", true), ("  [>..]  recovery = 1.0%", true), ("      reshape=DELAYED", true),
        ("      bitmap: 1/1 pages [4KB], 65536KB chunk", false), ("", false),
    ])
    func mdstatShowsASync(_ mdstat: String, busy: Bool) {
        #expect(Condition.mentionsSync(mdstat) == busy)
    }

    @Test func relations() {
        #expect(Condition.Relation.isOne(of: ["a", "absent"]).holds(for: nil))
        #expect(!Condition.Relation.isOne(of: ["a"]).holds(for: "b\n"))
        #expect(Condition.Relation.isNone(of: ["a"]).holds(for: " b\n"))
        #expect(!Condition.Relation.contains("a").holds(for: nil))
        #expect(Condition.Relation.lacks("a").holds(for: nil))
        #expect(Condition.Relation.atLeast(3).holds(for: "4 / 10\n"))
        #expect(!Condition.Relation.atLeast(3).holds(for: "none\n"))
        #expect(!Condition.idle(on: .all).holds(for: nil))
    }
}

@Suite struct StuckThreadTests {
    @Test func threadsOfMDAreFoundAndOthersLeftOut() async throws {
        func thread(_ pid: Int, _ comm: String, _ state: String, _ stack: String...) -> NodeSnapshot.Thread {
            .init(pid: pid, comm: comm, state: state, stack: stack)
        }
        let cluster = FakeCluster()
        cluster.state.withLock {
            $0.threads = [
                stuckReceiver,
                thread(
                    12, "md0_resync", "D", "dlm_lock_sync_interruptible+0x99/0x130 [md_cluster]",
                    "resync_start+0x1c/0x30 [md_cluster]"),
                thread(13, "cat", "D", "io_schedule+0x46/0x70"),
                thread(14, "sh (a) b", "D", "md_ioctl+0x4/0x70 [md_mod]"), thread(15, "md0_raid1", "S"),
            ]
        }
        let threads = try await cluster.nodes[1].stuckThreads(limit: .seconds(1))
        #expect(threads.map(\.comm) == ["md0_cluster_rec", "sh (a) b"])
        #expect(threads.first?.stack == stuckReceiver.stack && threads.first?.pid == 77)
        #expect(threads.first?.node == NodeID(2))
    }
}

@Suite struct PatienceTests {
    @Test func slownessIsScaledAndCapped() {
        #expect(Patience(slowness: 0.1).limit(10) == .seconds(10))
        #expect(Patience(slowness: 2).limit(10) == .seconds(20))
        #expect(Patience(slowness: 100).limit(10) == .seconds(40))
        #expect(Patience(secondsToInit: 5).slowness == 2.5)
    }
}
