// SPDX-License-Identifier: GPL-2.0
import Foundation
import RunRecord

/// A comparison as JSON, for other tools: the same facts as on the screen.
public struct ComparisonDocument: Codable, Sendable, Equatable {
    public struct Event: Codable, Sendable, Equatable {
        public var node: String
        public var index: Int
        /// Nanoseconds of the node's trace clock.
        public var time: UInt64
        public var comm: String
        public var pid: Int
        public var label: String
    }
    public struct Argument: Codable, Sendable, Equatable {
        public var name: String
        public var observed: String
        public var required: String
    }
    public struct Refusal: Codable, Sendable, Equatable {
        public var stack: [String]
        /// The guard that fails, and the values of what it looks at.
        public var waitsFor: String?
        public var values: [String]
        /// What the model allows instead; the arguments in which it differs.
        public var instead: [String]
        public var arguments: [Argument]
    }
    public struct Node: Codable, Sendable, Equatable {
        public var node: String
        public var matched: Int
        public var of: Int
        public var last: Event?
        public var next: Event?
        public var refusals: [Refusal]
        /// Where the model has the next event, innermost function first.
        public var places: [[String]]
        public var others: [String]
    }

    /// A value at rest that the model cannot have.
    public struct Difference: Codable, Sendable, Equatable {
        public var node: String?
        public var file: String
        public var observed: String
        public var model: String
    }

    public var scenario: String
    public var kernel: String
    public var kernelVariant: String?
    public var model: String
    /// "conforms", "does not conform", "not decided"
    public var answer: String
    public var doubts: [String]
    /// The first event that the model does not have.
    public var event: Event?
    public var nodes: [Node]
    /// The model's at the end of the longest part that conforms.
    public var locks: [String]
    /// Of a record that does not conform: false if a longer part may.
    public var isLongest: Bool?
    public var threads: [String]
    public var events: Int
    public var compared: Int
    public var matched: Int
    public var ignored: [String: Int]
    public var hiddenSteps: Int
    public var messages: [String: Int]
    public var stepsTaken: [String]
    public var steps: Int
    public var states: Int
    public var bytes: Int
    public var notSeen: Observation
    /// What was found out about a hang, if there was one.
    public var hang: String?
    /// "agrees", "differs", or why nothing was compared.
    public var endState: String
    public var endStateCompared: [String: Int]
    public var endStateDifferences: [Difference]

    /// Empty unless the events conform.
    public var exchanges: [MessageExchange]

    /// - Parameters:
    ///   - isHang: the run hangs where the model does not.
    ///   - doubt: the words for why nothing is decided.
    public init(
        _ comparison: ModelComparison, _ end: EndState, _ exchanges: [MessageExchange], run: RunDescription,
        hang: String? = nil, isHang: Bool = false, doubt: (ModelComparison.Doubt) -> String
    ) {
        self.hang = hang
        self.exchanges = exchanges
        scenario = run.scenario
        kernel = run.kernelRelease
        kernelVariant = run.variant
        model = comparison.variant
        let figures = comparison.figures
        (events, compared, matched) = (figures.events, figures.compared, figures.matched)
        (hiddenSteps, messages, states) = (figures.hiddenSteps, figures.messages, figures.states)
        (stepsTaken, steps, bytes) = (figures.steps.sorted(), figures.allSteps, figures.bytes)
        notSeen = Observation(comparison, end, run)
        ignored = Dictionary(uniqueKeysWithValues: figures.ignored.map { ($0.key.rawValue, $0.value) })
        endState =
            switch end.answer {
            case .agrees: "agrees"
            case .differs: "differs"
            case .notCompared(let reason): "not compared: \(reason)"
            }
        endStateCompared = Dictionary(uniqueKeysWithValues: end.compared.map { ($0.key.rawValue, $0.value) })
        endStateDifferences = end.differences.map {
            Difference(node: $0.node?.description, file: $0.file, observed: $0.observed, model: $0.model)
        }
        doubts = []
        nodes = []
        locks = []
        threads = []
        switch comparison.answer {
        case .conforms: answer = end.answer == .differs || isHang ? "does not conform" : "conforms"
        case .notDecided(let list):
            answer = "not decided"
            doubts = list.map(doubt)
        case .doesNotConform(let mismatch):
            answer = "does not conform"
            event = mismatch.event.map(Self.event)
            (locks, threads, isLongest) = (mismatch.locks, mismatch.threads, mismatch.isLongest)
            nodes = mismatch.nodes.map { node in
                Node(
                    node: "\(node.node)", matched: node.matched, of: node.of, last: node.last.map(Self.event),
                    next: node.next.map(Self.event),
                    refusals: node.refusals.map {
                        Refusal(
                            stack: $0.stack, waitsFor: $0.waitsFor, values: $0.values,
                            instead: $0.instead.map(\.description),
                            arguments: $0.arguments.map {
                                Argument(name: $0.name, observed: $0.observed, required: $0.required)
                            })
                    }, places: node.places, others: node.others)
            }
        }
    }

    private static func event(_ event: Mismatch.Event) -> Event {
        Event(
            node: "\(event.node)", index: event.index, time: event.time, comm: event.comm, pid: event.pid,
            label: event.label.description)
    }

    public static func write(_ documents: [ComparisonDocument], to url: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(documents).write(to: url)
    }
}
