// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import MDClusterModel
import ModelChecker
import ProcedureModel
import ProtocolTrace

/// Tries the comparison on changed copies of a record that conforms, and judges its answers by other means.
public struct RecordTrial: Sendable {
    public enum Outcome: Sendable, Equatable {
        /// Still a behaviour of the model; whether the run that the search found shows the changed events was replayed.
        case conforms(isProven: Bool)
        case rejected(Blame)
        case notDecided([ModelComparison.Doubt])
    }

    /// Where the blamed event is.
    public enum Blame: Sendable, Equatable {
        /// It stands where the change was made.
        case place
        /// An event of the same node so many events later: with what lies between, the changed record still conforms.
        case later(Int)
        /// An event of another node that in the original record, too, cannot happen before the changed event has.
        case elsewhere
        /// An event of the same node before the change.
        case early(Int)
        /// An event of another node that in the original record can happen without the changed one.
        case unrelated
        /// Another node's, and whether it depends on the change was not found out.
        case unknown
        /// Behind an event that its thread's own code rules out.
        case late
    }

    public struct Report: Sendable {
        public var mutation: TraceMutation
        public var outcome: Outcome
        public var comparison: ModelComparison
        /// The code of some thread alone, without the search, says that the changed record is not the model's.
        public var isRuledOut: Bool
    }

    public let traces: TraceMutation.Traces
    let offsets: [Double]
    let probed: Set<String>
    let variant: String
    public let original: ModelComparison
    let machine: Machine
    let alphabet: Alphabet

    /// nil if the record does not conform.
    public init?(
        traces: TraceMutation.Traces, offsets: [Double], probed: Set<String>, variant: String
    ) throws(ModelError) {
        (self.traces, self.offsets, self.probed, self.variant) = (traces, offsets, probed, variant)
        original = try ModelComparison(
            traces: traces.map { ($0.node, $0.events) }, offsets: offsets, probed: probed, variant: variant)
        guard original.answer == .conforms else { return nil }
        machine = try Self.machine(variant, original.words)
        alphabet = Alphabet(machine: machine, words: original.words)
    }

    private static func machine(_ variant: String, _ words: TraceWords) throws(ModelError) -> Machine {
        let program = try ObservedProgram.make(
            variant: variant, nodes: words.nodes.count, processes: words.processes)
        do { return try Machine(program) } catch { preconditionFailure("\(variant): \(error)") }
    }

    /// The mutation of a seed: one that changes what is compared.
    ///
    /// - Parameters:
    ///   - first: only so many compared events of a node, from the first, are changed.
    ///   - last: only so many of these, up to the last.
    public func mutation(
        _ kind: TraceMutation.Kind, seed: UInt64, first: Int = .max, last: Int = .max
    ) -> TraceMutation? {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<1000 {
            guard
                let mutation = TraceMutation(
                    kind, of: traces, words: original.words, first: first, last: last, using: &generator)
            else {
                continue
            }
            let words = TraceWords(
                traces: mutation.traces, lockspace: original.words.lockspace, offsets: offsets, probed: probed)
            if isChanged(words, mutation.node) { return mutation }
        }
        return nil
    }

    private func isChanged(_ words: TraceWords, _ node: Int) -> Bool {
        let old = original.words.nodes[node].events.map { (original.words.labels[Int($0.label)], $0.thread) }
        let new = words.nodes[node].events.map { (words.labels[Int($0.label)], $0.thread) }
        return old.count != new.count || zip(old, new).contains { $0 != $1 }
    }

    /// - Parameter limit: states, of each search.
    public func report(_ mutation: TraceMutation, limit: Int) throws(ModelError) -> Report {
        try report(mutation, comparison(mutation, limit: limit), limit: limit)
    }

    /// What is tried.
    public func comparison(_ mutation: TraceMutation, limit: Int) throws(ModelError) -> ModelComparison {
        try ModelComparison(
            traces: mutation.traces.map { ($0.node, $0.events) }, offsets: offsets, probed: probed, variant: variant,
            limit: limit)
    }

    /// Judges its answer.
    public func report(
        _ mutation: TraceMutation, _ comparison: ModelComparison, limit: Int
    ) throws(ModelError) -> Report {
        let machine = try Self.machine(variant, comparison.words)
        let alphabet = Alphabet(machine: machine, words: comparison.words)
        var code = ThreadCode(comparison.words, machine: machine, alphabet: alphabet)
        let impossible = code.firstImpossible()
        let isRuledOut = impossible.contains { $0 != nil }
        let outcome: Outcome
        switch comparison.answer {
        case .notDecided(let doubts): outcome = .notDecided(doubts)
        case .conforms:
            let isShown = isShown(comparison.words, machine, alphabet, limit: limit)
            outcome = .conforms(isProven: isShown && !isRuledOut)
        case .doesNotConform(let mismatch):
            let isLate = zip(mismatch.nodes, impossible).contains { $0.matched > $1 ?? .max }
            outcome = .rejected(isLate ? .late : blame(mismatch, mutation, limit: limit))
        }
        return Report(mutation: mutation, outcome: outcome, comparison: comparison, isRuledOut: isRuledOut)
    }

    private func isShown(_ words: TraceWords, _ machine: Machine, _ alphabet: Alphabet, limit: Int) -> Bool {
        let result = LanguageSearch(machine: machine, words: words, alphabet: alphabet).run(limit: limit)
        return Witness.shows(words, steps: result.steps, machine: machine, alphabet: alphabet)
    }

    func blame(_ mismatch: Mismatch, _ mutation: TraceMutation, limit: Int) -> Blame {
        let (node, place) = (mutation.node, mutation.place)
        let matched = mismatch.nodes[mismatch.first].matched
        guard mismatch.first != node else {
            return matched == place ? .place : matched > place ? .later(matched - place) : .early(place - matched)
        }
        var words = original.words
        words.nodes[node].events.removeSubrange(place...)
        let blamed = matched + 1
        guard blamed <= words.nodes[mismatch.first].events.count else { return .unknown }
        words.nodes[mismatch.first].events.removeSubrange(blamed...)
        let search = LanguageSearch(machine: machine, words: words, alphabet: alphabet)
        return switch search.run(.reach(node: mismatch.first, events: blamed), limit: limit).ending {
        case .conforms: .unrelated
        case .noRun: .elsewhere
        case .limit: .unknown
        }
    }
}

extension RecordTrial {
    /// Of a record and the variant that its kernel is. nil if it does not conform.
    public init?(_ recording: Recording) throws(ModelError) {
        try self.init(
            traces: recording.nodes.map { ($0.id, $0.trace ?? []) }, offsets: recording.description.clockOffsets,
            probed: ModelComparison.probes(of: recording), variant: ModelComparison.variant(of: recording))
    }
}
