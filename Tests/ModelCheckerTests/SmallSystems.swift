// SPDX-License-Identifier: GPL-2.0
import ModelChecker

/// A graph given by its edges: node 0 is the beginning, a node in `final` may be an end. The actor of an edge is its
/// label.
struct Graph: TransitionSystem {
    struct Edge {
        var from: UInt64
        var to: UInt64
        var label = 0
    }
    var edges: [Edge]
    var final: Set<UInt64> = []
    var properties: [Property] = []
    let stateWords = 1
    let stepCount = 8
    let actorCount = 8

    init(_ edges: [(UInt64, UInt64, Int)], final: Set<UInt64> = [], properties: [Property] = []) {
        self.edges = edges.map { Edge(from: $0.0, to: $0.1, label: $0.2) }
        self.final = final
        self.properties = properties
    }

    func initialStates(into successors: inout Successors) { successors.add(step: 0)[0] = 0 }
    func successors(of state: StateView, into successors: inout Successors) {
        for edge in edges where edge.from == state[0] { successors.add(step: edge.label)[0] = edge.to }
    }
    func isFinal(_ state: StateView) -> Bool { final.contains(state[0]) }
    func actor(ofStep step: Int) -> Int { step }
}

/// Counters that each go from 0 to `limit` on their own: (limit + 1) ^ counters states, and many equally short runs.
struct Counters: TransitionSystem {
    var count: Int
    var limit: UInt64
    var isSymmetric = false
    let stateWords = 1
    var stepCount: Int { count }
    var actorCount: Int { count }

    func initialStates(into successors: inout Successors) { successors.add(step: 0)[0] = 0 }
    func successors(of state: StateView, into successors: inout Successors) {
        for counter in 0..<count where state[0] >> UInt64(counter * 8) & 0xFF < limit {
            successors.add(step: counter)[0] = state[0] + 1 << UInt64(counter * 8)
        }
    }
    func actor(ofStep step: Int) -> Int { step }
    var canonicalize: (@Sendable (UnsafeMutablePointer<UInt64>) -> Void)? {
        guard isSymmetric else { return nil }
        let count = count
        return { words in
            let values = (0..<count).map { words[0] >> UInt64($0 * 8) & 0xFF }.sorted()
            words[0] = values.reversed().reduce(0) { $0 << 8 | $1 }
        }
    }
}
