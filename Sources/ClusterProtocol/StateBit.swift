// SPDX-License-Identifier: GPL-2.0

/// A bit of `md_cluster_info.state` (the MD_CLUSTER_ defines of drivers/md/md-cluster.c).
public struct StateBit: RawRepresentable, Hashable, Sendable, Codable {
    public var rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    public static let waitingForNewDisk = StateBit(rawValue: 1)
    public static let suspendReadBalancing = StateBit(rawValue: 2)
    public static let beginJoinCluster = StateBit(rawValue: 3)
    public static let sendLock = StateBit(rawValue: 4)
    public static let sendLockedAlready = StateBit(rawValue: 5)
    public static let alreadyInCluster = StateBit(rawValue: 6)
    public static let pendingRecvEvent = StateBit(rawValue: 7)
    public static let holdingMutexForRecvd = StateBit(rawValue: 8)
    /// Since Linux commit 35a0a409fa26 (v6.11).
    public static let waitingForSync = StateBit(rawValue: 9)

    static let names = [
        1: "WAITING_FOR_NEWDISK", 2: "SUSPEND_READ_BALANCING", 3: "BEGIN_JOIN_CLUSTER", 4: "SEND_LOCK",
        5: "SEND_LOCKED_ALREADY", 6: "ALREADY_IN_CLUSTER", 7: "PENDING_RECV_EVENT", 8: "HOLDING_MUTEX_FOR_RECVD",
        9: "WAITING_FOR_SYNC",
    ]

    /// The bits that are set in a value of `md_cluster_info.state`, lowest first.
    public static func bits(in state: UInt64) -> [StateBit] {
        (0..<64).filter { state >> UInt64($0) & 1 == 1 }.map { StateBit(rawValue: $0) }
    }
}

extension StateBit: CustomStringConvertible {
    /// The kernel's name without its MD_CLUSTER_ prefix.
    public var description: String { Self.names[rawValue] ?? "bit(\(rawValue))" }
}
