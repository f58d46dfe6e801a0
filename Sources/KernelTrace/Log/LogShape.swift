// SPDX-License-Identifier: GPL-2.0

/// The forms of a kernel's line other than its own stamp and /dev/kmsg's record.
enum LogShape {
    struct Line {
        var text: ArraySlice<UInt8>
        var level: Int?
        /// A blank parts the prefix from the text.
        var dropsBlank = true
    }

    /// Without colours, what a mail puts before quoted lines, and the marks of a page that shows code. Blanks that do
    /// not break are blanks.
    static func plain(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var rest = bytes
        var isASCII = true
        while let byte = rest.first {
            rest = rest.dropFirst()
            let isBlank = byte == 0xa0 && isASCII || byte == 0xc2 && rest.first == 0xa0
            if isBlank {
                if byte == 0xc2 { rest = rest.dropFirst() }
                out.append(UInt8(ascii: " "))
                continue
            }
            isASCII = byte < 128
            guard byte == 0x1b else {
                if byte == UInt8(ascii: "\t") || byte >= 32 { out.append(byte) }
                continue
            }
            // CSI: parameters, then a letter.
            if rest.first == UInt8(ascii: "[") {
                rest = rest.dropFirst().drop { (0x20...0x3f).contains($0) }
                rest = rest.dropFirst()
            }
        }
        return Array(unquoted(out[...]))
    }

    /// Without "> ", "| " and "Name> " before it.
    private static func unquoted(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var rest = bytes
        while true {
            let ahead = rest.drop(while: isBlank)
            let name = ahead.prefix(20).prefix { (65...90).contains($0) || (97...122).contains($0) }
            let mark = name.isEmpty || !(65...90).contains(name[name.startIndex]) ? ahead : ahead[name.endIndex...]
            guard let quote = mark.first, quote == UInt8(ascii: ">") || quote == UInt8(ascii: "|") && mark == ahead
            else { return rest }
            rest = mark.dropFirst()
            if rest.first == UInt8(ascii: " ") { rest = rest.dropFirst() }
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    /// Without the blanks before a stamp or a level, as in a block of code.
    static func unindented(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let rest = bytes.drop(while: isBlank)
        return rest.first == UInt8(ascii: "[") || rest.first == UInt8(ascii: "<") ? rest : bytes
    }

    /// The stamp or record behind what an editor, a chat or a collector put before it: numbers, times and marks, no
    /// letters ("1162  <4>[33685.6...", "| [ 1:10.129] 6,12129,497184260,-;text"). nil if there is none.
    static func behindMarks(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let marks = bytes.prefix(48).prefix { byte in
            isBlank(byte) || (48...58).contains(byte) || "<>[].|+-*#".utf8.contains(byte)
        }
        if let semicolon = bytes.prefix(128).firstIndex(of: UInt8(ascii: ";")),
            let blank = bytes[..<semicolon].lastIndex(where: isBlank), blank < marks.endIndex
        {
            return bytes[(blank + 1)...]
        }
        guard let stamp = marks.firstIndex(of: UInt8(ascii: "[")), stamp > bytes.startIndex else { return nil }
        let level = marks[..<stamp].suffix(3)
        let hasLevel = level.count == 3 && level.first == UInt8(ascii: "<") && level.last == UInt8(ascii: ">")
        return bytes[(hasLevel ? level.startIndex : stamp)...]
    }

    /// What follows "kernel:" at the beginning of a line, where somebody cut off date and host, or a terminal showed an
    /// emergency; or "Jul  2 12:00:06 : ", where host and program were cut off.
    static func named(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let mark = Array("kernel:".utf8)
        let rest = bytes.drop(while: isBlank)
        if rest.starts(with: mark) { return rest.dropFirst(mark.count) }
        let head = rest.prefix(40)
        for place in head.indices.dropLast(2) where head[place...].starts(with: " : ".utf8) {
            let words = head[..<place].split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
            return isDate(words) && words.last.map(isTime) == true ? rest[(place + 2)...] : nil
        }
        return nil
    }

    /// A line with a prefix that says that it is the kernel's; nil for any other.
    static func line(_ bytes: [UInt8]) -> Line? {
        let text = bytes[...].drop(while: isBlank)
        return facility(text) ?? wallClock(text) ?? daemon(text) ?? iso(text)
    }

    private static let facilities: Set<String> = ["kern"]
    private static let levels = ["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"]

    /// `dmesg -x`: "kern  :warn  : [    1.234567] text"
    private static func facility(_ bytes: ArraySlice<UInt8>) -> Line? {
        guard let first = bytes.prefix(12).firstIndex(of: UInt8(ascii: ":")),
            facilities.contains(word(bytes[..<first])),
            let second = bytes[(first + 1)...].prefix(12).firstIndex(of: UInt8(ascii: ":")),
            let level = levels.firstIndex(of: word(bytes[(first + 1)..<second]))
        else { return nil }
        let rest = bytes[(second + 1)...].drop { $0 == UInt8(ascii: " ") }
        return Line(text: wallClock(rest)?.text ?? rest, level: level)
    }

    /// `dmesg -T`: "[Thu Nov 26 10:00:00 2026] text"; `dmesg -H`: "[Nov26 10:00] text" and "[  +0.000012] text"; `dmesg
    /// -d`: "[    1.234567 <    0.000012>] text". The names of days and months may be in any language.
    private static func wallClock(_ bytes: ArraySlice<UInt8>) -> Line? {
        guard bytes.first == UInt8(ascii: "["), let close = bytes.prefix(48).firstIndex(of: UInt8(ascii: "]")) else {
            return nil
        }
        let stamp = String(decoding: bytes[(bytes.startIndex + 1)..<close], as: UTF8.self)
        let words = stamp.split(separator: " ").map(String.init)
        let isStamp =
            switch words.count {
            case 1: words[0].hasPrefix("+") && Double(words[0].dropFirst().replacing(",", with: ".")) != nil
            case 2:
                isTime(words[1]) && words[0].first?.isLetter == true && isDay(words[0].suffix(2).drop { !$0.isNumber })
            // dmesg pads the day: "[Jun 3 09:02]".
            case 3: isTime(words[2]) && isDay(words[1]) && words[0].contains(where: \.isLetter)
            case 5: isTime(words[3]) && isDay(words[2]) && words[4].count == 4 && words[4].allSatisfy(\.isNumber)
            default: false
            }
        let isDelta = words.count > 1 && words[1].hasPrefix("<") && Double(words[0]) != nil
        guard isStamp || isDelta else { return nil }
        return Line(text: bytes[(close + 1)...])
    }

    /// journald and syslog: "Nov 26 10:00:00 host kernel: text", or with an ISO 8601 time. What another program logged
    /// is not the kernel's, even when it speaks of kernels.
    private static func daemon(_ bytes: ArraySlice<UInt8>) -> Line? {
        let mark = Array(" kernel: ".utf8)
        let head = bytes.prefix(160)
        guard let first = head.first, first >= 48, head.count > mark.count else { return nil }
        var place = head.startIndex
        while place + mark.count <= head.endIndex {
            if head[place] == mark[0], head[place..<(place + mark.count)].elementsEqual(mark) {
                let words = head[..<place].split(separator: UInt8(ascii: " ")).map {
                    String(decoding: $0, as: UTF8.self)
                }
                guard isDate(words) else { return nil }
                return Line(text: bytes[(place + mark.count)...], dropsBlank: false)
            }
            place += 1
        }
        return nil
    }

    /// The words before "kernel:": a date in some language and form, and mostly a host. Each has a time, but for the
    /// seconds since 1970 (`journalctl -o short-unix`).
    private static func isDate(_ words: [String]) -> Bool {
        // Another program that speaks of a kernel: "sshd[1]: kernel: ..."
        guard (1...7).contains(words.count), !words.contains(where: { $0.hasSuffix(":") }) else { return false }
        if words.contains(where: isISO) { return true }
        if words.count > 1, words.contains(where: isTime) {
            return words.contains { isDay($0) || $0.count == 10 && $0.prefix(4).allSatisfy(\.isNumber) }
        }
        return words.count == 2 && words[0].count == 17 && words[0].dropFirst(10).first == "."
            && Double(words[0]) != nil
    }

    /// `dmesg --time-format iso`: "2026-11-26T10:00:00,123456+00:00 text"
    private static func iso(_ bytes: ArraySlice<UInt8>) -> Line? {
        guard let blank = bytes.prefix(40).firstIndex(of: UInt8(ascii: " ")) else { return nil }
        let word = String(decoding: bytes[..<blank], as: UTF8.self)
        guard isISO(word), word.dropFirst(19).first == "," else { return nil }
        return Line(text: bytes[blank...])
    }

    /// "2026-11-26T10:00:00", and what may follow
    private static func isISO(_ word: String) -> Bool {
        word.count >= 19 && word.dropFirst(10).first == "T" && word.prefix(4).allSatisfy(\.isNumber)
            && isTime(String(word.dropFirst(11).prefix(8)))
    }

    private static func isDay(_ word: some StringProtocol) -> Bool {
        Int(word).map { (1...31).contains($0) } == true
    }

    /// "10:00", "10:00:00", "10:00:00.123456"
    private static func isTime(_ word: String) -> Bool {
        let parts = word.split(separator: ":", omittingEmptySubsequences: false)
        return (2...3).contains(parts.count) && parts.allSatisfy { Double($0) != nil }
    }

    /// CONFIG_PRINTK_CALLER: "    T123]", "    C0]".
    static func isCaller(_ bytes: ArraySlice<UInt8>) -> Bool {
        let word = bytes.prefix(12).drop { $0 == UInt8(ascii: " ") }
        guard word.first == UInt8(ascii: "T") || word.first == UInt8(ascii: "C"),
            let end = word.firstIndex(of: UInt8(ascii: "]"))
        else { return false }
        let digits = word[(word.startIndex + 1)..<end]
        return !digits.isEmpty && digits.allSatisfy { (48...57).contains($0) }
    }

    private static let beginnings = [
        "Linux version ", "Call Trace:", "Modules linked in:", "Hardware name: ", "RIP: 0010:", "INFO: task ",
        "md/raid",
        "md-cluster: ", "Kernel panic - not syncing", "---[ end trace", "------------[ cut here ]", "sysrq: ",
        "BUG: KASAN: ", "BUG: KCSAN: ", "BUG: kernel ", "BUG: unable to handle", "WARNING: CPU: ", "task:",
    ]

    /// Whether only a kernel prints such a line.
    static func isUnmistakable(_ text: String) -> Bool {
        let text = text.drop { $0 == " " }
        return beginnings.contains { text.hasPrefix($0) }
    }

    private static func word(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes, as: UTF8.self).split(separator: " ").joined()
    }
}
