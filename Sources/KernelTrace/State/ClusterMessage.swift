// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol

/// struct cluster_msg of drivers/md/md-cluster.c: what the lock value block of `message` carries.
public struct ClusterMessage: Sendable, Equatable {
    public var type: MessageType
    /// The sender's slot, from 0.
    public var slot: Int
    public var low: UInt64
    public var high: UInt64
    public var uuid: [UInt8]
    /// The number of the device that it is about.
    public var raidSlot: Int

    /// nil when there are too few bytes for a message.
    public init?(valueBlock bytes: [UInt8]) {
        guard bytes.count >= 44 else { return nil }
        func load<T: FixedWidthInteger>(_ type: T.Type, _ offset: Int) -> T {
            bytes.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: T.self)) }
        }
        type = MessageType(rawValue: load(UInt32.self, 0))
        slot = Int(load(UInt32.self, 4))
        low = load(UInt64.self, 8)
        high = load(UInt64.self, 16)
        uuid = Array(bytes[24..<40])
        raidSlot = Int(load(UInt32.self, 40))
    }
}

extension KernelEvent {
    /// The message that travels with a dlm_send_message or dlm_recv_message event about `message`; nil for other events.
    /// Only seen on the wire, that is when the sender of the event is not the master of the resource.
    public var clusterMessage: ClusterMessage? {
        guard case .other("dlm", "dlm_send_message", let fields) = body else {
            guard case .other("dlm", "dlm_recv_message", let fields) = body else { return nil }
            return Self.message(fields)
        }
        return Self.message(fields)
    }

    private static func message(_ fields: [String: String]) -> ClusterMessage? {
        guard let digits = fields["m_extra"]?.utf8, digits.count == 128 else { return nil }
        var bytes: [UInt8] = []
        var index = digits.startIndex
        while index < digits.endIndex {
            let next = digits.index(index, offsetBy: 2)
            guard let byte = UInt8(Substring(digits[index..<next]), radix: 16) else { return nil }
            bytes.append(byte)
            index = next
        }
        return ClusterMessage(valueBlock: bytes)
    }
}
