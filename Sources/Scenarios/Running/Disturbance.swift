// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol

/// A fault that comes from outside at a moment of its own, whatever the scenario is doing: what the judges are tried
/// with.
public struct Disturbance: Sendable, Equatable {
    public enum Fault: Sendable, Equatable {
        case powerCut(NodeID)
        case linkCut(NodeID, NodeID, seconds: Double)
    }
    public var fault: Fault
    /// From the begin of the scenario, in seconds of the host.
    public var after: Double

    /// "crash node2 3.5" or "cut node1 node2 3.5 2": the moment last, for a link with how long it is cut. nil for
    /// anything else.
    public init?(_ text: String, nodes: Int) {
        let words = text.split(separator: " ").map(String.init)
        func node(_ word: String) -> NodeID? { NodeID(name: word).flatMap { $0.rawValue <= nodes ? $0 : nil } }
        func seconds(_ word: String) -> Double? { Double(word).flatMap { (0...3600).contains($0) ? $0 : nil } }
        switch (words.first, words.count) {
        case ("crash", 3):
            guard let victim = node(words[1]), let after = seconds(words[2]) else { return nil }
            (fault, self.after) = (.powerCut(victim), after)
        case ("cut", 5):
            guard let first = node(words[1]), let second = node(words[2]), first != second,
                let after = seconds(words[3]),
                let long = seconds(words[4])
            else { return nil }
            (fault, self.after) = (.linkCut(first, second, seconds: long), after)
        default: return nil
        }
    }

    /// The fact by which an event of the record says that it is one.
    static let fact = "disturbance"

    func happen(_ runner: StepRunner) async throws {
        try await Task.sleep(for: .seconds(after))
        switch fault {
        case .powerCut(let node):
            runner.cluster.note(.step, node: node, "disturbance: power cut", [Self.fact: "crash"])
            await runner.situation.died(node)
            try await runner.cluster.crash(node)
        case .linkCut(let first, let second, let seconds):
            runner.cluster.note(.step, node: nil, "disturbance: link \(first) \(second) cut", [Self.fact: "cut"])
            await runner.situation.disturbed()
            try await runner.cluster.setLink(first, second, up: false)
            // Mended even when the scenario ends meanwhile.
            try? await Task.sleep(for: .seconds(seconds))
            try await runner.cluster.setLink(first, second, up: true)
            runner.cluster.note(.stepEnd, node: nil, "disturbance: link \(first) \(second) mended", [:])
        }
    }
}
