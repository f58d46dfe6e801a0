// SPDX-License-Identifier: GPL-2.0
import Reporting
import Scenarios
import Testing

@testable import mdlab

/// The exact line for every mistake: each is one line, and says what to do next.
@Suite struct ScenarioWordingTests {
    @Test(arguments: [
        (
            ScenarioError.unknownScenario("smok", near: ["smoke", "smoke/3-nodes"]),
            "there is no scenario smok; did you mean smoke or smoke/3-nodes?"
        ),
        (.unknownScenario("qqq", near: []), "there is no scenario qqq; mdlab run --list shows all"),
        (.unknownVariant("asink", near: ["async"], known: ["async"]), "there is no variant asink; did you mean async?"),
        (
            .unknownVariant("zzz", near: [], known: ["async", "no-holding-in-start"]),
            "there is no variant zzz; there are async and no-holding-in-start"
        ),
        (
            .nodes(scenario: "smoke", asked: 4, possible: [2, 3]),
            "smoke does not run with 4 nodes; give --nodes 2 or 3"
        ),
        (.unreadable("x.yaml", reason: "no such file"), "x.yaml cannot be read: no such file"),
        (
            .noScenarios(directory: "/nowhere"),
            "no scenario file (*.yaml) in /nowhere; run mdlab from its source tree"
        ),
        (
            .record("runs/1", reason: "there is no run.json in it"),
            "runs/1 is no record that can be judged: there is no run.json in it; give the folder of a run"
        ),
    ])
    func mistakesOfNames(_ error: ScenarioError, line: String) {
        #expect(error.line == line)
        #expect(error.exitCode == 2)
    }

    @Test(arguments: [
        (
            ScenarioError.Problem.syntax("did not find expected key"),
            "x.yaml:7: not YAML: did not find expected key; the line or the one before it is where to look"
        ),
        (.tooLarge(bytes: 99, limit: 9), "x.yaml:7: 99 bytes are more than a scenario may have (9); split it"),
        (.longLine(limit: 9), "x.yaml:7: the line is longer than 9 bytes; break it"),
        (.notText, "x.yaml:7: not UTF-8 text; save it as UTF-8"),
        (
            .alias, "x.yaml:7: YAML's anchors and aliases are not used in scenarios; write it out, or quote the text"
        ),
        (.deep(limit: 9), "x.yaml:7: nested more than 9 deep; no scenario needs that, look for a missing bracket"),
        (.notAMapping(what: "a step"), "x.yaml:7: a step is a mapping: write KEY: VALUE"),
        (.notAList(what: "steps"), "x.yaml:7: steps is a list: begin each element with -"),
        (.missing(key: "on", what: "a step"), "x.yaml:7: a step needs on: add it"),
        (.unknownKey("onn", what: "a step", near: ["on"]), "x.yaml:7: a step has no onn; did you mean on?"),
        (.unknownKey("q", what: "a step", near: []), "x.yaml:7: a step has no q; remove it"),
        (
            .unknownNode("node9", nodes: ["node1", "all"]), "x.yaml:7: there is no node node9 here; use node1 or all"
        ),
        (
            .badValue(key: "nodes", value: "9", expected: "a number from 2 to 4"),
            "x.yaml:7: nodes: 9 is not a number from 2 to 4; change it"
        ),
        (.noAction(actions: ["run", "wait", "stop"]), "x.yaml:7: one of run, wait or stop is missing; add it"),
        (.twoActions(["run", "stop"]), "x.yaml:7: run and stop are two things; write two, each for itself"),
        (
            .unknownBackground("a", near: []),
            "x.yaml:7: nothing called a was started in the background; add background: a to a run before"
        ),
        (.emptyList(key: "nodes"), "x.yaml:7: nodes is an empty list; give it a value or remove it"),
    ])
    func mistakesInFiles(_ problem: ScenarioError.Problem, line: String) {
        #expect(ScenarioError.file("x.yaml", line: 7, problem).line == line)
    }

    @Test(arguments: [
        (VerdictFile.Failure.missing(folder: "r"), "there is no verdict.json in r; mdlab check judges a record"),
        (.unreadable(path: "r/v", reason: "no"), "r/v cannot be read: no; mdlab check writes it anew"),
        (.unwritable(path: "r/v", reason: "no"), "r/v cannot be written: no; give another folder with --out"),
        (
            .format(path: "r/v", format: 9, known: 1),
            "r/v has format 9 and this mdlab knows 1; use a newer mdlab, or judge again with mdlab check"
        ),
    ])
    func mistakesOfVerdicts(_ error: VerdictFile.Failure, line: String) {
        #expect(error.line == line)
        #expect(error.exitCode == 2)
    }
}
