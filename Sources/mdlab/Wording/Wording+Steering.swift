// SPDX-License-Identifier: GPL-2.0
import Comparison
import Scenarios
import Steering

extension ScheduleError: Worded {
    var exitCode: Int32 { Exit.usage }

    var line: String {
        switch self {
        case .scenario(let error): error.line
        case .unknown(let file, let line, let kind, let name, let near, let known):
            "\(file):\(line): there is no \(kind) \(name); " + Self.choice(near, known)
        case .order(let file, let line, let what): "\(file):\(line): \(what.text)"
        case .unreadable(let file, let reason): "\(file) cannot be read: \(reason); give a schedule's file or name"
        case .noSchedule(let name, let near, let known):
            "there is no schedule \(name) in kernel-tests/schedules; " + Self.choice(near, known)
        }
    }

    private static func choice(_ near: [String], _ known: [String]) -> String {
        if !near.isEmpty { return "did you mean \(near.joined(separator: " or "))?" }
        return known.isEmpty ? "there is none" : "there is \(known.joined(separator: ", "))"
    }
}

extension ScheduleError.Disorder {
    var text: String {
        switch self {
        case .notArmed(let gate): "gate \(gate) is not armed here: put 'arm: \(gate)' before"
        case .armedTwice(let gate): "gate \(gate) is armed twice: it holds once; make another gate"
        case .neverReleased(let gate): "gate \(gate) is never released: put 'release: \(gate)' after"
        case .notStarted(let operation): "operation \(operation) has not begun here: put 'start: \(operation)' before"
        case .startedTwice(let operation): "operation \(operation) is started twice: make another operation"
        case .neverStarted(let operation):
            "operation \(operation) is never started: put 'start: \(operation)' into order"
        }
    }
}

extension PlanError: Worded {
    var exitCode: Int32 {
        if case .notForced = self { return Exit.untestable }
        return Exit.usage
    }

    var line: String {
        switch self {
        case .unreadable(let file, let reason):
            "\(file) cannot be read: \(reason); give what 'mdlab model check --json' wrote"
        case .notACounterexample(let file):
            "\(file) is no counterexample: give a file that 'mdlab model check --json FILE' wrote"
        case .model(let error): error.line
        case .notARunOfTheModel(let step):
            "the model cannot take step \(step) of this counterexample: it is of another version; make it again with 'mdlab model check'"
        case .unsupportedOperation(let name):
            "the workload has '\(name)', which no command of a schedule does: make a counterexample without it"
        case .noDeadlock(let verdict):
            "the counterexample shows no deadlock (\(verdict)), and only waits can be steered into: look at it with 'mdlab model'"
        case .notForced(let gates, let tried):
            "no schedule with \(gates) gates forces this counterexample in the model (\(tried) tried): "
                + "write one by hand, as those in kernel-tests/schedules"
        }
    }
}

/// What a steered run says of itself.
enum SteeringWording {
    static func lines(_ report: SteeringReport, match: DeadlockMatch?, schedule: Schedule, hung: Bool) -> [String] {
        var lines = report.followed.map { step in "followed   \(step.text)" }
        if let divergence = report.divergence {
            lines.append("DIVERGED   \(divergence.text): \(divergence.cause.text)")
            lines += divergence.instead.map { "             \($0)" }
        }
        if let match {
            lines.append(
                match.matches
                    ? "reached    the predicted state: \(match.lines.count) threads wait as predicted"
                    : "hung       in another state than predicted")
            for line in match.lines {
                lines.append(
                    "  \(line.differences.isEmpty ? "as predicted" : "differs     ")  \(line.thread.text): \(line.wanted)"
                )
                lines += line.differences.map { "                  but \($0)" }
            }
        } else if hung {
            lines.append("hung       and no state is predicted")
        } else if report.isComplete {
            lines.append("ended      without a hang")
        }
        return lines
    }
}

extension SteeringWording {
    /// Whose fault it is that the kernel went another way.
    static func lines(_ comparison: ModelComparison) -> [String] {
        switch comparison.answer {
        case .conforms:
            [
                "why        the model of \(comparison.variant) allows all that the kernels did: what the schedule waits for need not come"
            ]
        case .doesNotConform:
            [
                "why        the kernels did what the model of \(comparison.variant) does not allow: one of them is wrong; "
                    + "see 'mdlab compare'"
            ]
        case .notDecided:
            [
                "why        not decided whether the model of \(comparison.variant) allows what the kernels did; see 'mdlab compare'"
            ]
        }
    }
}

extension SteeringReport.Divergence.Cause {
    var text: String {
        switch self {
        case .never: "that did not happen"
        case .expired: "the gate let go by itself, its limit was over"
        case .atomic: "the gate was hit where sleeping is forbidden; choose one of the callers"
        case .noSuchFunction(let name, let node): "no instrumented module of \(node) has a function \(name)"
        case .status(let text): text
        }
    }
}
