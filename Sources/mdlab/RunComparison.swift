// SPDX-License-Identifier: GPL-2.0
import Comparison
import KernelTrace
import ProtocolTrace
import RunRecord

/// A record against the reference model, with everything that can tell them apart: its events, its end state, and a
/// hang that the model does not have.
struct RunComparison {
    enum Answer: Equatable {
        case conforms
        /// The first event that is not in the model.
        case event(Mismatch)
        /// Every event is the model's, and the run hung where the model goes on with these threads.
        case goesOn([String])
        /// The run hangs as no run of the model does.
        case hang
        case endState
        case notDecided([ModelComparison.Doubt])
    }

    let recording: Recording
    let comparison: ModelComparison
    let endState: EndState
    let hang: HangMatch
    let answer: Answer

    init(_ recording: Recording, variant: String? = nil, limit: Int = ModelComparison.stateLimit) throws {
        self.recording = recording
        let comparison = try ModelComparison(recording, variant: variant, limit: limit)
        let did = RecordedOperations.workload(of: recording.nodes.map { ($0.id, $0.trace ?? []) })
        self.comparison = comparison
        endState = EndState(comparison, recording)
        hang = try HangMatch.find(
            in: recording.nodes.flatMap(\.snapshots), variant: comparison.variant, workloads: did.map { [$0] } ?? [])
        answer = Self.answer(comparison, endState, hang, recording.description.ending, limit: limit)
    }

    private static func answer(
        _ comparison: ModelComparison, _ endState: EndState, _ hang: HangMatch, _ ending: RunDescription.Ending,
        limit: Int
    ) -> Answer {
        if case .doesNotConform(let mismatch) = comparison.answer { return .event(mismatch) }
        if ending == .hung, hang != .noHang, case .goesOn(let threads) = HangEnd(comparison, limit: limit) {
            return .goesOn(threads)
        }
        if comparison.answer == .conforms, case .notInModel = hang { return .hang }
        if endState.answer == .differs { return .endState }
        if case .notDecided(let doubts) = comparison.answer { return .notDecided(doubts) }
        return .conforms
    }

    var exitCode: Int32 {
        switch answer {
        case .conforms: Exit.pass
        case .notDecided: Exit.untestable
        case .event, .goesOn, .hang, .endState: Exit.fail
        }
    }
}
