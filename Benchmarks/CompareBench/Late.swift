// SPDX-License-Identifier: GPL-2.0
import Comparison
import Foundation
import KernelTrace
import ProtocolTrace

/// A long record that leaves the model near its end: how far it can be followed has to be found out among all that the
/// nodes may have done until then. One change of each kind, each in a process of its own.
enum Late {
    /// Of a node, counted from its end.
    static let events = 50
    static let mostMemory = 1024.0

    static func run(_ records: [URL]) throws -> Bool {
        var isGood = true
        print("one of a node's last \(events) events changed:")
        for record in records {
            print("  \(record.lastPathComponent)")
            for kind in TraceMutation.Kind.allCases {
                let child = try Child.run(
                    CommandLine.arguments[0], ["late-one", record.path, kind.rawValue], keepsOutput: true)
                let isKept = child.output.hasPrefix("good ") && child.mebibytes < mostMemory
                if !isKept { isGood = false }
                print("  \(isKept ? "" : "WRONG ")\(child.output.dropFirst(5)), \(Int(child.mebibytes)) MiB in all")
            }
        }
        return isGood
    }

    /// What the other process does: its memory holds the unchanged record, too.
    static func one(_ record: URL, _ kind: String) throws {
        guard let kind = TraceMutation.Kind(rawValue: kind), let trial = try RecordTrial(Recording.open(record)),
            let mutation = trial.mutation(kind, seed: 1, last: events)
        else {
            print(
                "bad  \(record.lastPathComponent) does not conform as it is, or there is nothing to change",
                terminator: "")
            return
        }
        let start = Mutations.processorTime()
        let comparison = try trial.comparison(mutation, limit: ModelComparison.stateLimit)
        let seconds = String(format: "%.1f", Mutations.processorTime() - start)
        let report = try trial.report(mutation, comparison, limit: ModelComparison.stateLimit)
        let word = Mutations.isRight(report.outcome) ? "good" : "bad "
        let figures = comparison.figures
        print(
            "\(word) \(kind.rawValue): \(mutation.text) -> \(report.outcome), \(figures.matched) of "
                + "\(figures.compared) events conform, \(figures.states) states, \(seconds) CPU seconds", terminator: ""
        )
    }
}
