// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import VirtualCluster

/// What the runner has done to the cluster so far: which nodes can still be asked, and what runs in the background.
actor Situation {
    private var dead: Set<NodeID> = []
    private var frozen: Set<NodeID> = []
    private var background: [String: (node: NodeID, command: any RunningCommand)] = [:]
    let nodes: [any NodeControl]

    init(nodes: [any NodeControl]) { self.nodes = nodes }

    private var commands = 0
    private var isDisturbed = false

    func died(_ node: NodeID) {
        dead.insert(node)
        isDisturbed = true
    }
    func froze(_ node: NodeID) {
        frozen.insert(node)
        isDisturbed = true
    }
    func thawed(_ node: NodeID) { frozen.remove(node) }

    /// A link was cut or mended.
    func disturbed() { isDisturbed = true }
    /// A command begins, or has ended.
    func began() { commands += 1 }
    func ended() { commands -= 1 }

    /// Whether something may come that nothing announces: a command runs, or the cluster has lost a node or a link.
    var isUnsettled: Bool { isDisturbed || commands > 0 || !background.isEmpty }

    /// The nodes that answer.
    var answering: [any NodeControl] { nodes.filter { !dead.contains($0.id) && !frozen.contains($0.id) } }

    /// The nodes of a set. A set of named nodes is an error when one of them cannot answer; "all" means all that can.
    func members(_ set: NodeSet) throws -> [any NodeControl] {
        let wanted = set.members(of: nodes.map(\.id))
        let present = answering.filter { wanted.contains($0.id) }
        if case .these(let named) = set,
            let missing = named.first(where: { name in !present.contains { $0.id == name } })
        {
            throw StepProblem.scenario("a step on \(missing), which was crashed or frozen before")
        }
        if present.isEmpty { throw StepProblem.scenario("a step on \(set), and none of them answers") }
        return present
    }

    func started(_ name: String, on node: NodeID, _ command: any RunningCommand) { background[name] = (node, command) }
    func take(_ name: String) -> (node: NodeID, command: any RunningCommand)? { background.removeValue(forKey: name) }
}
