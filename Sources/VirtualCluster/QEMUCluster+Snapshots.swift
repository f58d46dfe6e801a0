// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import GuestProtocol
import RunRecord

extension QEMUCluster {
    /// The files of a snapshot. Reading them takes no lock that a hung md thread could hold.
    private static let patterns = [
        "/proc/mdstat", "/proc/modules", "/proc/uptime", "/proc/sys/kernel/tainted", "/sys/block/md*/size",
        "/sys/block/md*/md/*",
        "/sys/block/md*/md/dev-*/*", "/sys/kernel/debug/dlm/*", "/sys/kernel/dlm/*/[!ce]*",
        // What the tracer did not record.
        "/sys/kernel/tracing/per_cpu/cpu*/stats", "/sys/kernel/tracing/kprobe_profile",
        // How fine its clock is, and what it could have had.
        "/sys/kernel/tracing/trace_clock", "/sys/devices/system/clocksource/clocksource0/*_clocksource",
    ]

    public func snapshot(_ label: String) async throws -> [NodeSnapshot] {
        let superblocks = readSuperblocks()
        let snapshots = await withTaskGroup(of: NodeSnapshot.self) { group in
            for node in guests where node.isAlive {
                group.addTask { [self] in
                    var snapshot = await read(node, label: label)
                    snapshot.superblocks = superblocks
                    return snapshot
                }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.node < $1.node }
        }
        try recorder.write(snapshots)
        recorder.note(.snapshot, "snapshot \(label)", ["label": label])
        return snapshots
    }

    /// 8 KiB from sector 8 of every disk: where version 1.2 keeps its superblock.
    private func readSuperblocks() -> [String: String] {
        var superblocks: [String: String] = [:]
        for disk in 0..<configuration.disks {
            let name = "vd" + String(UnicodeScalar(UInt8(ascii: "a") + UInt8(disk)))
            superblocks[name] = Data(disks.read(disk: disk, offset: 4096, length: 8192)).base64EncodedString()
        }
        return superblocks
    }

    private func read(_ node: VirtualNode, label: String) async -> NodeSnapshot {
        var snapshot = NodeSnapshot(
            node: node.id, label: label, time: recorder.time, uptime: 0, files: [:], threads: [], arrays: nil)
        func attempt<Value: Sendable>(_ what: String, _ work: @escaping @Sendable () async throws -> Value) async
            -> Value?
        {
            do {
                return try await withLimit(
                    .seconds(10), else: .commandTimedOut(node.id, argv: [what], seconds: 10), work)
            } catch {
                snapshot.unavailable[what] = "\(error)"
                return nil
            }
        }
        if let threads = await attempt("threads", { try await node.threads(named: [], limit: .seconds(10)) }) {
            snapshot.threads = threads
        }
        let patterns = Self.patterns
        if case .files(let files)? = await attempt(
            "files", { try await node.agent.demand(.collect(patterns: patterns, limit: 1 << 20)) })
        {
            for file in files {
                snapshot.files[file.path] = String(decoding: file.content, as: UTF8.self)
                // Many attributes of md cannot be read in every state; that is no fault of the snapshot.
                if file.errno != 0 && !file.path.hasPrefix("/sys/block/") {
                    snapshot.unavailable[file.path] = String(cString: strerror(file.errno))
                }
            }
            snapshot.uptime = snapshot.files["/proc/uptime"].flatMap { Double($0.prefix { $0 != " " }) } ?? 0
        }
        let memory = KernelMemory(
            node: node, layout: configuration.layout, symbols: state.withLock { $0.symbols[node.id] })
        snapshot.arrays = await attempt("arrays", { try await memory.arrays() })
        return snapshot
    }
}
