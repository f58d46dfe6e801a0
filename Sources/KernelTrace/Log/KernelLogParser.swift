// SPDX-License-Identifier: GPL-2.0

/// Reads the lines of a log one after the other.
struct KernelLogParser {
    private(set) var lines: [KernelLog.Line] = []
    private(set) var lost: UInt64 = 0
    /// Some line says by its form whose it is.
    private(set) var hasForm = false
    /// For each line how many bytes it had with all that was before and behind its text.
    private(set) var widths: [Int] = []
    /// Lines that begin with "kernel:" and do not say when: the kernel's only if what they say is.
    private(set) var named: [Int] = []
    private var number = 0
    private var width = 0
    /// The host of a journal that was printed with the kernel's clock.
    private var journalHost: [UInt8]?
    private var nextSequence: UInt64?

    mutating func take(_ bytes: ArraySlice<UInt8>) {
        number += 1
        var bytes = bytes
        while bytes.last == UInt8(ascii: "\r") { bytes = bytes.dropLast() }
        if bytes.isEmpty { return }
        width = bytes.count
        if takeProperty(bytes) || takeRecord(bytes) || takeStamped(bytes) { return }
        // What a terminal or a mail has put around the line.
        let plain = LogShape.plain(bytes)
        if plain.isEmpty { return }
        if takeStamped(plain[...]) { return }
        if let line = LogShape.line(plain) {
            var text = line.text
            // journald and syslog may keep the kernel's own stamp behind theirs.
            if takeStamped(text, level: line.level) { return }
            if text.first == UInt8(ascii: " "), line.dropsBlank { text = text.dropFirst() }
            append(time: nil, level: line.level, bytes: text, isKernel: true)
            return
        }
        if let inner = LogShape.behindMarks(plain[...]), takeRecord(inner) || takeStamped(inner) { return }
        if let text = LogShape.named(plain[...]) {
            if takeStamped(text) { return }
            named.append(lines.count)
            append(
                time: nil, level: nil, bytes: text.first == UInt8(ascii: " ") ? text.dropFirst() : text, isKernel: false
            )
            return
        }
        append(time: nil, level: nil, bytes: plain[...], isKernel: false)
    }

    /// " KEY=value": belongs to the record before it (Documentation/ABI/testing/dev-kmsg).
    private mutating func takeProperty(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.first == UInt8(ascii: " "), let equals = bytes.firstIndex(of: UInt8(ascii: "=")),
            !lines.isEmpty, lines[lines.count - 1].level != nil,
            bytes[(bytes.startIndex + 1)..<equals].allSatisfy({ (65...90).contains($0) || $0 == UInt8(ascii: "_") })
        else { return false }
        let key = String(decoding: bytes[(bytes.startIndex + 1)..<equals], as: UTF8.self)
        lines[lines.count - 1].properties[key] = String(decoding: bytes[(equals + 1)...], as: UTF8.self)
        return true
    }

    /// "prio,sequence,microseconds,flags[,...];text"
    private mutating func takeRecord(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.first.map({ (48...57).contains($0) }) == true,
            let semicolon = bytes.prefix(128).firstIndex(of: UInt8(ascii: ";"))
        else { return false }
        let head = bytes[..<semicolon].split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        guard head.count >= 4, let priority = Self.number(head[0]), priority < 1 << 16,
            let sequence = Self.number(head[1]), let time = Self.number(head[2])
        else { return false }
        hasForm = true
        if let next = nextSequence, sequence > next { lost += sequence - next }
        nextSequence = sequence == .max ? nil : sequence + 1
        // The upper bits are the syslog facility: 0 is the kernel, user space cannot write as it.
        append(
            time: Double(time) / 1e6, level: Int(priority & 7), bytes: bytes[(semicolon + 1)...],
            isKernel: priority >> 3 == 0)
        return true
    }

    /// "[    1.234567] text", with the thread or CPU in a second pair of brackets when the kernel says it
    /// (CONFIG_PRINTK_CALLER).
    private mutating func takeStamped(_ bytes: ArraySlice<UInt8>, level: Int? = nil) -> Bool {
        var (bytes, level) = (LogShape.unindented(bytes), level)
        // "<4>" stays on a console without a log daemon's help.
        if bytes.count > 3, bytes.first == UInt8(ascii: "<"),
            let end = bytes.prefix(5).firstIndex(of: UInt8(ascii: ">"))
        {
            level = Self.number(bytes[(bytes.startIndex + 1)..<end]).map { Int($0 & 7) } ?? level
            bytes = bytes[(end + 1)...]
        }
        bytes = LogShape.unindented(bytes)
        guard bytes.first == UInt8(ascii: "["), let close = bytes.prefix(32).firstIndex(of: UInt8(ascii: "]")) else {
            return false
        }
        let stamp = bytes[(bytes.startIndex + 1)..<close].drop { $0 == UInt8(ascii: " ") }
        guard let point = stamp.firstIndex(of: UInt8(ascii: ".")), stamp.endIndex - point == 7,
            let seconds = Self.number(stamp[..<point]), let micros = Self.number(stamp[(point + 1)...])
        else { return false }
        var text = bytes[(close + 1)...]
        if text.starts(with: " [".utf8), LogShape.isCaller(text.dropFirst(2)) { text = text.dropFirst() }
        if text.first == UInt8(ascii: "["), let second = text.prefix(32).firstIndex(of: UInt8(ascii: "]")) {
            text = text[(second + 1)...]
        }
        if text.first == UInt8(ascii: " ") { text = text.dropFirst() }
        let isKernel = takeIdentifier(&text)
        append(time: Double(seconds) + Double(micros) / 1e6, level: level, bytes: text, isKernel: isKernel)
        return true
    }

    /// `journalctl -o short-monotonic` has the kernel's clock, and behind it "host kernel: ", or another program. Takes
    /// that away; false if the line is the other program's.
    private mutating func takeIdentifier(_ text: inout ArraySlice<UInt8>) -> Bool {
        let mark = Array("kernel: ".utf8)
        if text.starts(with: mark) {
            text = text.dropFirst(mark.count)
            return true
        }
        guard let blank = text.prefix(65).firstIndex(of: UInt8(ascii: " ")) else { return true }
        let rest = text[(blank + 1)...]
        if rest.starts(with: mark) {
            journalHost = Array(text[..<blank])
            text = rest.dropFirst(mark.count)
            return true
        }
        return !(journalHost?.elementsEqual(text[..<blank]) ?? false)
    }

    /// A message of several lines is one record, its line ends written as \x0a: each becomes a line.
    private mutating func append(time: Double?, level: Int?, bytes: ArraySlice<UInt8>, isKernel: Bool) {
        hasForm = hasForm || isKernel
        for part in Self.unescaped(bytes).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            widths.append(width)
            lines.append(
                KernelLog.Line(
                    number: number, time: time, level: level, text: String(decoding: part, as: UTF8.self),
                    isKernel: isKernel))
        }
    }

    static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        guard !digits.isEmpty else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            guard (48...57).contains(digit) else { return nil }
            let (tens, over) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(UInt64(digit - 48))
            if over || carry { return nil }
            value = sum
        }
        return value
    }

    /// /dev/kmsg writes bytes that are not printable as \xNN (msg_add_ext_text of kernel/printk/printk.c).
    static func unescaped(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        guard bytes.contains(UInt8(ascii: "\\")) else { return Array(bytes) }
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            if bytes[index] == UInt8(ascii: "\\"), index + 3 < bytes.endIndex, bytes[index + 1] == UInt8(ascii: "x"),
                let high = hexDigit(bytes[index + 2]), let low = hexDigit(bytes[index + 3])
            {
                out.append(high << 4 | low)
                index += 4
            } else {
                out.append(bytes[index])
                index += 1
            }
        }
        return out
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 97...102: byte - 87
        case 65...70: byte - 55
        default: nil
        }
    }
}
