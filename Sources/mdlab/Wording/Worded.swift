// SPDX-License-Identifier: GPL-2.0
import ArgumentParser

/// The exit codes of mdlab, the same for every command.
enum Exit {
    static let pass: Int32 = 0
    static let fail: Int32 = 1
    /// Usage, or a machine that is not set up.
    static let usage: Int32 = 2
    static let skipped: Int32 = 4
    /// The lab could not test: what `git bisect run` takes as "skip this commit".
    static let untestable: Int32 = 125
    static let interrupted: Int32 = 130
}

/// An error of a room, put into words: one line that ends in what to do next, and the exit code. The rooms throw facts;
/// each has a file here, Wording+ROOM.swift, that says them.
protocol Worded: Error {
    var line: String { get }
    var exitCode: Int32 { get }
}
