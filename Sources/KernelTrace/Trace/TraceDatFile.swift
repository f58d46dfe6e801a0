// SPDX-License-Identifier: GPL-2.0
import CTraceCmd
import Foundation

/// A trace.dat that was looked through before libtracecmd sees it.
///
/// libtracecmd trusts its input: sizes, offsets and event lengths of a damaged file lead it out of its buffers, and
/// libtraceevent's parser of print formats crashes on damaged ones. A record is what a crash left behind, so
/// everything that the libraries would follow blindly is checked here first: the sections and their sizes, the shape
/// of the texts, the table of CPU data, and each event of each page. Only what `TraceDatContents.write(to:)` writes is
/// accepted. The libraries then read the checked bytes, not the file, and without the texts that only printing needs
/// and the kernel's symbols.
struct TraceDatFile {
    let path: String
    private var content: [UInt8]
    /// Where the content has print formats, which nothing here prints by.
    private var printFormats: [Range<Int>] = []
    /// Where it has the kernel's symbols: the libraries take longer to read them than all the rest.
    private var kallsyms = 0..<0
    /// Functions that had an mdlab probe, "NAME__ret" for one at the return.
    private(set) var probes: Set<String> = []
    /// Number of CPUs in the file.
    private(set) var cpus = 0
    private(set) var clock = ""

    /// Offset of a page in the file -> how many events were lost before its first (0: an unknown number).
    private(set) var losses: [UInt64: UInt64] = [:]

    static let pageSize = 4096

    init(url: URL) throws(TraceError) {
        path = url.path
        do throws(FileReadError) { content = try FileBytes.read(url) } catch {
            throw .unreadable(path: url.path, reason: error.reason)
        }
        let bytes = content
        var failure: TraceError?
        bytes.withUnsafeBytes { bytes in
            do throws(TraceError) { try check(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    var symbols: SymbolTable { SymbolTable(Array(content[kallsyms])) }

    /// A descriptor of a file in memory that holds what was checked, at its beginning. The caller closes it.
    func descriptor() throws(TraceError) -> Int32 {
        var bytes = content
        for range in printFormats {
            for index in range { bytes[index] = UInt8(ascii: "\n") }
            for (index, byte) in "print fmt: \"\"".utf8.enumerated() where index < range.count {
                bytes[range.lowerBound + index] = byte
            }
        }
        for index in kallsyms { bytes[index] = UInt8(ascii: "\n") }
        let descriptor = mdlab_memory_file("trace.dat")
        guard descriptor >= 0 else { throw .unreadable(path: path, reason: String(cString: strerror(errno))) }
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + done, bytes.count - done) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                close(descriptor)
                throw .unreadable(path: path, reason: String(cString: strerror(errno)))
            }
            done += count
        }
        lseek(descriptor, 0, SEEK_SET)
        return descriptor
    }

    private mutating func check(_ bytes: UnsafeRawBufferPointer) throws(TraceError) {
        var cursor = TraceDatCursor(bytes: bytes, path: path)
        guard bytes.count >= 10, bytes.starts(with: [0x17, 0x08, 0x44] + Array("tracing".utf8)) else {
            throw .notTrace(path: path)
        }
        cursor.position = 10
        let version = try cursor.terminatedText("file version", limit: 16)
        guard version == "6" else { throw .unsupported(path: path, what: "file version \(version)") }
        guard try cursor.integer(UInt8.self, "byte order") == 0 else {
            throw .unsupported(path: path, what: "big endian")
        }
        guard try cursor.integer(UInt8.self, "size of long") == 8 else {
            throw .unsupported(path: path, what: "a kernel of 32 bits")
        }
        let pageSize = try cursor.integer(UInt32.self, "page size")
        guard pageSize == Self.pageSize else { throw .unsupported(path: path, what: "pages of \(pageSize) bytes") }
        try checkHeaders(&cursor)
        try checkFormats(&cursor)
        try checkTexts(&cursor)
        cpus = Int(try cursor.integer(UInt32.self, "number of CPUs"))
        guard (1...4096).contains(cpus) else {
            throw .corrupt(path: path, part: "number of CPUs", reason: "\(cpus)")
        }
        try checkOptions(&cursor)
        try checkData(&cursor, bytes)
    }

    private func checkHeaders(_ cursor: inout TraceDatCursor) throws(TraceError) {
        try cursor.expect("header_page")
        let page = String(decoding: try cursor.sized64("header_page"), as: UTF8.self)
        // The offsets at which the pages are walked below.
        for field in [
            "u64 timestamp;\toffset:0;\tsize:8;", "commit;\toffset:8;\tsize:8;", "data;\toffset:16;\tsize:4080;",
        ] {
            guard page.contains(field) else {
                throw .corrupt(path: path, part: "header_page", reason: "no field \"\(field)\"")
            }
        }
        guard TraceDatText.isPlain(page) else {
            throw .corrupt(path: path, part: "header_page", reason: "bytes that are not text")
        }
        try cursor.expect("header_event")
        _ = try cursor.sized64("header_event")
    }

    private mutating func checkFormats(_ cursor: inout TraceDatCursor) throws(TraceError) {
        let ftrace = try cursor.integer(UInt32.self, "ftrace formats")
        for _ in 0..<ftrace { try checkFormat(&cursor, system: "ftrace") }
        let systems = try cursor.integer(UInt32.self, "event systems")
        for _ in 0..<systems {
            let system = try cursor.terminatedText("event system", limit: 256)
            let events = try cursor.integer(UInt32.self, "events of \(system)")
            for _ in 0..<events { try checkFormat(&cursor, system: system) }
        }
    }

    private mutating func checkFormat(_ cursor: inout TraceDatCursor, system: String) throws(TraceError) {
        let text = try cursor.sized64("format of an event of \(system)")
        if let fault = TraceDatText.faultInFormat(text) {
            throw .corrupt(path: path, part: "format of an event of \(system)", reason: fault)
        }
        if system == EventPlan.probes {
            probes.insert(String(decoding: text.dropFirst(6).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
        }
        printFormats.append(cursor.position - TraceDatText.printFormatLength(text)..<cursor.position)
    }

    private mutating func checkTexts(_ cursor: inout TraceDatCursor) throws(TraceError) {
        for name in ["kallsyms", "printk_formats"] {
            let size = Int(try cursor.integer(UInt32.self, name))
            let text = try cursor.take(size, name)
            if let fault = TraceDatText.faultInTable(text) { throw .corrupt(path: path, part: name, reason: fault) }
            if name == "kallsyms" { kallsyms = cursor.position - size..<cursor.position }
        }
        let text = try cursor.sized64("saved_cmdlines")
        if let fault = TraceDatText.faultInTable(text) {
            throw .corrupt(path: path, part: "saved_cmdlines", reason: fault)
        }
    }

    private mutating func checkOptions(_ cursor: inout TraceDatCursor) throws(TraceError) {
        try cursor.expect("options  ")
        while true {
            let option = try cursor.integer(UInt16.self, "options")
            if option == 0 { break }
            guard option == 4 else { throw .unsupported(path: path, what: "option \(option)") }
            let size = Int(try cursor.integer(UInt32.self, "trace_clock"))
            clock = try clockName(try cursor.take(size, "trace_clock"))
        }
        try cursor.expect("flyrecord")
    }

    private func clockName(_ bytes: UnsafeRawBufferPointer) throws(TraceError) -> String {
        guard bytes.count > 3, bytes.count < 64, bytes.first == UInt8(ascii: "["), bytes.last == 0,
            bytes[bytes.count - 2] == UInt8(ascii: "]"),
            bytes[1..<bytes.count - 2].allSatisfy({ TraceDatText.isNameByte($0) || $0 == UInt8(ascii: "-") })
        else { throw .corrupt(path: path, part: "trace_clock", reason: "not the name of a clock") }
        return String(decoding: bytes[1..<bytes.count - 2], as: UTF8.self)
    }

    private mutating func checkData(_ cursor: inout TraceDatCursor, _ bytes: UnsafeRawBufferPointer) throws(TraceError)
    {
        var runs: [Range<Int>] = []
        for cpu in 0..<cpus {
            let offset = try cursor.integer(UInt64.self, "table of CPU data")
            let size = try cursor.integer(UInt64.self, "table of CPU data")
            guard offset % UInt64(Self.pageSize) == 0, size % UInt64(Self.pageSize) == 0 else {
                throw .corrupt(path: path, part: "table of CPU data", reason: "CPU \(cpu) is not made of whole pages")
            }
            guard offset <= UInt64(bytes.count), size <= UInt64(bytes.count) - offset else {
                throw .truncated(path: path, part: "events of CPU \(cpu)")
            }
            runs.append(Int(offset)..<Int(offset + size))
        }
        if !clock.isEmpty {
            let text = try cursor.sized64("trace_clock")
            guard try clockName(text) == clock else {
                throw .corrupt(path: path, part: "trace_clock", reason: "two different clocks")
            }
        }
        for (cpu, run) in runs.enumerated() where !run.isEmpty {
            guard run.lowerBound >= cursor.position else {
                throw .corrupt(path: path, part: "table of CPU data", reason: "CPU \(cpu) begins inside the header")
            }
            for page in stride(from: run.lowerBound, to: run.upperBound, by: Self.pageSize) {
                let content = UnsafeRawBufferPointer(rebasing: bytes[page..<page + Self.pageSize])
                if let fault = RingBufferPage.fault(in: content) {
                    let number = (page - run.lowerBound) / Self.pageSize
                    throw .corrupt(path: path, part: "page \(number) of CPU \(cpu)", reason: fault)
                }
                losses[UInt64(page)] = RingBufferPage.lost(before: content)
            }
        }
    }
}
