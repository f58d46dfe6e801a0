// SPDX-License-Identifier: GPL-2.0
import ModelChecker

/// A run as a document: what `mdlab model check --json` writes and other commands read. Its states follow the Informal
/// Trace Format (vars, states with a #meta each), so that tools that know it can show them.
public struct RunDocument: Codable, Sendable, Equatable {
    public var meta: Meta
    public var vars: [String]
    public var states: [State]

    enum CodingKeys: String, CodingKey {
        case meta = "#meta"
        case vars, states
    }

    public struct Meta: Codable, Sendable, Equatable {
        public var format = "ITF"
        public var variant: String
        public var nodes: Int
        public var workload: String
        public var verdict: String
        /// Stacks of the last state, innermost first.
        public var stacks: [String]
        /// Who waits for whom in a circle: "node1 md0_raid1 waits for ack EX, held by node2 md0_cluster_recv".
        public var circle: [String]
    }

    /// A state and the step that led to it; the first state has none.
    public struct State: Codable, Sendable, Equatable {
        public var index: Int
        public var step: Step?
        public var values: [String: String]

        struct Key: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init(_ name: String) { stringValue = name }
            init?(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }
        private struct Note: Codable {
            var index: Int
            var step: Step?
        }

        public init(index: Int, step: Step?, values: [String: String]) {
            self.index = index
            self.step = step
            self.values = values
        }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            let note = try container.decode(Note.self, forKey: Key("#meta"))
            index = note.index
            step = note.step
            values = [:]
            for key in container.allKeys where key.stringValue != "#meta" {
                values[key.stringValue] = try container.decode(String.self, forKey: key)
            }
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(Note(index: index, step: step), forKey: Key("#meta"))
            for (name, value) in values { try container.encode(value, forKey: Key(name)) }
        }
    }

    public struct Step: Codable, Sendable, Equatable {
        /// From 1.
        public var node: Int
        public var thread: String
        /// Kernel functions, innermost first.
        public var functions: [String]
        /// The same with arguments.
        public var stack: [String]
        public var text: String
        /// What the step is, whatever its text: the calls with raw arguments, and which step of the innermost procedure
        /// it is. Not there in documents of older versions, where the text has to do.
        public var identity: StepIdentity?
    }
}

/// A step of a program, known by what it is and not by how it is printed.
public struct StepIdentity: Codable, Sendable, Hashable {
    /// Innermost first: the procedure's name, then the values of its arguments.
    public var calls: [[String]]
    /// Counted in the innermost procedure.
    public var ordinal: Int

    init(_ place: Place) {
        calls = place.calls.map { call in
            [call.procedure]
                + call.arguments.map { argument in
                    switch argument.value {
                    case .number(let number): String(number)
                    case .symbol(let symbol): symbol
                    }
                }
        }
        ordinal = place.ordinal
    }
}

extension Machine {
    /// A run as a document.
    public func document(
        of run: Counterexample, variant: String, workload: String, verdict: String
    ) -> RunDocument {
        let states = run.states.enumerated().map { index, state in
            RunDocument.State(
                index: index, step: index == 0 ? nil : step(run.steps[index - 1]), values: values(in: state))
        }
        let circle = WaitEdge.cycle(in: waits(atEndOf: run)).map(sentence)
        return RunDocument(
            meta: .init(
                variant: variant, nodes: program.nodes, workload: workload, verdict: verdict,
                stacks: stacks(in: run.states.last ?? []), circle: circle),
            vars: states.first.map { $0.values.keys.sorted() } ?? [], states: states)
    }

    func sentence(_ edge: WaitEdge) -> String {
        "\(name(ofThread: edge.waiter)) waits for \(edge.reason), held by \(name(ofThread: edge.holder))"
    }

    private func step(_ number: Int) -> RunDocument.Step {
        let thread = threads[actor(ofStep: number)]
        let place = code.places[number]
        return RunDocument.Step(
            node: thread.node + 1, thread: thread.name, functions: place.procedures, stack: place.stack,
            text: place.text, identity: StepIdentity(place))
    }

    /// Whether a step and the state that it leads to are those of a document.
    ///
    /// - Parameter wanted: the document's state, with its step.
    public func shows(_ wanted: RunDocument.State, step number: Int, to state: [UInt64]) -> Bool {
        guard let step = wanted.step else { return false }
        let thread = threads[actor(ofStep: number)]
        let place = code.places[number]
        guard thread.node + 1 == step.node, thread.name == step.thread else { return false }
        guard let identity = step.identity else {
            return place.stack == step.stack && place.text == step.text && values(in: state) == wanted.values
        }
        // Where the other threads are is said in words; they have not moved.
        return StepIdentity(place) == identity && variables(in: state).allSatisfy { wanted.values[$0.key] == $0.value }
    }

    /// Everything in a state by name: "node1.SEND_LOCK", "node2.reconfig_mutex", "node1.token", "node1.md0_raid1".
    public func values(in state: [UInt64]) -> [String: String] {
        var result = variables(in: state)
        guard !result.isEmpty else { return [:] }
        for thread in threads.indices {
            let place = instruction(ofThread: thread, in: state).map {
                "\(code.places[$0].procedures.first ?? "?"): \(waitText(at: $0))"
            }
            result["node\(threads[thread].node + 1).\(threads[thread].name)"] = place ?? "not running"
        }
        return result
    }

    /// Variables, mutexes and locks.
    private func variables(in state: [UInt64]) -> [String: String] {
        guard state.count == stateWords else { return [:] }
        var result: [String: String] = [:]
        for (name, field) in layout.shared { result[name] = String(value(of: field, in: state)) }
        for node in 0..<program.nodes {
            let prefix = "node\(node + 1)."
            for (name, field) in layout.node[node] { result[prefix + name] = String(value(of: field, in: state)) }
            for (name, field) in layout.mutexes[node] {
                let owner = owner(of: field, node: node, in: state)
                result[prefix + name] = owner.map { threads[$0].name } ?? "free"
            }
        }
        for node in 0..<program.nodes {
            for lock in lockModes(of: node, in: state) {
                let wanted = lock.requested.map { " -> \($0)" } ?? ""
                result["node\(node + 1).\(lock.name)"] = "\(lock.granted)\(wanted)"
            }
        }
        return result
    }
}
