// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol

/// What is wrong with a scenario file, or with the name of one: facts, worded at the edge.
public enum ScenarioError: Error, Sendable, Equatable {
    /// `line` counts from 1.
    case file(String, line: Int, Problem)
    case unreadable(String, reason: String)
    /// `near`: names that look alike, best first, may be empty.
    case unknownScenario(String, near: [String])
    case unknownVariant(String, near: [String], known: [String])
    case noScenarios(directory: String)
    /// The scenario exists, but not for so many nodes.
    case nodes(scenario: String, asked: Int, possible: [Int])
    /// run.json or a scenario file of a record cannot be used.
    case record(String, reason: String)

    public enum Problem: Sendable, Equatable {
        case syntax(String)
        case tooLarge(bytes: Int, limit: Int)
        case longLine(limit: Int)
        case notText
        case alias
        case deep(limit: Int)
        case notAMapping(what: String)
        case notAList(what: String)
        case missing(key: String, what: String)
        case unknownKey(String, what: String, near: [String])
        case unknownNode(String, nodes: [String])
        /// `expected`: "a number from 2 to 4".
        case badValue(key: String, value: String, expected: String)
        case noAction(actions: [String])
        case twoActions([String])
        case unknownBackground(String, near: [String])
        case emptyList(key: String)
    }
}
