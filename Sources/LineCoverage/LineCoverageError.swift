// SPDX-License-Identifier: GPL-2.0

/// Why nothing can be said about the lines that ran.
public enum LineCoverageError: Error, Equatable, Sendable {
    /// gcov is not installed; `package` has it.
    case missingTool(String, package: String)
    case toolFailed(command: String, tail: String)
    /// A file of the compiler, or a tracefile, is not what it should be.
    case damaged(file: String, what: String)
    /// Notes of a compiler that writes another format.
    case compiler(file: String, version: String)
    /// The record has no coverage.info: its modules were built without counters, or none could be read.
    case notCounted(record: String)
    case unreadable(path: String, reason: String)
}
