// SPDX-License-Identifier: GPL-2.0

/// The shape of the texts inside a trace.dat, as far as libtraceevent relies on it.
enum TraceDatText {
    static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// Printable ASCII, tabs and line ends only.
    static func isPlain(_ text: String) -> Bool { text.utf8.allSatisfy(isPlainByte) }

    static func isPlainByte(_ byte: UInt8) -> Bool { (32..<127).contains(byte) || byte == 9 || byte == 10 }

    /// A table of lines: kallsyms, printk_formats, saved_cmdlines. A comm may hold any byte but 0.
    static func faultInTable(_ bytes: UnsafeRawBufferPointer) -> String? {
        bytes.contains(0) ? "a zero byte in the text" : nil
    }

    /// What is wrong with the `format` file of an event; nil when it is as the kernel writes it (f_show of
    /// kernel/trace/trace_events.c).
    static func faultInFormat(_ bytes: UnsafeRawBufferPointer) -> String? {
        guard bytes.allSatisfy(isPlainByte) else { return "bytes that are not text" }
        let lines = bytes.split(separator: 10, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard lines.count > 5, lines[0].hasPrefix("name: "), lines[1].hasPrefix("ID: "), lines[2] == "format:" else {
            return "not an event format"
        }
        guard !lines[0].dropFirst(6).isEmpty, lines[0].dropFirst(6).utf8.allSatisfy(isNameByte) else {
            return "no event name"
        }
        guard let id = Int(lines[1].dropFirst(4)), (1...0xffff).contains(id) else { return "no event number" }
        // struct trace_entry, which `EventDecoder` reads before it knows the event.
        guard lines.contains(where: { $0.hasPrefix("\tfield:unsigned short common_type;\toffset:0;\tsize:2;") }),
            lines.contains(where: { $0.hasPrefix("\tfield:int common_pid;\toffset:4;\tsize:4;") })
        else { return "no common_type or common_pid where they have to be" }
        var fields = 0
        for line in lines[3...] {
            if line.hasPrefix("print fmt: ") { return fields < 4 ? "fields are missing" : nil }
            if line.isEmpty { continue }
            guard isField(line) else { return "not a field: \"\(line.prefix(60))\"" }
            fields += 1
        }
        return "no print format"
    }

    /// Length of the last part of a format that `faultInFormat` found good: from "print fmt: " to the end.
    static func printFormatLength(_ bytes: UnsafeRawBufferPointer) -> Int {
        var start = bytes.startIndex
        while start < bytes.endIndex {
            let line = bytes[start...]
            if line.starts(with: "print fmt: ".utf8) { return bytes.endIndex - start }
            start = (line.firstIndex(of: 10) ?? bytes.endIndex - 1) + 1
        }
        return 0
    }

    /// "\tfield:u32 lkb_id;\toffset:12;\tsize:4;\tsigned:0;"
    private static func isField(_ line: String) -> Bool {
        let parts = line.split(separator: ";", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[4].isEmpty, parts[0].hasPrefix("\tfield:"), parts[1].hasPrefix("\toffset:"),
            parts[2].hasPrefix("\tsize:"), parts[3] == "\tsigned:0" || parts[3] == "\tsigned:1",
            let offset = Int(parts[1].dropFirst(8)), let size = Int(parts[2].dropFirst(6))
        else { return false }
        return (0...4080).contains(offset) && (0...4080).contains(size) && offset + size <= 4080
            && parts[0].dropFirst(7).contains(" ")
    }
}
