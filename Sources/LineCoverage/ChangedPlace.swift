// SPDX-License-Identifier: GPL-2.0
import KernelBuild

/// A place of the new source at which a patch did something.
public struct ChangedPlace: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        /// The line is new, or was changed.
        case written
        /// So many lines were taken out before this line.
        case removed(Int)
    }

    /// In the kernel tree: "drivers/md/md-cluster.c".
    public var path: String
    /// Counted from 1, in the patched file.
    public var line: Int
    public var kind: Kind
    /// The written line, or the first of those that were taken out; without blanks around it.
    public var text: String

    public init(path: String, line: Int, kind: Kind, text: String) {
        (self.path, self.line, self.kind, self.text) = (path, line, kind, text)
    }
}

/// What a difference did to a source, with the lines around it as far as the difference shows them.
public struct ChangedSource: Sendable, Equatable {
    public var places: [ChangedPlace] = []
    /// Path -> line number -> text, of all lines that the difference shows of the new files.
    var shown: [String: [Int: String]] = [:]

    public init() {}

    /// - Parameter diff: a unified difference against the kernel's own source, as the record's changes.diff.
    /// - Throws: `PatchFault` for what is no difference. An empty one changes nothing.
    public init(diff: [UInt8]) throws(PatchFault) {
        guard diff.contains(where: { !" \n".utf8.contains($0) }) else { return }
        for file in try PatchFile.parse(diff).files {
            guard let path = file.newPath ?? file.oldPath else { continue }
            let name = path.hasPrefix("a/") || path.hasPrefix("b/") ? String(path.dropFirst(2)) : path
            for hunk in file.hunks { add(hunk, of: name) }
        }
    }

    private mutating func add(_ hunk: PatchFile.Hunk, of path: String) {
        var line = hunk.newStart
        var removed: [String] = []
        var wrote = false
        func text(_ line: PatchFile.Line) -> String { String(decoding: line.dropFirst(), as: UTF8.self) }
        // Lines that were taken out and not replaced leave a place behind: the next line of the new file.
        func flush() {
            if !removed.isEmpty, !wrote, removed.contains(where: { !SourceLine($0).isTrivial }) {
                let first = removed.first { !SourceLine($0).isTrivial } ?? removed[0]
                places.append(
                    ChangedPlace(path: path, line: line, kind: .removed(removed.count), text: first.trimmed))
            }
            (removed, wrote) = ([], false)
        }
        for entry in hunk.text {
            switch entry.first {
            case UInt8(ascii: "-"): removed.append(text(entry))
            case UInt8(ascii: "\\"): continue
            case UInt8(ascii: "+"):
                wrote = true
                shown[path, default: [:]][line] = text(entry)
                places.append(ChangedPlace(path: path, line: line, kind: .written, text: text(entry).trimmed))
                line += 1
            default:
                flush()
                shown[path, default: [:]][line] = text(entry)
                line += 1
            }
        }
        flush()
    }
}

/// A line of C, as far as one can tell without its neighbours.
struct SourceLine {
    let text: String
    init(_ text: String) { self.text = text.trimmed }

    /// Nothing that could run: blank, a comment, braces, a label, `else`.
    var isTrivial: Bool {
        text.isEmpty || text.hasPrefix("//") || text.hasPrefix("/*") || text == "*" || text.hasPrefix("* ")
            || text.hasPrefix("*/") || text.allSatisfy { "{}();".contains($0) } || text == "else" || text == "} else {"
            || text == "else {" || text == "do {" || isLabel
    }

    /// Text for the preprocessor: what uses it is elsewhere.
    var isDirective: Bool { text.hasPrefix("#") }

    private var isLabel: Bool {
        text.hasSuffix(":") && !text.hasPrefix("case ") && text != "default:"
            && text.dropLast().allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
    }

    /// The statement goes on in the next line.
    var goesOn: Bool { !isTrivial && !isDirective && !(text.last.map { ";{}:".contains($0) } ?? true) }

    var isOnlyClosingBrace: Bool { text.hasPrefix("}") }
}

extension String {
    var trimmed: String {
        func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" || character == "\r" }
        var text = self[...]
        while let last = text.last, isBlank(last) { text.removeLast() }
        return String(text.drop(while: isBlank))
    }
}
