// SPDX-License-Identifier: GPL-2.0
import Comparison
import Foundation
import KernelTrace
import ProtocolTrace

/// Recorded runs changed in one place each: what the comparison says of them, whether it blames what was changed, and
/// whether it does on one screen.
enum Mutations {
    static let count = 200
    static let limit = ModelComparison.stateLimit

    /// Of one kind of change. What is not in the columns behind `leave` is an error of the comparison.
    private struct Tally {
        var changed = 0
        /// Still a behaviour of the model: the run that was found was replayed.
        var conform = 0
        var leave: Int { changed - conform }
        /// By the thread's own code, without the search.
        var ruledOut = 0
        var place = 0
        var later = 0
        var elsewhere = 0
        var wrong = 0
        var onScreen = 0

        static let columns = [
            "changed", "conform", "leave", "(ruled out)", "at place", "later", "elsewhere", "wrong", "on screen",
        ]
        var values: [Int] { [changed, conform, leave, ruledOut, place, later, elsewhere, wrong, onScreen] }

        mutating func add(_ report: RecordTrial.Report, fits: Bool) {
            changed += 1
            if report.isRuledOut { ruledOut += 1 }
            if !Mutations.isRight(report.outcome) { wrong += 1 }
            switch report.outcome {
            case .conforms(isProven: true): conform += 1
            case .rejected(.place): place += 1
            case .rejected(.later): later += 1
            case .rejected(.elsewhere): elsewhere += 1
            case .conforms, .notDecided, .rejected: break
            }
            if case .rejected = report.outcome, fits { onScreen += 1 }
        }
    }

    static func run(_ records: [URL]) throws -> Bool {
        var trials: [(name: String, trial: RecordTrial, recording: Recording)] = []
        for url in records {
            let recording = try Recording.open(url)
            let name = recording.description.scenario
            guard let trial = try RecordTrial(recording) else {
                print("\(name) does not conform as it is: give another record")
                return false
            }
            trials.append((name, trial, recording))
        }
        let kinds = TraceMutation.Kind.allCases
        var tallies: [TraceMutation.Kind: Tally] = [:]
        var costs: [(states: Int, mebibytes: Int, seconds: Double, text: String)] = []
        for number in 0..<count {
            let kind = kinds[number % kinds.count]
            let (name, trial, recording) = trials[number / kinds.count % trials.count]
            guard let mutation = trial.mutation(kind, seed: UInt64(number)) else { continue }
            let start = processorTime()
            let comparison = try trial.comparison(mutation, limit: limit)
            let seconds = processorTime() - start
            let report = try trial.report(mutation, comparison, limit: limit)
            let fits = fits(report, recording)
            tallies[kind, default: Tally()].add(report, fits: fits)
            let text = "\(number) \(name) \(kind.rawValue): \(mutation.text) -> \(report.outcome)"
            costs.append((comparison.figures.states, comparison.figures.bytes >> 20, seconds, text))
            let isWrong = !isRight(report.outcome) || !fits
            if isWrong || CommandLine.arguments.contains("--all") { print("\(isWrong ? "WRONG " : "")\(text)") }
        }
        print(row("", Tally.columns))
        for kind in kinds { print(row(kind.rawValue, tallies[kind, default: Tally()].values.map(String.init))) }
        let all = kinds.map { tallies[$0, default: Tally()] }
        let sums = Tally.columns.indices.map { column in all.reduce(0) { $0 + $1.values[column] } }
        print(row("all", sums.map(String.init)))
        let seconds = Spread(costs.map(\.seconds))
        print("CPU seconds of a comparison: median \(seconds.text(2))")
        if let worst = costs.max(by: { $0.seconds < $1.seconds }), let most = costs.max(by: { $0.states < $1.states }) {
            print("  slowest: \(worst.text)")
            print("  most states: \(most.states), \(most.mebibytes) MiB, \(most.text)")
        }
        return !all.isEmpty && all.allSatisfy { $0.changed > 0 && $0.wrong == 0 && $0.onScreen == $0.leave }
    }

    static func isRight(_ outcome: RecordTrial.Outcome) -> Bool {
        switch outcome {
        case .conforms(isProven: true), .rejected(.place), .rejected(.later), .rejected(.elsewhere): true
        case .conforms, .notDecided, .rejected: false
        }
    }

    /// A record that is not the model's is said on one screen of 100 columns and 40 lines.
    private static func fits(_ report: RecordTrial.Report, _ recording: Recording) -> Bool {
        guard case .doesNotConform(let mismatch) = report.comparison.answer else { return true }
        let seen = Observation(report.comparison, EndState(report.comparison, recording), recording.description)
        let text = Screen.mismatch(report.comparison, mismatch, seen, recording.description)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let event = mismatch.event else { return false }
        guard text.contains(event.label.description) || text.contains("…") else { return false }
        return lines.count <= 40 && lines.allSatisfy { $0.count <= 100 }
    }

    private static func row(_ name: String, _ columns: [String]) -> String {
        func right(_ text: String) -> String { String(repeating: " ", count: max(0, 12 - text.count)) + text }
        return name.padding(toLength: 8, withPad: " ", startingAt: 0) + columns.map(right).joined()
    }

    /// Seconds of this process.
    static func processorTime() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.seconds
    }
}
