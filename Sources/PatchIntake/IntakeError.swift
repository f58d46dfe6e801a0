// SPDX-License-Identifier: GPL-2.0

/// Why there is no series in what was given: facts, put into words by the command line.
public enum IntakeError: Error, Sendable, Equatable {
    case source(path: String, SourceFault)
    case range(String, RangeFault)
    /// Numbers of the series that are not there. `older` are those of them that an older version has.
    case gap(missing: [Int], total: Int, version: Int, older: [Int])
    /// Two patches claim the same place, or there are series of two lengths: the subjects of both.
    case severalSeries(String, String)
    case notWritable(path: String, reason: String)
    /// The program is not installed; `package` is the Debian package that has it.
    case missingTool(String, package: String)
    /// A program ended badly with a file that should have been fine.
    case toolFailed(command: String, said: String)
}

/// Why a file or a folder gives no patch.
public enum SourceFault: Sendable, Equatable {
    case unreadable(reason: String)
    case empty
    case tooLarge(bytes: Int)
    /// It has bytes that no mail and no diff has.
    case binary
    /// Text without any diff.
    case noDiff
    /// A mail whose diff is only quoted: a reply to a patch, with its subject.
    case reply(subject: String)
    /// A cover letter alone.
    case coverOnly(subject: String)
    /// A folder with neither patches nor a quilt series in it.
    case emptyFolder
    /// A file that the quilt series names and that is not there.
    case seriesNames(String)
    /// git cannot make a mail of it.
    case notAMail(said: String)
}

/// Why a range of commits gives no patch.
public enum RangeFault: Sendable, Equatable {
    case notARepository(path: String)
    /// What git said.
    case unknownRevision(said: String)
    /// A rebase, merge, am, cherry-pick or bisection is under way: what HEAD is will change.
    case busy(operation: String)
    case noCommits
}
