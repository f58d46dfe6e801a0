// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import MDClusterModel
import ModelChecker
import ProcedureModel
import RunRecord

/// Is what the kernels of a record did a behaviour of a variant of the reference model?
///
///     let comparison = try ModelComparison(recording, variant: "v5.11")
///     switch comparison.answer { ... }
///
/// A pure function of the record. The answer holds for every order in which the nodes may have run: there is no common
/// clock, and none is assumed.
public struct ModelComparison: Sendable {
    public enum Answer: Sendable, Equatable {
        case conforms
        case doesNotConform(Mismatch)
        case notDecided([Doubt])
    }

    /// Why a comparison says neither yes nor no.
    public enum Doubt: Sendable, Hashable {
        case noTrace(NodeID)
        /// No lock of a clustered array: nothing to compare.
        case noArray
        case severalArrays
        /// So many events, 0 if not known, before an event of the trace; nanoseconds of the trace's clock there.
        case lostEvents(NodeID, UInt64, at: Int, time: UInt64)
        /// The trace begins in the middle: an AST without its request.
        case begun(NodeID, at: Int)
        case tooManyProcesses(Int)
        case tooManyNodes(Int)
        /// The node died, what it did last may be missing, and without it there is no run.
        case died(NodeID)
        /// The search gave up when it had met so many states.
        case limit(states: Int)
        /// No variant was made for this kernel, and none was named.
        case noModel(kernel: String)
        /// The node's kernel log is of another kernel than the record says.
        case otherKernel(NodeID, log: String, record: String)
        /// The run was cut off: what came after the end of its traces is not known.
        case unfinished(RunDescription.Ending)
        /// The node did not answer when its trace was ended: its last events may be missing.
        case unended(NodeID)
        /// A thread that takes part has no name in the trace: what it is for md is not known.
        case unnamed(NodeID, pid: Int)
        /// The tracer counts events that it did not record, and the trace does not mark where.
        case unmarked(NodeID, what: String, UInt64)
        /// A file of the record that cannot be read: it may say that a node died, or that its tracer lost events.
        case damaged(String)
    }

    public let variant: String
    public let answer: Answer
    public let figures: Figures
    public let words: TraceWords
    /// The run of the model that shows all events, when there is one.
    let run: ModelRun?

    public struct Figures: Sendable, Equatable {
        /// Events in the traces, and how many of them are compared.
        public var events = 0
        public var compared = 0
        public var matched = 0
        public var ignored: [IgnoredEvent: Int] = [:]
        public var hiddenSteps = 0
        /// Steps of the model's text that the run took, of those that there are.
        public var steps: Set<String> = []
        public var allSteps = 0
        /// Messages that were sent, by type.
        public var messages: [String: Int] = [:]
        /// Kinds of events that the model has and the record cannot show.
        public var unobserved: [String] = []
        /// Functions of md-cluster.c that the run went through and that no trace shows.
        public var unseenFunctions: [String] = []
        public var states = 0
        public var bytes = 0
    }

    /// States kept at once at which the search gives up; some half GiB.
    public static let stateLimit = 4_000_000
    static let processLimit = 10

    public init(
        traces: [(node: NodeID, events: [KernelEvent]?)], offsets: [Double] = [], probed: Set<String> = [],
        died: Set<NodeID> = [], variant: String, limit: Int = ModelComparison.stateLimit,
        doubts beforehand: [Doubt] = []
    ) throws(ModelError) {
        self.variant = variant
        var doubts = traces.filter { $0.events == nil }.map { Doubt.noTrace($0.node) }
        let known = traces.map { (node: $0.node, events: $0.events ?? []) }
        let lockspaces = Self.lockspaces(in: known.map(\.events))
        if lockspaces.isEmpty, doubts.isEmpty { doubts.append(.noArray) }
        if lockspaces.count > 1 { doubts.append(.severalArrays) }
        doubts += beforehand.filter {
            switch $0 {
            case .noModel, .otherKernel: true
            default: false
            }
        }
        if !(2...4).contains(traces.count) { doubts.append(.tooManyNodes(traces.count)) }
        let words = TraceWords(
            traces: known, lockspace: lockspaces.first ?? 0, offsets: offsets, probed: probed, died: died)
        self.words = words
        var figures = Figures()
        figures.events = known.reduce(0) { $0 + $1.events.count }
        figures.compared = words.count
        figures.ignored = words.ignored
        if words.processes > Self.processLimit { doubts.append(.tooManyProcesses(words.processes)) }
        guard doubts.isEmpty else {
            self.figures = figures
            answer = .notDecided(doubts)
            run = nil
            return
        }
        doubts += beforehand + Self.unnamed(words) + Self.cuts(of: words, known.map(\.events))
        let program = try ObservedProgram.make(
            variant: variant, nodes: traces.count, processes: words.processes, hasDeath: words.hasDeath)
        let machine: Machine
        do { machine = try Machine(program) } catch { preconditionFailure("\(variant): \(error)") }
        let alphabet = Alphabet(machine: machine, words: words)
        let search = LanguageSearch(machine: machine, words: words, alphabet: alphabet)
        let result = search.answer(limit: limit)
        figures.add(result, machine, alphabet)
        figures.unseenFunctions = Observation.functions(
            of: Set(result.steps.compactMap { machine.place(ofStep: $0).procedures.first }), program,
            missingIn: known.map(\.events))
        self.figures = figures
        run =
            result.ending == .conforms
            ? ModelRun(result, machine: machine, words: words, alphabet: alphabet) : nil
        switch result.ending {
        case .conforms: answer = doubts.isEmpty ? .conforms : .notDecided(doubts)
        case .limit: answer = .notDecided(doubts + [.limit(states: result.states)])
        case .noRun where doubts.contains(where: Self.isGap):
            // What the tracer left out may be what is missing.
            answer = .notDecided(doubts)
        case .noRun where Self.isMissing(behind: result.cut, of: words, doubts):
            answer = .notDecided(doubts + words.nodes.filter(\.died).map { .died($0.id) })
        case .noRun:
            answer = .doesNotConform(
                Mismatch(result: result, machine: machine, words: words, alphabet: alphabet, traces: known))
        }
    }

    /// Whether a node was explained to the end of what there is of it, and more of it may have happened: the other
    /// nodes may wait for that. Of a run that was killed each node's last events may be missing.
    private static func isMissing(behind cut: [Int], of words: TraceWords, _ doubts: [Doubt]) -> Bool {
        let isCutOff = doubts.contains {
            switch $0 {
            case .unfinished, .unended: true
            default: false
            }
        }
        return zip(words.nodes, cut).contains { node, reached in
            (isCutOff || node.cut != nil || node.died) && reached == node.events.count
        }
    }

    /// Of clustered arrays: only they have a token.
    private static func lockspaces(in traces: [[KernelEvent]]) -> Set<UInt32> {
        var found = Set<UInt32>()
        for event in traces.joined() {
            if case .dlm(let dlm) = event.body, dlm.resource == .token { found.insert(dlm.lockspace) }
        }
        return found
    }

    /// What makes the rest of a trace useless.
    private static func cuts(of words: TraceWords, _ traces: [[KernelEvent]]) -> [Doubt] {
        zip(words.nodes, traces).compactMap { node, events in
            switch node.cut {
            case .lost(let count, let index)?:
                .lostEvents(node.id, count, at: index, time: events.first { $0.index == index }?.time ?? 0)
            case .began(let index)?: .begun(node.id, at: index)
            case nil: nil
            }
        }
    }

    private static func isGap(_ doubt: Doubt) -> Bool {
        switch doubt {
        case .unmarked, .unnamed, .damaged: true
        default: false
        }
    }

    /// The kernel keeps the names of threads in a table, which a run that is killed has not read, and prints "<...>"
    /// else. Most such threads are known by what they call.
    private static func unnamed(_ words: TraceWords) -> [Doubt] {
        words.nodes.compactMap { word in
            word.nameless.map { .unnamed(word.id, pid: $0) }
        }
    }
}

extension ModelComparison.Figures {
    /// What a search found.
    fileprivate mutating func add(_ result: LanguageSearch.Result, _ machine: Machine, _ alphabet: Alphabet) {
        states = result.states
        bytes = result.bytes
        matched = result.cut.reduce(0, +)
        hiddenSteps = result.steps.count { !alphabet.isVisible($0) }
        steps = Set(Set(result.steps).compactMap { machine.textName(ofStep: $0) })
        allSteps = machine.stepTexts
        unobserved = alphabet.hidden.map(\.description).sorted()
        for step in result.steps {
            guard let label = alphabet.label(ofStep: step), label.mark == .enter("__sendmsg"),
                case .number(let type)?? = label.arguments.first
            else { continue }
            messages[MessageType(rawValue: UInt32(truncatingIfNeeded: type)).description, default: 0] += 1
        }
    }
}
