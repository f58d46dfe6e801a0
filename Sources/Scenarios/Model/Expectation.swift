// SPDX-License-Identifier: GPL-2.0

/// What a scenario says of the cluster at its end. What must always hold (agreement, no splat, no hang) is not here:
/// the judge checks that in every run.
public struct Expectation: Sendable, Equatable {
    /// At least so many METADATA_UPDATED messages, each received by every other node. Against vacuity: a run in which
    /// no message was sent proves nothing about messages.
    public var metadataUpdated = 0
    public var nodes: [NodeExpectation] = []
}

/// What some nodes must show at the end.
public struct NodeExpectation: Sendable, Equatable {
    public var on: NodeSet
    /// A file of /sys/block/md0/md -> the values it may have.
    public var attributes: [String: [String]] = [:]
    /// Disk -> a word that its dev-*/state must have, or "absent".
    public var devices: [String: String] = [:]
    public var line: Int

    /// The attributes that an expectation or a condition may name, from drivers/md/md.c and md-bitmap.c.
    public static let knownAttributes = [
        "array_size", "array_state", "bitmap/location", "bitmap/metadata", "chunk_size", "component_size",
        "consistency_policy", "degraded", "last_sync_action", "layout", "level", "metadata_version", "mismatch_cnt",
        "raid_disks", "reshape_position", "resync_start", "safe_mode_delay", "suspend_hi", "suspend_lo", "sync_action",
        "sync_completed", "sync_max", "sync_min", "sync_speed", "sync_speed_max", "sync_speed_min", "uuid",
    ]

    /// The words of state_show (drivers/md/md.c).
    public static let deviceStates = [
        "faulty", "in_sync", "spare", "write_mostly", "blocked", "blocked_badblocks", "write_error", "want_replacement",
        "replacement", "external_bbl", "failfast", "journal", "absent",
    ]
}
