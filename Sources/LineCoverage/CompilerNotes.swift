// SPDX-License-Identifier: GPL-2.0

/// What of a .gcno file is needed to write the .gcda file that belongs to it: gcc's gcov-io.h describes both.
///
///     file:    magic version stamp checksum record*
///     record:  tag length(bytes) content; a FUNCTION record begins ident lineno_checksum cfg_checksum name
struct CompilerNotes: Equatable {
    struct Function: Equatable {
        var name: String
        var ident: UInt32
        var lineChecksum: UInt32
        var graphChecksum: UInt32
    }

    var version: UInt32
    var stamp: UInt32
    /// In the file's order. Static functions of one file have names of their own, functions of two files may share one.
    var functions: [Function] = []

    /// "gcno" as a number, read in the machine's order.
    private static let magic: UInt32 = 0x6763_6e6f
    private static let functionTag: UInt32 = 0x0100_0000

    /// - Throws: `damaged` for anything that is no .gcno; `compiler` for a gcc before 12, whose lengths are in words.
    init(_ bytes: [UInt8], file: String) throws(LineCoverageError) {
        func damaged(_ what: String) -> LineCoverageError { .damaged(file: file, what: what) }
        var reader = ByteReader(bytes)
        guard reader.number() == Self.magic else { throw damaged("it does not begin as a .gcno file does") }
        guard let version = reader.number(), let stamp = reader.number(), reader.number() != nil else {
            throw damaged("it ends in its head")
        }
        (self.version, self.stamp) = (version, stamp)
        guard let major = Self.major(version), major >= 12 else {
            throw .compiler(file: file, version: Self.text(version))
        }
        // The folder it was compiled in, and whether there are blocks that cannot run.
        guard reader.text() != nil, reader.number() != nil else { throw damaged("it ends in its head") }
        while let tag = reader.number() {
            guard tag != 0 else { break }
            guard let length = reader.number(), let content = reader.skip(Int(length)) else {
                throw damaged("record \(functions.count) is cut off")
            }
            guard tag == Self.functionTag else { continue }
            var record = ByteReader(Array(content))
            guard let ident = record.number(), let line = record.number(), let graph = record.number(),
                let name = record.text()
            else { throw damaged("function \(functions.count) is cut off") }
            functions.append(Function(name: name, ident: ident, lineChecksum: line, graphChecksum: graph))
        }
    }

    /// "B22*" is 12.2: a letter for tens, then units, then the minor number.
    private static func major(_ version: UInt32) -> Int? {
        let tens = Int(version >> 24) - 0x41, units = Int(version >> 16 & 0xff) - 0x30
        return (0...9).contains(tens) && (0...9).contains(units) ? tens * 10 + units : nil
    }

    private static func text(_ version: UInt32) -> String {
        String(decoding: [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: version >> $0) }, as: UTF8.self)
    }

    /// The .gcda file with these counters. A function that has none was never counted, and is left out.
    func counters(_ values: [String: [UInt64]]) -> [UInt8] {
        var bytes: [UInt8] = []
        func put(_ number: UInt32) { bytes += (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } }
        let dataMagic: UInt32 = 0x6763_6461, arcTag: UInt32 = 0x01a1_0000
        for number in [dataMagic, version, stamp, 0] { put(number) }
        for function in functions {
            guard let counts = values[function.name] else { continue }
            for number in [Self.functionTag, 12, function.ident, function.lineChecksum, function.graphChecksum] {
                put(number)
            }
            put(arcTag)
            put(UInt32(counts.count * 8))
            for count in counts {
                put(UInt32(truncatingIfNeeded: count))
                put(UInt32(truncatingIfNeeded: count >> 32))
            }
        }
        return bytes
    }
}

/// Reads little-endian numbers and gcov's strings (a length in bytes with the zero, then the bytes).
private struct ByteReader {
    private let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func number() -> UInt32? {
        guard let piece = skip(4) else { return nil }
        return piece.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    mutating func text() -> String? {
        guard let length = number(), let piece = skip(Int(length)) else { return nil }
        return String(decoding: piece.prefix { $0 != 0 }, as: UTF8.self)
    }

    mutating func skip(_ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, count <= bytes.count - at else { return nil }
        defer { at += count }
        return bytes[at..<at + count]
    }
}
