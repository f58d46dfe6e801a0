// SPDX-License-Identifier: GPL-2.0
import Foundation

extension TraceDatContents {
    /// The ring-buffer page of every kernel that mdlab runs: one page of x86-64.
    static let pageSize = 4096

    /// Writes a trace.dat of file version 6 (trace-cmd.dat.v6(5)), which trace-cmd, KernelShark and libtracecmd open.
    ///
    /// The pages are streamed, never held in memory as a whole. The file appears under its name only when it is
    /// complete: a reader never sees half of one.
    public func write(to url: URL) throws(TraceDatError) {
        let partial = url.appendingPathExtension("partial")
        do throws(TraceDatError) {
            try stream(to: partial)
            guard rename(partial.path, url.path) == 0 else {
                throw TraceDatError.unwritable(path: url.path, reason: String(cString: strerror(errno)))
            }
        } catch {
            unlink(partial.path)
            throw error
        }
    }

    private func stream(to url: URL) throws(TraceDatError) {
        let pages = try cpuPages.map { file throws(TraceDatError) in try RawPages(file) }
        let header = try headerBytes(cpus: pages.count)
        // The table that follows the header: offset and size per CPU, then the clock that the option announced.
        let clockText = TraceDatBytes.terminated("[\(clock)]")
        var dataStart = header.count + 16 * pages.count + 8 + clockText.count
        dataStart = (dataStart + Self.pageSize - 1) / Self.pageSize * Self.pageSize

        var table = TraceDatBytes()
        var offset = dataStart
        for file in pages {
            table.append(UInt64(offset))
            table.append(UInt64(file.filledPages.count * Self.pageSize))
            offset += file.filledPages.count * Self.pageSize
        }
        table.append(UInt64(clockText.count))
        table.append(clockText)

        let out = open(url.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard out >= 0 else { throw .unwritable(path: url.path, reason: String(cString: strerror(errno))) }
        defer { close(out) }
        var start = header
        start.append(table.bytes)
        start.append([UInt8](repeating: 0, count: dataStart - start.count))
        try writeAll(start.bytes, to: out, path: url.path)
        for file in pages { try file.copy(to: out, path: url.path) }
    }

    /// All that comes before the table of CPU data.
    private func headerBytes(cpus: Int) throws(TraceDatError) -> TraceDatBytes {
        var out = TraceDatBytes()
        out.append([0x17, 0x08, 0x44])
        out.append("tracing")
        out.append(TraceDatBytes.terminated("6"))
        out.append([0, 8])  // little endian, 8 bytes a long
        out.append(UInt32(Self.pageSize))

        out.append(TraceDatBytes.terminated("header_page"))
        out.append(sized64: headerPage)
        out.append(TraceDatBytes.terminated("header_event"))
        out.append(sized64: headerEvent)

        out.append(UInt32(ftraceFormats.count))
        for format in ftraceFormats { out.append(sized64: format) }
        out.append(UInt32(eventFormats.count))
        for system in eventFormats {
            out.append(TraceDatBytes.terminated(system.name))
            out.append(UInt32(system.formats.count))
            for format in system.formats { out.append(sized64: format) }
        }

        try out.append(sized32: Array(kallsyms.utf8), part: "kallsyms")
        try out.append(sized32: Array(printkFormats.utf8), part: "printk_formats")
        out.append(sized64: Array(commandLines.utf8))

        out.append(UInt32(cpus))
        out.append(TraceDatBytes.terminated("options  "))
        // TRACECMD_OPTION_TRACECLOCK: without it readers take the clock for "local" and do not show "mono".
        out.append(UInt16(4))
        try out.append(sized32: TraceDatBytes.terminated("[\(clock)]"), part: "trace_clock")
        out.append(UInt16(0))
        out.append(TraceDatBytes.terminated("flyrecord"))
        return out
    }
}

/// A growing row of bytes, little endian as the file says of itself.
struct TraceDatBytes {
    private(set) var bytes: [UInt8] = []
    var count: Int { bytes.count }

    static func terminated(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }

    mutating func append(_ more: [UInt8]) { bytes += more }
    mutating func append(_ text: String) { bytes += Array(text.utf8) }
    mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes += Array($0) }
    }
    mutating func append(sized64 part: [UInt8]) {
        append(UInt64(part.count))
        append(part)
    }
    mutating func append(sized32 bytes: [UInt8], part: String) throws(TraceDatError) {
        guard let size = UInt32(exactly: bytes.count) else { throw .tooLarge(part: part, bytes: bytes.count) }
        append(size)
        append(bytes)
    }
}

func writeAll(_ bytes: [UInt8], to descriptor: Int32, path: String) throws(TraceDatError) {
    var done = 0
    while done < bytes.count {
        let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + done, bytes.count - done) }
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { throw .unwritable(path: path, reason: String(cString: strerror(errno))) }
        done += count
    }
}
