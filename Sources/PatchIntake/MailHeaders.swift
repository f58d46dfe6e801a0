// SPDX-License-Identifier: GPL-2.0

/// The headers of a mail that `git mailinfo` does not print, read as RFC 5322 has them. Bytes in, no I/O.
struct MailHeaders: Equatable {
    private var fields: [(name: String, value: String)] = []

    static func == (one: MailHeaders, other: MailHeaders) -> Bool {
        one.fields.elementsEqual(other.fields) { $0.name == $1.name && $0.value == $1.value }
    }

    /// Reads up to the first empty line.
    init(_ bytes: some Collection<UInt8>) {
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            var text = String(decoding: line, as: UTF8.self)
            if text.hasSuffix("\r") { text.removeLast() }
            if text.isEmpty { break }
            if text.hasPrefix("From ") || text.hasPrefix(">From ") { continue }
            if let first = text.first, first == " " || first == "\t" {
                guard !fields.isEmpty else { break }
                fields[fields.count - 1].value += " " + text.drop { $0 == " " || $0 == "\t" }
            } else if let colon = text.firstIndex(of: ":"), Self.isName(text[..<colon]) {
                let value = text[text.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
                fields.append((text[..<colon].lowercased(), String(value)))
            } else {
                break
            }
        }
    }

    subscript(name: String) -> String? { fields.first { $0.name == name.lowercased() }?.value }

    /// Whether this is the head of a mail: a field that every mail or every file of `git format-patch` has.
    var isMail: Bool { self["from"] != nil || self["subject"] != nil && self["date"] != nil }

    /// `Content-Type: text/plain; format=flowed`.
    var isFlowed: Bool {
        guard let type = self["content-type"]?.lowercased() else { return false }
        return type.split(separator: ";").contains { part in
            part.split(separator: "=").map { $0.split { " \"".contains($0) }.joined() } == ["format", "flowed"]
        }
    }

    private static func isName(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 > 32 && $0 < 127 }
    }
}

/// What a file's bytes look like.
enum SourceShape: Equatable {
    /// One mail or several: git splits them.
    case mail
    /// A diff with or without text before it, as of `git diff`, `git show`, quilt or diff(1).
    case diff
    case nothing

    init(_ bytes: [UInt8]) {
        let start = bytes.firstIndex { !" \t\r\n".utf8.contains($0) } ?? bytes.endIndex
        let text = bytes[start...]
        if text.starts(with: "From ".utf8) || MailHeaders(text.prefix(64 << 10)).isMail {
            self = .mail
        } else {
            self = DiffText.begins(in: text) ? .diff : .nothing
        }
    }
}

/// Where a diff is in a text.
enum DiffText {
    /// Whether a line `--- ` is followed by `+++ ` and a hunk: what patch(1) looks for.
    static func begins(in bytes: some Collection<UInt8>) -> Bool {
        var stage = 0
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            switch stage {
            case 1 where line.starts(with: "+++ ".utf8): stage = 2
            case 2 where line.starts(with: "@@ -".utf8): return true
            default: stage = line.starts(with: "--- ".utf8) ? 1 : 0
            }
            // A new, a removed or a binary file may have no hunk that can be read: patch(1)'s judge says so later.
            if line.starts(with: "GIT binary patch".utf8) || line.starts(with: "rename from ".utf8) { return true }
        }
        return false
    }
}
