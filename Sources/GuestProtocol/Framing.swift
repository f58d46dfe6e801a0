// SPDX-License-Identifier: GPL-2.0

/// Cuts a byte stream into frames: a 32-bit little-endian length, then that many bytes.
public struct FrameDecoder: Sendable {
    /// No message is longer: a module or a batch of trace pages fits many times over.
    public static let longest = 32 << 20

    private var buffer: [UInt8] = []
    private var start = 0

    public init() {}

    public mutating func append(_ bytes: some Sequence<UInt8>) { buffer.append(contentsOf: bytes) }

    /// The next whole frame without its length, or nil until more bytes come.
    public mutating func next() throws(WireError) -> ArraySlice<UInt8>? {
        guard buffer.count - start >= 4 else { return nil }
        var length = 0
        for index in (0..<4).reversed() { length = length << 8 | Int(buffer[start + index]) }
        guard length <= Self.longest else { throw .tooLong(field: "frame", length: length) }
        guard buffer.count - start - 4 >= length else { return nil }
        let frame = buffer[start + 4..<start + 4 + length]
        start += 4 + length
        if start > 1 << 20 || start == buffer.count {
            buffer.removeFirst(start)
            start = 0
        }
        return frame
    }

    public static func frame(_ payload: [UInt8]) -> [UInt8] {
        var writer = WireWriter()
        writer.put(payload)
        return writer.bytes
    }
}
