// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Testing

@testable import Scenarios

@Suite struct ScenarioReaderTests {
    /// Every step, and every key of a scenario.
    private static let everything = """
        summary: all of them
        levels: [raid1, raid10]
        nodes: [2, 3]
        disks: 3
        disk-size: 128M
        array: {devices: 2, spares: 1, assume-clean: false, size: 64M, slots: 4}
        before:
          - {write: "1000", to: /proc/sys/dev/raid/speed_limit_max, on: all}
        steps:
          - run: echo a | cat
            on: node1
            limit: 2m
            status: nonzero
          - run: [mdadm, --detail, /dev/md0]
            on: [node1, node2]
          - run: sleep 1
            on: node2
            background: sleeper
          - join: sleeper
          - wait:
              - {on: any, md: sync_action, is: [resync, recover]}
              - {on: others, device: vdb, is-not: faulty}
              - {on: node1, md: degraded, at-least: 1}
            limit: 5s
          - {wait: {idle: all}}
          - {settle: 90s}
          - {confirm: silent, on: others}
          - {stop: node1}
          - {assemble: node1}
          - {crash: node2}
          - {freeze: node1}
          - {thaw: node1}
          - {cut: [node1, node2]}
          - {mend: [node1, node2]}
          - together:
              - {stop: node1}
              - - {stop: node2}
                - {assemble: node2}
          - repeat: 3
            steps:
              - {stop: all}
        expect:
          METADATA_UPDATED: 2
          others: {degraded: 0, devices: {vdc: spare}}
        variants:
          broken: {fails: [no-hang], cycle: [node1, node2]}
        """

    @Test func everyKindOfStepIsRead() throws {
        let scenario = try parse(Self.everything)
        #expect(scenario.levels == [.raid1, .raid10])
        #expect(scenario.array == ArrayLayout(devices: 2, spares: 1, assumeClean: false, sizeMiB: 64, slots: 4))
        #expect(scenario.diskMiB == 128)
        #expect(scenario.before.count == 1)
        #expect(scenario.steps.count == 17)
        #expect(
            scenario.steps[0].action
                == .run(RunStep(command: .shell("echo a | cat"), on: .these([NodeID(1)]), status: .nonzero, limit: 120))
        )
        #expect(
            scenario.steps[4].action
                == .wait(
                    [
                        .file(path: "/sys/block/md0/md/sync_action", .isOne(of: ["resync", "recover"]), on: .any),
                        .file(path: "/sys/block/md0/md/dev-vdb/state", .lacks("faulty"), on: .others),
                        .file(path: "/sys/block/md0/md/degraded", .atLeast(1), on: .these([NodeID(1)])),
                    ], limit: 5))
        #expect(scenario.steps[6].action == .settle(limit: 90))
        #expect(scenario.steps[13].action == .link(NodeID(1), NodeID(2), up: false))
        guard case .together(let branches) = scenario.steps[15].action else { Issue.record("no together"); return }
        #expect(branches.map(\.count) == [1, 2])
        #expect(scenario.expect.metadataUpdated == 2)
        #expect(scenario.expect.nodes.first?.devices == ["vdc": "spare"])
        #expect(scenario.variants["broken"] == ExpectedFailure(checks: ["no-hang"], cycle: [NodeID(1), NodeID(2)]))
        #expect(
            scenario.instances.map(\.name) == ["test", "test/raid10", "test/3-nodes", "test/raid10/3-nodes"])
    }

    @Test(arguments: [
        ("sumary: a", 1, ScenarioError.Problem.unknownKey("sumary", what: "a scenario", near: ["summary"])),
        ("levels: [raid1]", 1, .missing(key: "summary", what: "a scenario")),
        (
            "summary: a\nlevels: [raid5]", 2,
            .badValue(key: "levels", value: "raid5", expected: "raid1 or raid10, each once")
        ),
        ("summary: a\nnodes: [9]", 2, .badValue(key: "nodes", value: "9", expected: "numbers from 2 to 4, each once")),
        ("summary: a\nnodes: []", 2, .emptyList(key: "nodes")),
        ("summary: a\ndisks: 1", 2, .badValue(key: "disks", value: "1", expected: "at least the 2 of the array")),
        ("summary: a\nsteps: run", 2, .notAList(what: "steps")),
        ("summary: a\nsteps:\n  - fail: vdb", 3, .unknownKey("fail", what: "a step", near: [])),
        ("summary: a\nsteps:\n  - on: node1", 3, .noAction(actions: StepReader.actions.keys.sorted())),
        ("summary: a\nsteps:\n  - {stop: node1, crash: node2}", 3, .twoActions(["crash", "stop"])),
        (
            "summary: a\nsteps:\n  - stop: node1\n    limit: 3s", 4,
            .unknownKey("limit", what: "a step with stop", near: [])
        ),
        (
            "summary: a\nsteps:\n  - stop: node3", 3,
            .unknownNode("node3", nodes: ["node1", "node2", "all", "others"])
        ),
        ("summary: a\nsteps:\n  - run: ls", 3, .missing(key: "on", what: "a step")),
        (
            "summary: a\nsteps:\n  - {run: ls, on: node1, limit: 99h}", 3,
            .badValue(key: "limit", value: "99h", expected: "a time such as 20s or 2m, at most an hour")
        ),
        (
            "summary: a\nsteps:\n  - {run: ls, on: node1, limit: nan}", 3,
            .badValue(
                key: "limit", value: "nan", expected: "a time such as 20s or 2m, at most an hour")
        ),
        (
            "summary: a\nsteps:\n  - {run: ls, on: node1, background: lister}\n  - join: listr", 4,
            .unknownBackground("listr", near: ["lister"])
        ),
        (
            "summary: a\nsteps:\n  - wait: {on: all, md: degrade, is: 1}", 3,
            .unknownKey("degrade", what: "/sys/block/md0/md", near: ["degraded"])
        ),
        (
            "summary: a\nsteps:\n  - wait: {on: all, md: degraded}", 3,
            .noAction(
                actions: ["is", "is-not", "contains", "lacks", "at-least"])
        ),
        (
            "summary: a\nsteps:\n  - wait: {on: all, device: vdz, is: faulty}", 3,
            .badValue(key: "device", value: "vdz", expected: "vda, vdb")
        ),
        (
            "summary: a\nsteps:\n  - wait: {on: all, device: vda, is: broken}", 3,
            .badValue(
                key: "is", value: "broken", expected: "a word of dev-*/state such as in_sync, faulty, spare, or absent")
        ),
        (
            "summary: a\nexpect:\n  all: {raid-disks: 2}", 3,
            .unknownKey("raid-disks", what: "what is expected of all", near: ["raid_disks"])
        ),
        (
            "summary: a\nvariants:\n  async: {fails: [sync]}", 3,
            .badValue(
                key: "fails", value: "sync",
                expected: "one of synchronous, dlm-words, agreement, kernel-log, no-hang, scenario")
        ),
        ("summary: a\nknown:\n  x: {fails: [agreement]}", 3, .missing(key: "finds", what: "a known failure")),
        (
            "summary: a\nknown:\n  x: {fails: [agreement], finds: [strange]}", 3,
            .badValue(
                key: "finds", value: "strange",
                expected: "\"differs FILE [NODE=VALUE]\", \"superblock DEVICE\" or \"expected NAME [is=VALUE]\"")
        ),
        ("summary: a\nknown: [x]", 2, .notAMapping(what: "known")),
        ("summary: a\nsummary: b", 1, .syntax("the key summary is there twice")),
        ("summary: *a", 1, .alias),
        ("- a\n- b", 1, .notAMapping(what: "a scenario")),
        ("summary: a\n---\nsummary: b", 1, .syntax("one document is expected, not 2")),
        ("", 1, .syntax("one document is expected, not 0")),
    ])
    func aMistakeIsNamedWithItsLine(_ text: String, line: Int, problem: ScenarioError.Problem) {
        let found = mistake(text)
        #expect(found?.line == line)
        #expect(found?.problem == problem)
    }

    @Test func everyScenarioOfTheProjectIsRead() throws {
        let catalogue = try ScenarioCatalogue(directory: scenarioDirectory)
        #expect(
            Set(catalogue.scenarios.map(\.name)).isSuperset(of: [
                "smoke", "fail-device", "remove-device", "re-add-device", "add-spare", "add-device", "grow-size",
                "grow-devices", "resync-handover", "stop-while-resyncing", "concurrent-updates",
            ]))
        for scenario in catalogue.scenarios {
            #expect(!scenario.steps.isEmpty, "\(scenario.name)")
            // A scenario that expects nothing of its end could never fail.
            #expect(!scenario.expect.nodes.isEmpty, "\(scenario.name)")
            for expectation in scenario.expect.nodes {
                #expect(!expectation.attributes.isEmpty || !expectation.devices.isEmpty, "\(scenario.name)")
            }
        }
        #expect(Set(catalogue.instances.map(\.name)).count == catalogue.instances.count)
    }

    @Test func namesSelectRuns() throws {
        let catalogue = try ScenarioCatalogue(directory: scenarioDirectory)
        #expect(try catalogue.select("smoke").map(\.name) == ["smoke"])
        #expect(try catalogue.select("fail-device/raid10").map(\.level) == [.raid10])
        #expect(try catalogue.select("fail-device/all").count == 4)
        #expect(try catalogue.select("all") == catalogue.instances)
        #expect(try catalogue.select("smoke", nodes: 3).map(\.name) == ["smoke/3-nodes"])
        #expect(try catalogue.select("fail-device/all", nodes: 3).count == 2)
        #expect(throws: ScenarioError.unknownScenario("smok", near: ["smoke", "smoke/3-nodes", "smoke/4-nodes"])) {
            try catalogue.select("smok")
        }
        #expect(throws: ScenarioError.nodes(scenario: "fail-device", asked: 4, possible: [2, 3])) {
            try catalogue.select("fail-device", nodes: 4)
        }
        #expect(throws: ScenarioError.self) {
            try ScenarioCatalogue(directory: scenarioDirectory.appending(path: "none"))
        }
    }
}
