// SPDX-License-Identifier: GPL-2.0

/// A patch, line by line, with what the runs did to its lines and what was found at them.
public struct ReportPatch: Codable, Sendable, Equatable {
    public enum Kind: String, Codable, Sendable { case context, added, removed }
    /// Whether a run executed a line; `unknown` where nothing measured it, and for what is not code.
    public enum Execution: String, Codable, Sendable { case executed, unexecuted, unknown }

    public struct Finding: Codable, Sendable, Equatable {
        /// "checkpatch", "sparse", "md-cluster rules".
        public var tool: String
        public var text: String
        public init(_ tool: String, _ text: String) { (self.tool, self.text) = (tool, text) }
    }

    public struct Line: Codable, Sendable, Equatable {
        public var kind: Kind
        /// In the file before and after; nil on the side that does not have it.
        public var old: Int?
        public var new: Int?
        /// Without the sign in front.
        public var text: String
        public var execution = Execution.unknown
        public var findings: [Finding] = []

        public init(_ kind: Kind, old: Int?, new: Int?, text: String) {
            (self.kind, self.old, self.new, self.text) = (kind, old, new, text)
        }
    }

    public struct Hunk: Codable, Sendable, Equatable {
        /// The line that begins with @@.
        public var heading: String
        /// The function that the heading names, if it names one.
        public var function: String?
        /// What the runs show of the function: "called 12 times in this run".
        public var note: String?
        public var lines: [Line] = []
    }

    public struct File: Codable, Sendable, Equatable {
        public var path: String
        public var hunks: [Hunk] = []
    }

    public var subject: String?
    public var author: String?
    public var files: [File] = []

    public init(subject: String? = nil, author: String? = nil) { (self.subject, self.author) = (subject, author) }

    /// Reads a unified diff, as `diff -u` and git write it. What is no part of one is left out.
    public init(diff: String, subject: String? = nil) {
        self.init(subject: subject)
        var (old, new) = (0, 0)
        // How many lines the hunk still has, so that a removed "-- x" is not taken for a heading.
        var (oldLeft, newLeft) = (0, 0)
        for line in diff.split(separator: "\n", omittingEmptySubsequences: false) {
            let file = files.indices.last
            if oldLeft > 0 || newLeft > 0, let file, let hunk = files[file].hunks.indices.last {
                let text = String(line.dropFirst())
                switch line.first {
                case "+":
                    files[file].hunks[hunk].lines.append(Line(.added, old: nil, new: new, text: text))
                    (new, newLeft) = (new + 1, newLeft - 1)
                case "-":
                    files[file].hunks[hunk].lines.append(Line(.removed, old: old, new: nil, text: text))
                    (old, oldLeft) = (old + 1, oldLeft - 1)
                case "\\": continue
                default:
                    // A definition behind the change is the next function's.
                    if files[file].hunks[hunk].lines.allSatisfy({ $0.kind == .context }),
                        let name = Self.definition(text)
                    {
                        files[file].hunks[hunk].function = name
                    }
                    files[file].hunks[hunk].lines.append(Line(.context, old: old, new: new, text: text))
                    (old, new, oldLeft, newLeft) = (old + 1, new + 1, oldLeft - 1, newLeft - 1)
                }
            } else if line.hasPrefix("+++ ") {
                files.append(File(path: Self.path(line.dropFirst(4))))
            } else if line.hasPrefix("@@ "), let file, let place = Self.place(line) {
                (old, oldLeft, new, newLeft) = place
                files[file].hunks.append(Hunk(heading: String(line), function: Self.function(line)))
            }
        }
    }

    /// "b/drivers/md/md.c\t2026-..." is "drivers/md/md.c".
    private static func path(_ text: Substring) -> String {
        let name = text.prefix { $0 != "\t" }
        return String(name.hasPrefix("a/") || name.hasPrefix("b/") ? name.dropFirst(2) : name)
    }

    /// "@@ -525,7 +525,6 @@ ..."
    private static func place(_ line: Substring) -> (old: Int, oldCount: Int, new: Int, newCount: Int)? {
        let words = line.prefix(200).split(separator: " ")
        guard words.count > 3, words[1].hasPrefix("-"), words[2].hasPrefix("+") else { return nil }
        func range(_ word: Substring) -> (Int, Int)? {
            let parts = word.dropFirst().split(separator: ",")
            let numbers = parts.compactMap { Int($0) }.filter { (0...10_000_000).contains($0) }
            guard numbers.count == parts.count, let first = numbers.first else { return nil }
            return (first, numbers.count > 1 ? numbers[1] : 1)
        }
        guard let (old, oldCount) = range(words[1]), let (new, newCount) = range(words[2]) else { return nil }
        return (old, oldCount, new, newCount)
    }

    /// "@@ -1,2 +1,2 @@ static void process_metadata_update(struct mddev *mddev" is "process_metadata_update".
    private static func function(_ line: Substring) -> String? {
        guard let end = line.dropFirst(3).firstRange(of: "@@")?.upperBound else { return nil }
        return definition(line[end...].drop { $0 == " " })
    }

    /// The name of the function whose definition begins in a line, which then begins in its first column.
    private static func definition(_ line: some StringProtocol) -> String? {
        guard let first = line.first, first.isLetter || first == "_" else { return nil }
        let heading = line.prefix { $0 != "(" }
        guard heading.endIndex < line.endIndex else { return nil }
        let name = heading.reversed().prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        // "static int x(": a call or a macro alone has no type before it.
        return name.isEmpty || name.count == heading.count ? nil : String(name.reversed())
    }
}
