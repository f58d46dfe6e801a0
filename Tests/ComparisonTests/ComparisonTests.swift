// SPDX-License-Identifier: GPL-2.0
import Foundation
import KernelTrace
import Testing

@testable import Comparison

@Test(.enabled(if: ProcessInfo.processInfo.environment["RUN"] != nil)) func tryOne() throws {
    let env = ProcessInfo.processInfo.environment
    for run in (env["RUN"] ?? "").split(separator: " ") {
        let recording = try Recording.open(URL(filePath: String(run)))
        let start = Date()
        let c = try Comparison(traces: recording.nodes.map { ($0.id, $0.trace) }, offsets: recording.description.clockOffsets, probed: Set(try recording.nodes.flatMap { try TraceReader(node: $0.id, url: recording.layout.node($0.id).trace).probes() }), variant: env["VARIANT"] ?? "v5.11", limit: 3_000_000)
        print(run, Date().timeIntervalSince(start))
        switch c.answer {
        case .conforms: print("conforms", c.figures.compared, c.figures.states)
        case .notDecided(let d): print("not decided", d, c.figures.matched, c.figures.compared)
        case .doesNotConform(let m):
            print("does not conform; states", c.figures.states, m.states, "first", m.first)
            for n in m.nodes {
                print(n.node, n.matched, n.of, n.isConsequence)
                print("  last", n.last as Any)
                print("  next", n.next as Any)
                for r in n.refusals.prefix(3) { print("   ", r) }
            }
            print(m.locks.joined(separator: "\n"))
        }
        if env["FIG"] != nil { print(c.figures) }
    }
}
