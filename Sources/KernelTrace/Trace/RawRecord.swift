// SPDX-License-Identifier: GPL-2.0
import CTraceCmd

/// Where a field of an event lies, and how its bytes are meant.
struct RawField {
    enum Kind { case number, text, bytes }
    let name: String
    let offset, size: Int
    let isSigned: Bool
    let kind: Kind
    /// __data_loc: the field is a u32, length in the upper half, offset of the data in the lower.
    let isDynamic: Bool
    /// __rel_loc: the offset counts from the end of the field.
    let isRelative: Bool
    var isNumber: Bool { kind == .number }

    init(_ field: tep_format_field) {
        func has(_ flag: tep_format_flags) -> Bool { field.flags & UInt(flag.rawValue) != 0 }
        name = String(cString: field.name)
        (offset, size) = (Int(field.offset), Int(field.size))
        isSigned = has(TEP_FIELD_IS_SIGNED)
        isDynamic = has(TEP_FIELD_IS_DYNAMIC)
        isRelative = has(TEP_FIELD_IS_RELATIVE)
        // libtraceevent calls every array of char a string; an array of unsigned char is bytes (a DLM value block).
        let type = field.type.map { String(cString: $0) } ?? ""
        if has(TEP_FIELD_IS_STRING) && !type.contains("unsigned") {
            kind = .text
        } else if has(TEP_FIELD_IS_ARRAY) || isDynamic || ![1, 2, 4, 8].contains(Int(field.size)) {
            kind = .bytes
        } else {
            kind = .number
        }
    }
}

/// The bytes of one record. A field that reaches beyond them (a damaged file, a format of another kernel) reads as
/// zero or as no bytes.
struct RawRecord {
    let bytes: UnsafeRawBufferPointer

    func unsigned(_ field: RawField) -> UInt64 {
        guard field.offset >= 0, field.offset + field.size <= bytes.count else { return 0 }
        switch field.size {
        case 8: return bytes.loadUnaligned(fromByteOffset: field.offset, as: UInt64.self)
        case 4: return UInt64(bytes.loadUnaligned(fromByteOffset: field.offset, as: UInt32.self))
        case 2: return UInt64(bytes.loadUnaligned(fromByteOffset: field.offset, as: UInt16.self))
        default: return UInt64(bytes[field.offset])
        }
    }

    /// The number with its sign; an unsigned u64 beyond Int64.max (a kernel pointer) keeps its bits.
    func signed(_ field: RawField) -> Int64 {
        let value = Int64(bitPattern: unsigned(field))
        guard field.isSigned, field.size < 8 else { return value }
        let unused = Int64(64 - field.size * 8)
        return (value << unused) >> unused
    }

    /// The bytes of an array or string field.
    func span(_ field: RawField) -> UnsafeRawBufferPointer {
        var (start, count) = (field.offset, field.size)
        if field.isDynamic {
            guard start >= 0, start + 4 <= bytes.count else { return UnsafeRawBufferPointer(start: nil, count: 0) }
            let place = bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self)
            (start, count) = (Int(place & 0xffff) + (field.isRelative ? start + 4 : 0), Int(place >> 16))
        }
        guard start >= 0, count >= 0, start + count <= bytes.count else {
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        return UnsafeRawBufferPointer(rebasing: bytes[start..<start + count])
    }

    /// The field for a person: numbers in decimal, text up to its zero, other bytes in hex.
    func text(_ field: RawField) -> String {
        switch field.kind {
        case .number: return field.isSigned ? String(signed(field)) : String(unsigned(field))
        case .text: return String(decoding: span(field).prefix { $0 != 0 }, as: UTF8.self)
        case .bytes: return Hex.text(span(field))
        }
    }
}

enum Hex {
    static func text(_ bytes: some Sequence<UInt8>) -> String {
        var out = ""
        for byte in bytes {
            if byte < 16 { out += "0" }
            out += String(byte, radix: 16)
        }
        return out
    }
}
