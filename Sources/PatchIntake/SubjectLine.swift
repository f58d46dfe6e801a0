// SPDX-License-Identifier: GPL-2.0

/// The subject of a patch mail: `[PATCH RFC v3 2/5] md-cluster: wait for the ack`.
public struct SubjectLine: Sendable, Equatable {
    /// Without prefix and "Re:".
    public var title = ""
    /// `2/5`; the cover letter is 0.
    public var number: Int?
    public var total: Int?
    /// 1 where none is said.
    public var version = 1
    /// "Re:", "Aw:", "Fwd:" and the like before the prefix.
    public var isReply = false
    /// There is a prefix with the word PATCH, or with `n/m`.
    public var isPatch = false

    public var isCover: Bool { number == 0 }

    public init(_ subject: String) {
        var rest = Substring(subject.split(whereSeparator: \.isWhitespace).joined(separator: " "))
        while true {
            if let reply = Self.replyMark(rest) {
                isReply = true
                rest = reply
            } else if rest.first == "[", let end = rest.firstIndex(of: "]") {
                read(prefix: rest[rest.index(after: rest.startIndex)..<end])
                rest = rest[rest.index(after: end)...].drop { $0 == " " }
            } else {
                break
            }
        }
        title = String(rest)
    }

    /// The subject again, as `git format-patch` writes it.
    public var text: String {
        var words = ["PATCH"]
        if version > 1 { words.append("v\(version)") }
        if let number, let total { words.append("\(number)/\(total)") }
        return "[\(words.joined(separator: " "))] \(title)"
    }

    /// What follows a mark of a reply, or nil.
    private static func replyMark(_ text: Substring) -> Substring? {
        guard let colon = text.prefix(5).firstIndex(of: ":") else { return nil }
        let mark = text[..<colon].lowercased()
        guard ["re", "aw", "sv", "fw", "fwd"].contains(mark) else { return nil }
        return text[text.index(after: colon)...].drop { $0 == " " }
    }

    private mutating func read(prefix: Substring) {
        for word in prefix.split(whereSeparator: { " ,".contains($0) }) {
            let lower = word.lowercased()
            let parts = lower.split(separator: "/", omittingEmptySubsequences: false)
            if parts.count == 2, let first = Self.number(parts[0]), let last = Self.number(parts[1]), first <= last,
                last > 0
            {
                (number, total, isPatch) = (first, last, true)
            } else if lower.contains("patch") {
                isPatch = true
                // "PATCHv3" is written too.
                if let version = Self.version(lower.drop { $0 != "v" }) { self.version = version }
            } else if let version = Self.version(Substring(lower)) {
                self.version = version
            }
        }
    }

    private static func version(_ word: Substring) -> Int? {
        guard word.first == "v", let version = number(word.dropFirst()), version > 0 else { return nil }
        return version
    }

    /// Small and of digits only: nobody sends a series of a million patches.
    private static func number(_ text: Substring) -> Int? {
        guard (1...4).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int(text)
    }
}
