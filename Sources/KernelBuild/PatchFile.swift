// SPDX-License-Identifier: GPL-2.0

/// A patch as its file says it: plain diff, git's format, or one or more mails.
package struct PatchFile: Equatable {
    /// A line without its newline. Bytes, as kernel files and mails are not always UTF-8.
    package typealias Line = ArraySlice<UInt8>

    package struct Hunk: Equatable {
        /// The whole `@@` line.
        package var header: String
        /// First line, counted from 1, of the old and of the new text.
        package var oldStart: Int
        package var newStart: Int
        /// Context and removed lines; context and added lines.
        package var old: [Line] = []
        package var new: [Line] = []
        /// How many lines at each end are context.
        package var leading = 0
        package var trailing = 0
        /// As they stand in the patch, with their sign.
        package var text: [Line] = []
    }

    package struct File: Equatable {
        /// As the patch says them, without date; nil for /dev/null.
        package var oldPath: String?
        package var newPath: String?
        package var hunks: [Hunk] = []
    }

    package var files: [File] = []

    static let sizeLimit = 16 << 20

    /// Reads a patch. Text around the diffs (mail headers, commit message, signature) is passed over.
    package static func parse(_ bytes: [UInt8]) throws(PatchFault) -> PatchFile {
        guard bytes.count <= sizeLimit else { throw .tooLarge(bytes: bytes.count) }
        guard !bytes.contains(0) else { throw .binary(nil) }
        var reader = PatchReader(bytes)
        return try reader.read()
    }
}

/// Why a file is no patch that can be used.
public enum PatchFault: Error, Equatable, Sendable {
    case unreadable(reason: String)
    case tooLarge(bytes: Int)
    case noDiff
    /// A binary diff, or a file that is not text at all.
    case binary(String?)
    /// A mail whose body is not plain text.
    case encodedMail(String)
    /// `git diff` of a rename or copy.
    case renames(String)
    /// The lines of a hunk are not those its header announces. `line` counts from 1 in the patch file.
    case damagedHunk(line: Int, header: String)
    /// It changes code that mdlab does not build; these are the files.
    case foreign([String])
}

private struct PatchReader {
    typealias Line = PatchFile.Line

    let lines: [Line]
    var at = 0
    var patch = PatchFile()

    init(_ bytes: [UInt8]) {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        // Mail and other systems end lines with CR LF. Kernel sources never do, so if the diff's own headers have it,
        // it came with the transport.
        let returned = lines.contains { $0.starts(with: "+++ ".utf8) && $0.last == UInt8(ascii: "\r") }
        self.lines = returned ? lines.map { $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0 } : lines
    }

    mutating func read() throws(PatchFault) -> PatchFile {
        while at < lines.count {
            if starts("--- "), at + 2 < lines.count, starts("+++ ", 1), starts("@@ -", 2) {
                try readFile()
            } else {
                try inspect()
                at += 1
            }
        }
        guard !patch.files.isEmpty else { throw .noDiff }
        return patch
    }

    private func starts(_ text: String, _ ahead: Int = 0) -> Bool {
        lines[at + ahead].starts(with: text.utf8)
    }

    private func text(_ ahead: Int = 0) -> String {
        String(decoding: lines[at + ahead], as: UTF8.self)
    }

    /// Looks at a line between diffs for what cannot be applied.
    private func inspect() throws(PatchFault) {
        if starts("GIT binary patch") || (starts("Binary files ") && text().hasSuffix(" differ")) {
            throw .binary(text())
        }
        if starts("rename from ") || starts("copy from ") { throw .renames(text()) }
        if lines[at].count < 100, text().lowercased().hasPrefix("content-transfer-encoding:") {
            let encoding = text().split(separator: ":").last.map { $0.lowercased() } ?? ""
            if encoding.contains("base64") || encoding.contains("quoted-printable") {
                throw .encodedMail(encoding.split(separator: " ").joined())
            }
        }
    }

    private mutating func readFile() throws(PatchFault) {
        var file = PatchFile.File(oldPath: path(text()), newPath: path(text(1)))
        at += 2
        while at < lines.count, starts("@@ -") { file.hunks.append(try readHunk()) }
        patch.files.append(file)
    }

    /// `--- a/drivers/md/md.c\t2017-01-01` gives the path alone.
    private func path(_ header: String) -> String? {
        let path = header.dropFirst(4).prefix { $0 != "\t" }.split(separator: " ").first.map(String.init) ?? ""
        return path == "/dev/null" ? nil : path
    }

    private mutating func readHunk() throws(PatchFault) -> PatchFile.Hunk {
        let header = text(), first = at
        let damaged = PatchFault.damagedHunk(line: first + 1, header: header)
        guard let ranges = Self.ranges(header) else { throw damaged }
        var hunk = PatchFile.Hunk(header: header, oldStart: ranges.old.start, newStart: ranges.new.start)
        at += 1
        var changed = false
        while hunk.old.count < ranges.old.count || hunk.new.count < ranges.new.count {
            guard at < lines.count else { throw damaged }
            let line = lines[at]
            switch line.first {
            case UInt8(ascii: " "), nil:
                // Some mailers drop the blank of an empty context line.
                hunk.old.append(line.dropFirst())
                hunk.new.append(line.dropFirst())
                hunk.trailing += 1
                if !changed { hunk.leading += 1 }
            case UInt8(ascii: "-"):
                hunk.old.append(line.dropFirst())
                changed = true
                hunk.trailing = 0
            case UInt8(ascii: "+"):
                hunk.new.append(line.dropFirst())
                changed = true
                hunk.trailing = 0
            case UInt8(ascii: "\\"):
                break
            default: throw damaged
            }
            hunk.text.append(line)
            at += 1
        }
        guard hunk.old.count == ranges.old.count, hunk.new.count == ranges.new.count, changed else { throw damaged }
        if at < lines.count, starts("\\ ") { at += 1 }
        return hunk
    }

    /// `@@ -10,7 +10,8 @@ context`: starts and counts; a count left out is 1.
    private static func ranges(_ header: String) -> (old: (start: Int, count: Int), new: (start: Int, count: Int))? {
        let words = header.split(separator: " ", maxSplits: 4)
        guard words.count >= 4, words[0] == "@@", words[3].hasPrefix("@@"), let old = range(words[1], "-"),
            let new = range(words[2], "+")
        else { return nil }
        return (old, new)
    }

    private static func range(_ word: Substring, _ sign: Character) -> (start: Int, count: Int)? {
        guard word.first == sign else { return nil }
        let numbers = word.dropFirst().split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 1 || numbers.count == 2, let start = numbers[0], start >= 0 else { return nil }
        guard numbers.count == 2 else { return (start, 1) }
        // No patch within the size limit has more lines than bytes.
        guard let count = numbers[1], count >= 0, count <= PatchFile.sizeLimit else { return nil }
        return (start, count)
    }
}
