// SPDX-License-Identifier: GPL-2.0
import Scenarios

/// What is wrong with a schedule file: facts, worded at the edge.
public enum ScheduleError: Error, Sendable, Equatable {
    /// A mistake that a scenario file can have too.
    case scenario(ScenarioError)
    /// A name that the file uses and nothing has. `kind`: "thread", "gate", "operation", "lock", "model variant".
    /// `near`: names that look alike; `known`: what there is.
    case unknown(file: String, line: Int, kind: String, name: String, near: [String], known: [String])
    /// A gate is released, or waited for, before it is armed, and so on.
    case order(file: String, line: Int, Disorder)
    case unreadable(String, reason: String)
    case noSchedule(String, near: [String], known: [String])

    public enum Disorder: Sendable, Equatable {
        case notArmed(gate: String)
        case armedTwice(gate: String)
        case neverReleased(gate: String)
        case notStarted(operation: String)
        case startedTwice(operation: String)
        case neverStarted(operation: String)
    }
}
