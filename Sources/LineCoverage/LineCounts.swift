// SPDX-License-Identifier: GPL-2.0

/// How often lines ran, in one run or in several.
public struct LineCounts: Sendable, Equatable {
    public struct File: Sendable, Equatable {
        /// Line number -> how often it ran. A line that is not here has no code of its own.
        public var lines: [Int: UInt64] = [:]
        /// Line number -> how often each way out of its conditions was taken.
        public var branches: [Int: [UInt64]] = [:]
        /// Function -> its first line and how often it was entered.
        public var functions: [String: Function] = [:]

        public init() {}
    }

    public struct Function: Sendable, Equatable {
        public var line: Int
        /// The line of its closing brace; nil where that is not known.
        public var end: Int?
        public var count: UInt64
        public init(line: Int, end: Int? = nil, count: UInt64) {
            (self.line, self.end, self.count) = (line, end, count)
        }
    }

    /// By path in the kernel tree: "drivers/md/md-cluster.c".
    public var files: [String: File] = [:]

    public init() {}

    /// Adds what another run of the same source did.
    public mutating func add(_ other: LineCounts) {
        for (path, file) in other.files { files[path, default: File()].add(file) }
    }

    /// How often each function was entered that was entered at all. Functions of one name in two files are added.
    public var functionsThatRan: [String: UInt64] {
        files.values.flatMap(\.functions).filter { $0.value.count > 0 }.reduce(into: [:]) {
            $0[$1.key, default: 0] += $1.value.count
        }
    }
}

extension LineCounts.File {
    mutating func add(_ other: LineCounts.File) {
        lines.merge(other.lines, uniquingKeysWith: &+)
        branches.merge(other.branches) { ours, theirs in
            // The same source compiled twice has the same ways out; another source is not added.
            ours.count == theirs.count ? zip(ours, theirs).map { $0 &+ $1 } : ours
        }
        functions.merge(other.functions) { ours, theirs in
            .init(line: ours.line, end: ours.end ?? theirs.end, count: ours.count &+ theirs.count)
        }
    }
}
