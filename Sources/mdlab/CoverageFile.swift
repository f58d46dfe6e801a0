// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import KernelBuild
import LineCoverage
import RunRecord

/// coverage.info of a record: what lines of drivers/md ran, on all nodes together.
enum CoverageFile {
    /// Makes it from the counters that the nodes left, which are removed then. Does nothing for modules without any.
    static func write(_ built: BuiltModules, nodes: [NodeID], to layout: RunLayout) async {
        guard let notes = built.notes else { return }
        let gcov = Gcov(notes: notes, modules: built.debug)
        var counts = LineCounts()
        var comments = ["lines of drivers/md that ran; \(built.source), kernel \(built.release)"]
        for node in nodes {
            do {
                let dumps = try CounterDump.all(in: layout.node(node)).map { dump in
                    Gcov.Dump(
                        module: dump.module, section: dump.section, bytes: [UInt8](try Data(contentsOf: dump.file)))
                }
                if dumps.isEmpty { comments.append("\(node): \(missing)") }
                counts.add(try await gcov.counts(dumps))
            } catch {
                comments.append("\(node): \(missing): \((error as? any Worded)?.line ?? "\(error)")")
            }
        }
        let text = counts.traceFile(comments: comments)
        guard (try? Data(text.utf8).write(to: layout.coverage)) != nil else { return }
        for node in nodes {
            try? FileManager.default.removeItem(at: layout.node(node).counters)
        }
    }

    /// What the comment of a node says whose counters are not in the file.
    private static let missing = "not counted"

    /// Reads it.
    ///
    /// - Throws: `LineCoverageError.notCounted` where there is none.
    static func read(_ layout: RunLayout) throws -> LineCounts {
        guard let data = try? Data(contentsOf: layout.coverage) else {
            throw LineCoverageError.notCounted(record: layout.root.relativePath)
        }
        return try LineCounts(traceFile: String(decoding: data, as: UTF8.self), file: layout.coverage.relativePath)
    }
}
