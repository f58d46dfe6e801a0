// SPDX-License-Identifier: GPL-2.0
import Comparison
import Foundation
import KernelTrace

/// Recorded runs changed in one place each: what the comparison says of them, and whether it blames what was changed.
enum Mutations {
    static let count = 200
    static let limit = Comparison.stateLimit

    static func run(_ records: [URL]) throws -> Bool {
        var trials: [(name: String, trial: RecordTrial)] = []
        for url in records {
            let recording = try Recording.open(url)
            let name = recording.description.scenario
            guard let trial = try RecordTrial(recording) else {
                print("\(name) does not conform as it is: give another record")
                return false
            }
            trials.append((name, trial))
        }
        let kinds = TraceMutation.Kind.allCases
        var tally: [TraceMutation.Kind: [String: Int]] = [:]
        var states: [Int] = []
        var isGood = true
        for number in 0..<count {
            let kind = kinds[number % kinds.count]
            let (name, trial) = trials[number / kinds.count % trials.count]
            guard let mutation = trial.mutation(kind, seed: UInt64(number)) else { continue }
            let start = Date()
            let report = try trial.report(mutation, limit: limit)
            let word = Self.word(report.outcome)
            tally[kind, default: [:]][word, default: 0] += 1
            states.append(report.comparison.figures.states)
            let isBad = !Self.isGood(report.outcome)
            if isBad { isGood = false }
            if isBad || CommandLine.arguments.contains("--all") {
                var line =
                    "\(isBad ? "BAD " : "") \(number) \(name) \(kind.rawValue): \(mutation.text) -> \(report.outcome)"
                line += " \(report.comparison.figures.states) states \(-start.timeIntervalSinceNow) s"
                if case .doesNotConform(let mismatch) = report.comparison.answer, let event = mismatch.event {
                    line += "; blamed \(event.node) event \(event.index) \(event.comm) \(event.label)"
                }
                print(line)
            }
        }
        let words = Set(tally.values.flatMap(\.keys)).sorted()
        for kind in kinds {
            print(
                kind.rawValue.padding(toLength: 10, withPad: " ", startingAt: 0)
                    + words.map { "\($0) \(tally[kind]?[$0] ?? 0)" }.joined(separator: "  "))
        }
        states.sort()
        if !states.isEmpty {
            print("states: median \(states[states.count / 2]), most \(states[states.count - 1])")
        }
        return isGood
    }

    static func word(_ outcome: RecordTrial.Outcome) -> String {
        switch outcome {
        case .conforms(let isProven): isProven ? "conforms, proven" : "conforms, NOT proven"
        case .notDecided: "not decided"
        case .rejected(.place): "at the place"
        case .rejected(.later): "later"
        case .rejected(.elsewhere): "elsewhere"
        case .rejected(.early): "EARLY"
        case .rejected(.unrelated): "UNRELATED"
        case .rejected(.unknown): "UNKNOWN"
        }
    }

    static func isGood(_ outcome: RecordTrial.Outcome) -> Bool {
        switch outcome {
        case .conforms(true), .rejected(.place), .rejected(.later), .rejected(.elsewhere): true
        default: false
        }
    }
}
