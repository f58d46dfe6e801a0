// SPDX-License-Identifier: GPL-2.0

/// What became of a patch, file by file and hunk by hunk.
public struct PatchReport: Equatable, Sendable, Codable {
    public enum State: Equatable, Sendable, Codable {
        /// At `line` of the file as it then was, `offset` lines from where the patch says, ignoring `fuzz` lines of
        /// context at the ends.
        case applied(line: Int, offset: Int, fuzz: Int)
        /// The tree has the result of the hunk already, at `line`.
        case present(line: Int)
        /// The nearest place is `line`, where the patch expects one text and the tree has another; nil at its end.
        case conflict(line: Int, expected: String, found: String?)
    }

    public struct Hunk: Equatable, Sendable, Codable {
        public var header: String
        public var state: State
        /// The lines of the hunk with their signs.
        public var lines: [String]
    }

    public enum Place: String, Sendable, Codable {
        /// Part of the modules that are built.
        case built
        /// In drivers/md, but of other modules: applied, without effect.
        case otherModule
        /// Documentation and the like: left out.
        case leftOut
    }

    public struct File: Equatable, Sendable, Codable {
        public var path: String
        public var place: Place
        public var hunks: [Hunk]
    }

    /// The patch's file name.
    public var patch: String
    public var files: [File]

    public var hunks: [Hunk] { files.flatMap(\.hunks) }

    public var conflicts: Int {
        hunks.count { if case .conflict = $0.state { true } else { false } }
    }

    /// Every hunk is in the tree already: the build is that of the tree without the patch.
    public var isPresent: Bool {
        !hunks.isEmpty && hunks.allSatisfy { if case .present = $0.state { true } else { false } }
    }
}
