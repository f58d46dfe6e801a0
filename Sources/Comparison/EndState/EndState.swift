// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import MDClusterModel
import ModelChecker
import ProcedureModel
import ProtocolTrace
import RunRecord

/// Is the state in which the kernels came to rest one in which the model can?
///
/// The run that the comparison found is taken to where nothing more happens without an event, and the devices' history
/// is followed through its events (`DeviceHistory`). It agrees when some state of the model shows what the snapshots
/// "final" show. In which run the same events are matched makes no difference: messages have one order, and what a node
/// has of a device depends on them and on the node's own events only.
public struct EndState: Sendable, Equatable {
    public enum Answer: Sendable, Equatable {
        case agrees
        case differs
        case notCompared(Reason)
    }

    /// Why nothing is said.
    public enum Reason: Sendable, Hashable {
        /// Which states the model can end in is not known.
        case eventsDoNotConform
        case noSnapshot(NodeID)
        /// A node of the snapshots did something after them.
        case wentOn(NodeID, after: Double)
        /// The kernel was still resyncing.
        case notAtRest(NodeID, action: String)
        /// A node died, or the run hung.
        case ended(RunDescription.Ending)
    }

    /// A value that no state of the model has.
    public struct Difference: Sendable, Equatable {
        public var field: EndStateField
        /// nil for what all nodes share.
        public var node: NodeID?
        public var file: String
        public var observed: String
        public var model: String
    }

    public var answer: Answer
    public var differences: [Difference] = []
    /// How many values were compared.
    public var compared: [EndStateField: Int] = [:]
    /// What a record of this kind does not hold.
    public var unread: [String] = []

    init(_ answer: Answer) { self.answer = answer }

    public init(_ comparison: ModelComparison, _ recording: Recording) {
        self.init(
            comparison, traces: recording.nodes.map { ($0.id, $0.trace ?? []) },
            snapshots: recording.nodes.flatMap(\.snapshots), ending: recording.description.ending)
    }

    /// - Parameters:
    ///   - traces: those that were compared, in the same order.
    ///   - snapshots: of all nodes; those labelled "final" are used.
    public init(
        _ comparison: ModelComparison, traces: [(node: NodeID, events: [KernelEvent])], snapshots: [NodeSnapshot],
        ending: RunDescription.Ending
    ) {
        guard ending == .finished else {
            self.init(.notCompared(.ended(ending)))
            return
        }
        guard comparison.answer == .conforms, let run = comparison.run else {
            self.init(.notCompared(.eventsDoNotConform))
            return
        }
        var final: [NodeSnapshot] = []
        for (number, trace) in traces.enumerated() {
            guard let snapshot = snapshots.last(where: { $0.node == trace.node && $0.label == "final" }) else {
                self.init(.notCompared(.noSnapshot(trace.node)))
                return
            }
            let last = comparison.words.nodes[number].events.last.map { Double(trace.events[Int($0.index)].time) / 1e9 }
            if let last, last > snapshot.uptime + 0.1 {
                self.init(.notCompared(.wentOn(trace.node, after: last - snapshot.uptime)))
                return
            }
            final.append(snapshot)
        }
        let observed = ObservedState(final)
        for node in observed.nodes {
            if let action = node.view?.syncAction, action != "idle" {
                self.init(.notCompared(.notAtRest(node.snapshot.node, action: action)))
                return
            }
        }
        self.init(.agrees)
        let order = run.order.map { item in
            let place = comparison.words.nodes[item.node].events[item.place]
            return (node: item.node, event: traces[item.node].events[Int(place.index)])
        }
        let actions = ArrayActions(order)
        compareMachine(run, observed, actions)
        compareDevices(observed, actions, rules: DeviceHistory.Rules(variant: comparison.variant))
        compareNumbers(observed, actions)
        if !differences.isEmpty { answer = .differs }
    }

    mutating func count(_ field: EndStateField, _ number: Int = 1) { compared[field, default: 0] += number }

    mutating func differ(
        _ field: EndStateField, _ node: NodeID?, _ file: String, observed: String, model: String
    ) {
        differences.append(Difference(field: field, node: node, file: file, observed: observed, model: model))
    }
}
