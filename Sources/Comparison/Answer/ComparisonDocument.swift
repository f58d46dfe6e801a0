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
    public struct Refusal: Codable, Sendable, Equatable {
        public var stack: [String]
        public var waitsFor: String?
        public var holder: String?
        public var instead: [String]
    }
    public struct Node: Codable, Sendable, Equatable {
        public var node: String
        public var matched: Int
        public var of: Int
        public var last: Event?
        public var next: Event?
        public var refusals: [Refusal]
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
    public var locks: [String]
    public var events: Int
    public var compared: Int
    public var matched: Int
    public var ignored: [String: Int]
    public var hiddenSteps: Int
    public var messages: [String: Int]
    public var states: Int
    /// "agrees", "differs", or why nothing was compared.
    public var endState: String
    public var endStateCompared: [String: Int]
    public var endStateDifferences: [Difference]

    /// Empty unless the events conform.
    public var exchanges: [MessageExchange]

    public init(_ comparison: Comparison, _ end: EndState, _ exchanges: [MessageExchange], run: RunDescription) {
        self.exchanges = exchanges
        scenario = run.scenario
        kernel = run.kernelRelease
        kernelVariant = run.variant
        model = comparison.variant
        let figures = comparison.figures
        (events, compared, matched) = (figures.events, figures.compared, figures.matched)
        (hiddenSteps, messages, states) = (figures.hiddenSteps, figures.messages, figures.states)
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
        switch comparison.answer {
        case .conforms: answer = end.answer == .differs ? "does not conform" : "conforms"
        case .notDecided(let list):
            answer = "not decided"
            doubts = list.map { "\($0)" }
        case .doesNotConform(let mismatch):
            answer = "does not conform"
            event = mismatch.event.map(Self.event)
            locks = mismatch.locks
            nodes = mismatch.nodes.map { node in
                Node(
                    node: "\(node.node)", matched: node.matched, of: node.of, last: node.last.map(Self.event),
                    next: node.next.map(Self.event),
                    refusals: node.refusals.map {
                        Refusal(stack: $0.stack, waitsFor: $0.waitsFor, holder: $0.holder, instead: $0.instead)
                    })
            }
        }
    }

    private static func event(_ event: Mismatch.Event) -> Event {
        Event(
            node: "\(event.node)", index: event.index, time: event.time, comm: event.comm, pid: event.pid,
            label: event.label)
    }

    public static func write(_ documents: [ComparisonDocument], to url: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(documents).write(to: url)
    }
}
