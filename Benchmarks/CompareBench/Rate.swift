// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Comparison
import Foundation
import KernelTrace
import ProtocolTrace

/// Records of different lengths, each read and compared by a process of its own as `mdlab compare` does: events a
/// second of CPU time from the process's start to its end, memory, and how both grow.
enum Rate {
    static let rounds = 5
    /// Events a second, and MiB, that a record of 100,000 events or more must keep to.
    static let leastRate = 100_000.0
    static let mostMemory = 1024.0

    static func run(_ records: [URL]) throws -> Bool {
        let program = CommandLine.arguments[0]
        var rows: [(name: String, recorded: Double, compared: Double, seconds: [Double], mebibytes: Double)] = []
        for url in records {
            let child = try Child.run(program, ["compare", url.path], keepsOutput: true)
            let words = child.output.split(separator: " ").compactMap { Double($0) }
            guard words.count == 2 else {
                print("\(url.lastPathComponent) does not conform: give records that do")
                return false
            }
            rows.append((url.lastPathComponent, words[0], words[1], [], 0))
        }
        rows.sort { $0.compared < $1.compared }
        for _ in 0..<rounds {
            for row in rows.indices {
                let url = records.first { $0.lastPathComponent == rows[row].name }
                let child = try Child.run(program, ["compare", url?.path ?? ""], keepsOutput: false)
                rows[row].seconds.append(child.seconds)
                rows[row].mebibytes = max(rows[row].mebibytes, child.mebibytes)
            }
        }
        var isGood = true
        print("a record read and compared, CPU seconds of \(rounds) rounds: median (least to most)")
        for row in rows {
            let spread = Spread(row.seconds)
            let rate = row.compared / spread.median
            print(
                "  \(row.name): \(Int(row.recorded)) events recorded, \(Int(row.compared)) compared, "
                    + "\(spread.text(3)) s, \(Int(row.recorded / spread.median)) recorded and \(Int(rate)) compared "
                    + "events a second, \(Int(row.mebibytes)) MiB")
            if row.compared >= 100_000, rate < leastRate || row.mebibytes > mostMemory { isGood = false }
        }
        for (short, long) in zip(rows, rows.dropFirst()) {
            print(
                String(
                    format: "  %.1f times the events: %.1f times the time, %.1f times the memory",
                    long.compared / short.compared, Spread(long.seconds).median / Spread(short.seconds).median,
                    long.mebibytes / short.mebibytes))
        }
        return isGood
    }

    /// What the other process does: prints how many events are recorded and compared, if the record conforms.
    static func one(_ record: URL) throws {
        let comparison = try ModelComparison(try Recording.open(record))
        guard comparison.answer == .conforms else { return }
        print(comparison.figures.events, comparison.figures.compared, terminator: "")
    }
}

/// Decoding a trace.dat into typed events against `trace-cmd report` of the same file, each a process of its own, in
/// turn.
enum Decoding {
    static let rounds = 7

    static func run(_ records: [URL]) throws -> Bool {
        var isGood = true
        print("decoding a trace.dat, CPU time of trace-cmd report / ours, \(rounds) rounds: median (least to most)")
        for record in records {
            let file = record.appending(path: "node1/trace.dat").path
            var ratios: [Double] = []
            var (own, other) = ([Double](), [Double]())
            for _ in 0..<rounds {
                own.append(try Child.run(CommandLine.arguments[0], ["one", file], keepsOutput: false).seconds)
                other.append(try Child.run("trace-cmd", ["report", file], keepsOutput: false).seconds)
                ratios.append((other.last ?? 0) / max(0.001, own.last ?? 0))
            }
            let count = try TraceReader(node: NodeID(1), url: URL(filePath: file)).events().count
            print(
                "  \(record.lastPathComponent) node1: \(count) events, ours \(Spread(own).text(3)) s, "
                    + "trace-cmd \(Spread(other).text(3)) s, ratio \(Spread(ratios).text(2))")
            if Spread(ratios).median < 1 { isGood = false }
        }
        return isGood
    }

    /// What the other process does.
    static func one(_ file: URL) throws {
        print(try TraceReader(node: NodeID(1), url: file).events().count)
    }
}
