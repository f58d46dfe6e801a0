// SPDX-License-Identifier: GPL-2.0
import Foundation

/// Reads the parts of a trace.dat one after the other and never beyond its end.
struct TraceDatCursor {
    let bytes: UnsafeRawBufferPointer
    let path: String
    var position = 0

    mutating func take(_ count: Int, _ part: String) throws(TraceError) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= bytes.count - position else { throw .truncated(path: path, part: part) }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    mutating func integer<T: FixedWidthInteger>(_ type: T.Type, _ part: String) throws(TraceError) -> T {
        T(littleEndian: try take(MemoryLayout<T>.size, part).loadUnaligned(as: T.self))
    }

    /// A part with its size before it, in 8 bytes.
    mutating func sized64(_ part: String) throws(TraceError) -> UnsafeRawBufferPointer {
        let size = try integer(UInt64.self, part)
        guard let size = Int(exactly: size) else { throw .truncated(path: path, part: part) }
        return try take(size, part)
    }

    mutating func terminatedText(_ part: String, limit: Int) throws(TraceError) -> String {
        let rest = bytes[position...].prefix(limit)
        guard let end = rest.firstIndex(of: 0) else {
            if rest.count < limit { throw .truncated(path: path, part: part) }
            throw .corrupt(path: path, part: part, reason: "no end within \(limit) bytes")
        }
        let text = String(decoding: bytes[position..<end], as: UTF8.self)
        guard TraceDatText.isPlain(text) else {
            throw .corrupt(path: path, part: part, reason: "bytes that are not text")
        }
        position = end + 1
        return text
    }

    mutating func expect(_ marker: String) throws(TraceError) {
        let found = try take(marker.utf8.count + 1, marker)
        guard found.elementsEqual(Array(marker.utf8) + [0]) else {
            throw .corrupt(path: path, part: marker, reason: "the marker is not where it has to be")
        }
    }
}
