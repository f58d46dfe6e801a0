// SPDX-License-Identifier: GPL-2.0

/// What of the state at rest is compared: the file that says it, and what of the model it must be. `mdlab compare
/// --mapping` prints this table, and the comparison walks over it.
public enum EndStateField: String, CaseIterable, Sendable {
    case membership, locks, state, reconfigMutex, receiveMutex, remote
    case device, mdstatDevice, superblockRole, slot
    case raidDisks, size, degraded, superblockNumbers

    public var file: String {
        switch self {
        case .membership: "/sys/block/mdX/md/array_state"
        case .locks: "/sys/kernel/debug/dlm/UUID_locks: token, message, ack, no-new-dev, resync"
        case .state: "md_cluster_info.state"
        case .reconfigMutex: "mddev.reconfig_mutex"
        case .receiveMutex: "md_cluster_info.recv_mutex"
        case .remote: "/proc/mdstat: resync=REMOTE, recover=REMOTE"
        case .device: "/sys/block/mdX/md/dev-DISK/state, slot"
        case .mdstatDevice: "/proc/mdstat: DISK[n], (F), (S)"
        case .superblockRole: "superblock: dev_roles[n], the newest of those in sync"
        case .slot: "/sys/block/mdX/md/dev-DISK/slot, superblock: dev_roles[n]"
        case .raidDisks: "/sys/block/mdX/md/raid_disks"
        case .size: "/sys/block/mdX/md/component_size"
        case .degraded: "/sys/block/mdX/md/degraded, /proc/mdstat: [n/m]"
        case .superblockNumbers: "superblock: raid_disks, size"
        }
    }

    public var model: String {
        switch self {
        case .membership: "join() without a leave() after it"
        case .locks: "the node's lock: granted mode, and what it waits to be converted to"
        case .state: "WAITING_FOR_NEWDISK, SEND_LOCK, SEND_LOCKED_ALREADY, HOLDING_MUTEX_FOR_RECVD"
        case .reconfigMutex, .receiveMutex: "whether a thread holds it"
        case .remote: "MD_RESYNCING_REMOTE; not after BITMAP_NEEDS_SYNC, when recover_bitmaps may clear it"
        case .device:
            "what the node can have of the device: no member, spare, in its slot, In_sync, Faulty, Faulty and out of its slot"
        case .mdstatDevice: "the same"
        case .superblockRole: "what the last node that wrote them had of the device"
        case .slot: "a device in a slot has the one that the superblocks give it"
        case .raidDisks, .size: "what the node wrote or read last"
        case .degraded: "raid_disks less the devices that the model can have In_sync in a slot"
        case .superblockNumbers: "what the last node that wrote them had"
        }
    }

    /// What the model has no word for.
    public static let notCompared =
        "bitmaps and their locks, sync speed and progress, bad blocks, reshape, the window of another node's resync "
        + "(no file shows it), events, the size of the block device (the check agreement has it)"
}
