// SPDX-License-Identifier: GPL-2.0

/// The name of a DLM resource of a clustered array's lockspace, as `lockres_init` of md-cluster.c writes it.
public struct LockResource: RawRepresentable, Hashable, Sendable, Codable {
    public var rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    public static let token = LockResource(rawValue: "token")
    public static let message = LockResource(rawValue: "message")
    public static let ack = LockResource(rawValue: "ack")
    public static let noNewDev = LockResource(rawValue: "no-new-dev")
    public static let resync = LockResource(rawValue: "resync")

    /// The bitmap lock of a slot, counted from 0 ("bitmap0000").
    public static func bitmap(slot: Int) -> LockResource {
        let digits = String(slot)
        return LockResource(rawValue: "bitmap" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits)
    }

    /// One of the four by which a message is sent and acknowledged.
    public var isOfMessages: Bool { [.token, .message, .ack, .noNewDev].contains(self) }

    /// The slot of a bitmap lock, counted from 0; nil for the other resources.
    public var bitmapSlot: Int? { rawValue.hasPrefix("bitmap") ? Int(rawValue.dropFirst(6)) : nil }
}

extension LockResource: CustomStringConvertible {
    public var description: String { rawValue }
}
