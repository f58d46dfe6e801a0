// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import GuestProtocol
import RunRecord

/// Reads md's structures out of a node's memory through /proc/kcore, with the offsets of the modules' debug info: who
/// holds reconfig_mutex, and which bits of `md_cluster_info.state` are set, is nowhere in sysfs.
struct KernelMemory: Sendable {
    var node: VirtualNode
    var layout: KernelLayout?
    var symbols: KernelSymbols?

    /// The arrays on the list `all_mddevs` of md.c.
    func arrays() async throws -> [NodeSnapshot.ArrayState] {
        guard let layout else { throw unreadable("the modules have no debug info") }
        guard let head = symbols?.modules["all_mddevs"] else { throw unreadable("all_mddevs is not among the symbols") }
        for name in KernelLayout.needed where layout.offsets[name] == nil { throw unreadable("\(name) has no offset") }
        func offset(_ name: String) -> UInt64 { layout.offsets[name] ?? 0 }

        var arrays: [NodeSnapshot.ArrayState] = []
        var entry = try await pointer(head)
        // A list that is being changed could lead anywhere; no node has as many arrays.
        while entry != head && entry != 0 && arrays.count < 64 {
            let mddev = entry - offset("mddev.all_mddevs")
            let fields = try await words([
                mddev + offset("mddev.cluster_info"), mddev + offset("mddev.reconfig_mutex.owner"),
                mddev + offset("mddev.flags"),
                mddev + offset("mddev.recovery"), mddev + offset("mddev.sb_flags"), mddev + offset("mddev.md_minor"),
            ])
            var clusterState: UInt64?
            var receiveOwner: Int?
            if fields[0] != 0 {
                let cluster = try await words([
                    fields[0] + offset("md_cluster_info.state"), fields[0] + offset("md_cluster_info.recv_mutex.owner"),
                ])
                clusterState = cluster[0]
                receiveOwner = try await owner(cluster[1], layout)
            }
            arrays.append(
                .init(
                    name: "md\(UInt32(truncatingIfNeeded: fields[5]))", clusterState: clusterState,
                    reconfigMutexOwner: try await owner(fields[1], layout),
                    reconfigMutexHasWaiters: fields[1] & 1 != 0, receiveMutexOwner: receiveOwner,
                    flags: fields[2], recovery: fields[3], sbFlags: fields[4]))
            entry = try await pointer(entry)
        }
        return arrays
    }

    /// `mutex.owner` is a task_struct's address with flags in its low three bits (kernel/locking/mutex.c); the lowest
    /// is MUTEX_FLAG_WAITERS.
    private func owner(_ value: UInt64, _ layout: KernelLayout) async throws -> Int? {
        let task = value & ~7
        guard task != 0 else { return nil }
        return Int(UInt32(truncatingIfNeeded: try await words([task + (layout.offsets["task_struct.pid"] ?? 0)])[0]))
    }

    private func pointer(_ address: UInt64) async throws -> UInt64 { try await words([address])[0] }

    private func words(_ addresses: [UInt64]) async throws -> [UInt64] {
        let reply = try await node.agent.demand(.readMemory(addresses.map { .init(address: $0, length: 8) }))
        guard case .files(let files) = reply, files.count == addresses.count else {
            throw unreadable("kcore answered otherwise")
        }
        return try zip(files, addresses).map { file, address in
            guard file.errno == 0, file.content.count == 8 else {
                throw unreadable("0x\(String(address, radix: 16)): \(String(cString: strerror(file.errno)))")
            }
            return file.content.reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
    }

    private func unreadable(_ reason: String) -> ClusterFailure {
        .refused(node.id, action: "read the kernel's memory", reason: .said(reason))
    }
}
