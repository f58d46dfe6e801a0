// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Scenarios
@testable import Steering
import Testing

@testable import mdlab

/// The exact line for every mistake: each is one line, and says what to do next.
@Suite struct SteeringWordingTests {
    @Test(arguments: [
        (
            ScheduleError.unknown(
                file: "x.yaml", line: 7, kind: "thread", name: "raid1", near: ["raid1d"], known: ["raid1d", "resync"]),
            "x.yaml:7: there is no thread raid1; did you mean raid1d?"
        ),
        (
            .unknown(file: "x.yaml", line: 7, kind: "gate", name: "q", near: [], known: ["window", "message"]),
            "x.yaml:7: there is no gate q; there is window, message"
        ),
        (
            .noSchedule("dedlock", near: ["deadlock-v4.12"], known: []),
            "there is no schedule dedlock in kernel-tests/schedules; did you mean deadlock-v4.12?"
        ),
        (
            .order(file: "x.yaml", line: 3, .notArmed(gate: "g")),
            "x.yaml:3: gate g is not armed here: put 'arm: g' before"
        ),
        (
            .order(file: "x.yaml", line: 3, .armedTwice(gate: "g")),
            "x.yaml:3: gate g is armed twice: it holds once; make another gate"
        ),
        (
            .order(file: "x.yaml", line: 3, .neverReleased(gate: "g")),
            "x.yaml:3: gate g is never released: put 'release: g' after"
        ),
        (
            .order(file: "x.yaml", line: 3, .notStarted(operation: "o")),
            "x.yaml:3: operation o has not begun here: put 'start: o' before"
        ),
        (
            .order(file: "x.yaml", line: 3, .startedTwice(operation: "o")),
            "x.yaml:3: operation o is started twice: make another operation"
        ),
        (
            .order(file: "x.yaml", line: 3, .neverStarted(operation: "o")),
            "x.yaml:3: operation o is never started: put 'start: o' into order"
        ),
        (
            .unreadable("x.yaml", reason: "no such file"),
            "x.yaml cannot be read: no such file; give a schedule's file or name"
        ),
        (.scenario(.unreadable("x.yaml", reason: "no such file")), "x.yaml cannot be read: no such file"),
    ])
    func mistakesOfSchedules(_ error: ScheduleError, line: String) {
        #expect(error.line == line)
        #expect(error.exitCode == 2)
    }

    @Test(arguments: [
        (
            PlanError.notACounterexample("x.json"),
            "x.json is no counterexample: give a file that 'mdlab model check --json FILE' wrote", 2
        ),
        (
            .unreadable("x.json", reason: "no such file"),
            "x.json cannot be read: no such file; give what 'mdlab model check --json' wrote", 2
        ),
        (
            .notARunOfTheModel(step: 7),
            "the model cannot take step 7 of this counterexample: it is of another version; make it again with 'mdlab model check'",
            2
        ),
        (
            .noDeadlock(verdict: "FAILS: I7"),
            "the counterexample shows no deadlock (FAILS: I7), and only waits can be steered into: look at it with 'mdlab model'",
            2
        ),
        (
            .unsupportedOperation("crash"),
            "the workload has 'crash', which no command of a schedule does: make a counterexample without it", 2
        ),
        (
            .notForced(gates: 3, tried: 100),
            "no schedule with 3 gates forces this counterexample in the model (100 tried): "
                + "write one by hand, as those in kernel-tests/schedules", 125
        ),
    ])
    func mistakesOfCounterexamples(_ error: PlanError, line: String, code: Int32) {
        #expect(error.line == line)
        #expect(error.exitCode == code)
    }

    @Test func aDivergenceIsToldWithWhatWasInstead() throws {
        var report = SteeringReport(entries: 3)
        report.followed = [.init(text: "arm g", line: 1, seconds: 0.1)]
        report.divergence = .init(
            entry: 1, text: "g holds its thread", line: 2, cause: .never, instead: ["node2 raid1d: dlm_lock_sync"])
        let schedule = try ScheduleReader.parse(
            Array("summary: s\noperations: {o: {on: node1, run: x}}\norder: [{start: o}]\n".utf8), name: "s", file: "s")
        #expect(
            SteeringWording.lines(report, match: nil, schedule: schedule, hung: false) == [
                "followed   arm g", "DIVERGED   g holds its thread: that did not happen",
                "             node2 raid1d: dlm_lock_sync",
            ])
        report.divergence = nil
        report.entries = 1
        #expect(
            SteeringWording.lines(report, match: nil, schedule: schedule, hung: false).last
                == "ended      without a hang")
        #expect(
            SteeringWording.lines(report, match: nil, schedule: schedule, hung: true).last
                == "hung       and no state is predicted")
    }
}
