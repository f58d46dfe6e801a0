// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import KernelModule
import RunRecord

/// A piece of a node's memory that holds gcov's counters of one module: the beginning of the section in which they lie.
struct CounterMemory: Codable, Equatable {
    var module: String
    var section: String
    var address: UInt64
    /// Bytes, up to the end of the last counter.
    var length: UInt64

    /// - Parameter sections: name to address, as /sys/module/NAME/sections has them.
    /// - Returns: empty for a module without counters.
    static func of(module: String, file: KernelModuleFile, sections: [String: UInt64]) -> [CounterMemory] {
        let counters = file.symbols.filter { $0.name.hasPrefix(CounterDump.symbolPrefix) }
        return Dictionary(grouping: counters) { $0.section ?? "" }.compactMap { section, symbols in
            guard let address = sections[section], let end = symbols.map({ $0.offset + $0.size }).max() else {
                return nil
            }
            return CounterMemory(module: module, section: section, address: address, length: end)
        }.sorted { $0.section < $1.section }
    }
}

extension QEMUCluster {
    /// Writes a node's counters into the record. QEMU reads the memory itself (QMP memsave): the node may hang, be
    /// frozen or have panicked. Never throws: without the file the node's part is not known.
    func saveCounters(of node: VirtualNode) async {
        for piece in state.withLock({ $0.counters[node.id] ?? [] }) {
            let file = recorder.layout.node(node.id).counters(module: piece.module, section: piece.section)
            do {
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                _ = try await withLimit(
                    .seconds(20), else: .commandTimedOut(node.id, argv: ["memsave"], seconds: 20)
                ) {
                    // Kernel addresses are negative as QMP's signed numbers.
                    try await node.monitor.execute(
                        "memsave",
                        [
                            "val": .number(Int64(bitPattern: piece.address)), "size": .number(Int64(piece.length)),
                            "filename": .text(file.path),
                        ])
                }
            } catch {
                try? FileManager.default.removeItem(at: file)
                recorder.note(.note, node: node.id, "what lines ran could not be read: \(error)")
            }
        }
    }
}
