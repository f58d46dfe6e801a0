// SPDX-License-Identifier: GPL-2.0

/// The forms of a kernel's line other than its own stamp and /dev/kmsg's record.
enum LogShape {
    struct Line {
        var text: ArraySlice<UInt8>
        var level: Int?
        /// A blank parts the prefix from the text.
        var dropsBlank = true
    }

    /// Without colours, what a mail puts before quoted lines, and the marks of a page that shows code.
    static func plain(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var rest = bytes
        while let quote = rest.first, quote == UInt8(ascii: ">") || quote == UInt8(ascii: "|") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: " ") { rest = rest.dropFirst() }
        }
        while let byte = rest.first {
            rest = rest.dropFirst()
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
        return out
    }

    /// A line with a prefix that says that it is the kernel's; nil for any other.
    static func line(_ bytes: [UInt8]) -> Line? {
        facility(bytes[...]) ?? wallClock(bytes[...]) ?? daemon(bytes[...])
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

    private static let days: Set<String> = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    private static let months: Set<String> = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `dmesg -T`: "[Thu Nov 26 10:00:00 2026] text"; `dmesg -H`: "[Nov26 10:00] text" and "[  +0.000012] text"; `dmesg
    /// -d`: "[    1.234567 <    0.000012>] text".
    private static func wallClock(_ bytes: ArraySlice<UInt8>) -> Line? {
        guard bytes.first == UInt8(ascii: "["), let close = bytes.prefix(48).firstIndex(of: UInt8(ascii: "]")) else {
            return nil
        }
        let stamp = String(decoding: bytes[(bytes.startIndex + 1)..<close], as: UTF8.self)
        let words = stamp.split(separator: " ").map(String.init)
        let isStamp =
            switch words.count {
            case 1: words[0].hasPrefix("+") && Double(words[0].dropFirst()) != nil
            case 2: months.contains(String(words[0].prefix(3))) && isTime(words[1])
            case 2...4 where words[1].hasPrefix("<"): Double(words[0]) != nil
            case 5: days.contains(words[0]) && months.contains(words[1]) && isTime(words[3])
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

    /// The words before "kernel:": a date and a host.
    private static func isDate(_ words: [String]) -> Bool {
        switch words.count {
        // The month may be in any language.
        case 4: Int(words[1]).map { (1...31).contains($0) } == true && isTime(words[2])
        case 2: words[0].count >= 19 && words[0].dropFirst(10).first == "T" && words[0].prefix(4).allSatisfy(\.isNumber)
        case 3: words[0].count == 10 && words[0].prefix(4).allSatisfy(\.isNumber) && isTime(words[1])
        default: false
        }
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
