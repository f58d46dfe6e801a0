// SPDX-License-Identifier: GPL-2.0
import RunRecord

/// What a command that judged runs exits with. The numbers are those of the command line's `Exit`; 125 is what `git
/// bisect run` takes as "cannot test this commit".
public enum RunExit: Int32, Sendable {
    case pass = 0
    case fail = 1
    /// A program of the nodes failed by itself, and nothing is said against the kernel.
    case userSpace = 3
    case skipped = 4
    case untestable = 125
    case interrupted = 130

    /// A failing kernel outweighs a failing lab: it was seen to fail.
    public init(words: [VerdictWord], interrupted: Bool = false) {
        if interrupted {
            self = .interrupted
        } else if words.contains(.fail) {
            self = .fail
        } else if words.contains(.userSpace) {
            self = .userSpace
        } else if words.isEmpty || words.contains(where: { $0 == .error || $0 == .miss }) {
            self = .untestable
        } else if words.allSatisfy({ $0 == .skip }) {
            self = .skipped
        } else {
            self = .pass
        }
    }
}
