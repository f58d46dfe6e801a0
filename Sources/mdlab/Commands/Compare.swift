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
            let run = try RunComparison(
                try Recording.open(URL(filePath: folder)), variant: variant, limit: states)
            exit = Self.worse(exit, run.exitCode)
            documents.append(show(run, folder: folder))
            if let svg { try Data(ComparisonPicture.svg(run.comparison).utf8).write(to: URL(filePath: svg)) }
        }
        if let json { try ComparisonDocument.write(documents, to: URL(filePath: json)) }
        if exit != Exit.pass { throw ExitCode(exit) }
    }

    /// One run that does not conform outweighs one that is not decided.
    private static func worse(_ first: Int32, _ second: Int32) -> Int32 {
        [Exit.fail, Exit.untestable].first { $0 == first || $0 == second } ?? Exit.pass
    }

    /// Prints what there is to say of a run.
    private func show(_ run: RunComparison, folder: String) -> ComparisonDocument {
        let (comparison, recording) = (run.comparison, run.recording)
        let answer =
            brief
            ? ComparisonWording.line(comparison, folder: folder)
            : ComparisonWording.report(
                comparison, Observation(comparison, run.endState, recording.description), recording.description)
        switch run.answer {
        case .goesOn(let threads):
            print("does not conform: it \(MatrixWording.goesOn(threads));" + answer.dropFirst("conforms".count))
        case .hang:
            print("does not conform: it hangs, the model does not;" + answer.dropFirst("conforms".count))
        case .endState: print("does not conform: end state;" + answer.dropFirst("conforms".count))
        case .conforms, .event, .notDecided: print(answer)
        }
        let messages = comparison.exchanges(recording.nodes.map { ($0.id, $0.trace ?? []) })
        if exchanges { print(ComparisonWording.table(messages)) }
        let isMismatch = if case .event = run.answer { true } else { false }
        if !brief && !isMismatch || run.endState.answer == .differs {
            print(ComparisonWording.text(run.endState))
        }
        let hangText = ComparisonWording.text(run.hang, variant: comparison.variant)
        if let hangText { print(Screen.folded(hangText)) }
        let isHang = if case .notInModel = run.hang { true } else { false }
        return ComparisonDocument(
            comparison, run.endState, messages, run: recording.description, hang: hangText, isHang: isHang,
            doubt: ComparisonWording.text)
    }
}
