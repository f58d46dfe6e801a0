// SPDX-License-Identifier: GPL-2.0

/// What can be wrong with bytes that claim to be a message.
public enum WireError: Error, Equatable, Sendable {
    /// The message ends before `field`.
    case truncated(field: String)
    case unknownKind(UInt8)
    /// A length that is larger than the limit, or larger than what is left.
    case tooLong(field: String, length: Int)
    case notUTF8(field: String)
    /// Bytes after the end of the message.
    case trailing(Int)
}

/// Puts fields behind each other: integers little-endian, strings and byte arrays with a 32-bit length before them.
///
/// The agent is PID 1 of a small initramfs and does without Foundation, so the encoding is written out here.
public struct WireWriter: Sendable {
    public private(set) var bytes: [UInt8] = []
    public init() {}

    public mutating func put(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    public mutating func put(_ value: [UInt8]) {
        put(UInt32(value.count))
        bytes.append(contentsOf: value)
    }

    public mutating func put(_ value: String) { put(Array(value.utf8)) }

    public mutating func put(_ values: [String]) {
        put(UInt32(values.count))
        for value in values { put(value) }
    }

    public mutating func put<Element>(_ values: [Element], _ each: (inout WireWriter, Element) -> Void) {
        put(UInt32(values.count))
        for value in values { each(&self, value) }
    }
}

/// Takes fields off in the order in which a `WireWriter` put them.
public struct WireReader: Sendable {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    public init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    public var left: Int { bytes.endIndex - position }

    public mutating func integer<Value: FixedWidthInteger>(
        _ field: String, as type: Value.Type = Value.self
    ) throws(WireError) -> Value {
        let size = MemoryLayout<Value>.size
        guard left >= size else { throw .truncated(field: field) }
        var value = Value.zero
        for index in (0..<size).reversed() { value = value << 8 | Value(truncatingIfNeeded: bytes[position + index]) }
        position += size
        return value
    }

    public mutating func data(_ field: String) throws(WireError) -> [UInt8] {
        let length = Int(try integer(field, as: UInt32.self))
        guard length <= left else { throw .tooLong(field: field, length: length) }
        defer { position += length }
        return Array(bytes[position..<position + length])
    }

    public mutating func string(_ field: String) throws(WireError) -> String {
        let data = try data(field)
        guard let text = String(validating: data, as: UTF8.self) else { throw .notUTF8(field: field) }
        return text
    }

    public mutating func strings(_ field: String) throws(WireError) -> [String] {
        var values: [String] = []
        for _ in 0..<(try count(field, smallest: 4)) { values.append(try string(field)) }
        return values
    }

    /// A count of things that take at least `smallest` bytes each: a wrong count fails here, not in an allocation.
    public mutating func count(_ field: String, smallest: Int) throws(WireError) -> Int {
        let count = Int(try integer(field, as: UInt32.self))
        guard count * smallest <= left else { throw .tooLong(field: field, length: count) }
        return count
    }

    public func end() throws(WireError) {
        guard left == 0 else { throw .trailing(left) }
    }
}
