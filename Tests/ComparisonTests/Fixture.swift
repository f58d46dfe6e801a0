// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import KernelTrace
import MDClusterModel
import RunRecord

@testable import Comparison

/// A recorded run of Tests/Fixtures/runs: its events as text, its snapshots.
struct Fixture {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(
        path: "Fixtures/runs")

    var description: RunDescription
    var traces: [(node: NodeID, events: [KernelEvent])] = []
    var snapshots: [NodeSnapshot] = []

    struct Malformed: Error { var line: String }

    init(_ name: String) throws {
        let layout = RunLayout(root: Self.root.appending(path: name))
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        description = try decoder.decode(RunDescription.self, from: Data(contentsOf: layout.description))
        for number in 1...description.nodes {
            let node = layout.node(NodeID(number))
            let text = try String(contentsOf: node.root.appending(path: "events.txt"), encoding: .utf8)
            traces.append(
                (
                    NodeID(number),
                    try text.split(separator: "\n").enumerated().map { index, line in
                        try Self.event(String(line), node: NodeID(number), index: index)
                    }
                ))
            for file in try FileManager.default.contentsOfDirectory(atPath: node.snapshots.path).sorted() {
                snapshots.append(
                    try decoder.decode(NodeSnapshot.self, from: Data(contentsOf: node.snapshots.appending(path: file))))
            }
        }
    }

    private static func event(_ line: String, node: NodeID, index: Int) throws -> KernelEvent {
        let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        guard fields.count > 4, let time = UInt64(fields[0]), let pid = Int(fields[1]),
            let body = body(Array(fields[3...]))
        else { throw Malformed(line: line) }
        return KernelEvent(node: node, index: index, time: time, cpu: 0, pid: pid, comm: fields[2], body: body)
    }

    private static func body(_ fields: [String]) -> KernelEvent.Body? {
        switch (fields[0], fields.count) {
        case ("fn", 3): return .function(name: fields[1], caller: fields[2])
        case ("in", 3):
            var arguments: [String: Int64] = [:]
            for pair in fields[2].split(separator: ",") where pair != "-" {
                let parts = pair.split(separator: "=")
                guard parts.count == 2, let value = Int64(parts[1]) else { return nil }
                arguments[String(parts[0])] = value
            }
            return .entry(function: fields[1], arguments: arguments)
        case ("out", 3): return .exit(function: fields[1], value: Int64(fields[2]))
        case ("dlm", 8):
            guard let kind = DLMEvent.Kind(rawValue: fields[1]), let lockspace = UInt32(fields[2]),
                let lock = UInt32(fields[3]), let flags = UInt32(fields[6])
            else { return nil }
            return .dlm(
                DLMEvent(
                    kind: kind, lockspace: lockspace, lock: lock, resource: LockResource(rawValue: fields[4]),
                    mode: Int8(fields[5]).map { LockMode(rawValue: $0) }, flags: flags, status: Int32(fields[7])))
        default: return nil
        }
    }

    /// The probes that every recorded run had.
    static let probed = Set(
        ObservedProgram.arguments.keys.filter {
            !["md_wakeup_thread", "md_check_recovery", "load_bitmaps"].contains($0)
        }
    ).union(
        ObservedProgram.arguments.keys.filter {
            !["md_wakeup_thread", "md_check_recovery", "load_bitmaps", "mddev_unlock"].contains($0)
        }.map { $0 + "__ret" })

    func compared(
        with variant: String, _ change: (inout [(node: NodeID, events: [KernelEvent])]) -> Void = { _ in },
        limit: Int = 400_000
    ) throws -> Comparison {
        var traces = traces
        change(&traces)
        return try Comparison(
            traces: traces.map { ($0.node, $0.events) }, offsets: description.clockOffsets, probed: Self.probed,
            variant: variant, limit: limit)
    }
}
