// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Comparison
import Foundation
import KernelTrace
import ProtocolTrace

struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say whether what the kernels of a run did is a behaviour of the reference model.",
        discussion: """
            Compares every event of all nodes; the nodes' clocks are not believed. Answers "conforms", "does not conform" with \
            the first event that is not in the model, or "not decided" with the reason.
            """)

    @Argument(help: "Folders of runs.") var runs: [String] = []
    @Option(help: "The model's variant; else the one that the run's kernel is.") var variant: String?
    @Flag(help: "Print which events are compared with which steps, and which are not, and stop.") var mapping = false
    @Flag(help: "One line for each run.") var brief = false
    @Flag(
        help:
            "Print every message with the exchange that it was part of: who sent it, its locks, what each receiver did."
    )
    var exchanges = false
    @Option(help: ArgumentHelp("Write the answers as JSON to this file.", valueName: "file")) var json: String?
    @Option(help: ArgumentHelp("Draw the answer for the run as SVG into this file.", valueName: "file")) var svg:
        String?
    @Option(help: "Give up when the search has to keep so many states.") var states = ModelComparison.stateLimit

    func validate() throws {
        if runs.isEmpty, !mapping { throw ValidationError("name the folder of a run, or ask for --mapping.") }
        if svg != nil, runs.count != 1 { throw ValidationError("--svg draws one run: name one.") }
        if states < 1 { throw ValidationError("--states \(states): give a number above 0.") }
    }

    func run() throws {
        if mapping {
            print(ComparisonWording.mapping())
            return
        }
        var exit = Exit.pass
        var documents: [ComparisonDocument] = []
        for folder in runs {
            let recording = try Recording.open(URL(filePath: folder))
            let comparison = try ModelComparison(recording, variant: variant, limit: states)
            let snapshots = recording.nodes.flatMap(\.snapshots)
            let endState = EndState(comparison, recording)
            let did = RecordedOperations.workload(of: recording.nodes.map { ($0.id, $0.trace ?? []) })
            let hang = try HangMatch.find(
                in: snapshots, variant: comparison.variant, workloads: did.map { [$0] } ?? [])
            let answer =
                brief
                ? ComparisonWording.line(comparison, folder: folder)
                : ComparisonWording.report(
                    comparison, Observation(comparison, endState, recording.description), recording.description)
            // Every event is the model's, but the model would have gone on.
            let isHung = recording.description.ending == .hung && hang != .noHang
            let end = isHung ? HangEnd(comparison, limit: states) : nil
            if case .goesOn(let threads)? = end {
                print("does not conform: it \(MatrixWording.goesOn(threads));" + answer.dropFirst("conforms".count))
                exit = Exit.fail
            } else if comparison.answer == .conforms, case .notInModel = hang {
                print("does not conform: it hangs, the model does not;" + answer.dropFirst("conforms".count))
            } else if endState.answer == .differs {
                print("does not conform: end state;" + answer.dropFirst("conforms".count))
            } else {
                print(answer)
            }
            let messages = comparison.exchanges(recording.nodes.map { ($0.id, $0.trace ?? []) })
            if exchanges { print(ComparisonWording.table(messages)) }
            let isMismatch = if case .doesNotConform = comparison.answer { true } else { false }
            if !brief && !isMismatch || endState.answer == .differs { print(ComparisonWording.text(endState)) }
            let hangText = ComparisonWording.text(hang, variant: comparison.variant)
            if let hangText { print(Screen.folded(hangText)) }
            let isHang = if case .notInModel = hang { true } else { false }
            documents.append(
                ComparisonDocument(
                    comparison, endState, messages, run: recording.description, hang: hangText, isHang: isHang,
                    doubt: ComparisonWording.text))
            if let svg { try Data(ComparisonPicture.svg(comparison).utf8).write(to: URL(filePath: svg)) }
            switch comparison.answer {
            case .conforms:
                // What is there conforms, and the model would have gone on.
                if case .notInModel = hang { exit = Exit.fail }
                if endState.answer == .differs { exit = Exit.fail }
            case .doesNotConform: exit = Exit.fail
            case .notDecided: if exit == Exit.pass { exit = Exit.untestable }
            }
        }
        if let json { try ComparisonDocument.write(documents, to: URL(filePath: json)) }
        if exit != Exit.pass { throw ExitCode(exit) }
    }
}
