// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import RunRecord

/// Compares what a scenario expects with the last snapshots of a run. Pure.
struct ExpectationCheck {
    let instance: ScenarioInstance
    /// The snapshots "final", one per living node.
    let finals: [NodeSnapshot]
    let updates: [MetadataUpdate]
    /// Whether the traces could be read: without them no message can be counted.
    let messagesSeen: Bool
    /// Nodes that the scenario let die: nothing is expected of them.
    var died: Set<NodeID> = []

    private static let directory = "/sys/block/md0/md/"

    /// What is not as expected, what could not be seen, and what was.
    func findings() -> (wrong: [Finding], unseen: [Finding], seen: [String]) {
        var wrong: [Finding] = []
        var unseen: [Finding] = []
        var compared = 0
        for expectation in instance.scenario.expect.nodes {
            for node in expectation.on.members(of: instance.nodeIDs) {
                if died.contains(node) { continue }
                guard let snapshot = finals.last(where: { $0.node == node }) else {
                    unseen.append(Finding("no final snapshot", node: node.description))
                    continue
                }
                for (path, test) in tests(expectation) {
                    compared += 1
                    let value = snapshot.files[path]
                    if value == nil, let reason = snapshot.unavailable[path] {
                        unseen.append(Finding("\(path) could not be read: \(reason)", node: node.description))
                    } else if let text = test(value) {
                        wrong.append(Finding(text, node: node.description))
                    }
                }
            }
        }
        let wanted = instance.scenario.expect.metadataUpdated
        if wanted > 0 {
            let receptions = wanted * max(1, instance.nodes - 1 - died.count)
            let text = "\(updates.count) METADATA_UPDATED received, at least \(receptions) expected"
            if updates.count < receptions {
                if messagesSeen {
                    wrong.append(Finding(text))
                } else {
                    unseen.append(Finding(text + ", but no trace was read"))
                }
            }
        }
        return (
            wrong, unseen,
            ["\(compared) values compared"] + (wanted > 0 ? ["\(updates.count) METADATA_UPDATED received"] : [])
        )
    }

    /// Path -> what is wrong with its value, or nil; in the order of the paths.
    private func tests(_ expectation: NodeExpectation) -> [(String, (String?) -> String?)] {
        var result: [(String, (String?) -> String?)] = []
        for (attribute, allowed) in expectation.attributes.sorted(by: { $0.key < $1.key }) {
            result.append(
                (
                    Self.directory + attribute,
                    { value in
                        let shown = value?.trimmingWhitespace() ?? Condition.absent
                        return allowed.contains(shown)
                            ? nil : "\(attribute) is \(shown), expected \(allowed.joined(separator: " or "))"
                    }
                ))
        }
        for (device, state) in expectation.devices.sorted(by: { $0.key < $1.key }) {
            result.append(
                (
                    Self.directory + "dev-\(device)/state",
                    { value in
                        let words =
                            value?.trimmingWhitespace().split(separator: ",").map(String.init) ?? [Condition.absent]
                        return words.contains(state)
                            ? nil : "\(device) is \(words.joined(separator: ",")), expected \(state)"
                    }
                ))
        }
        return result
    }
}
