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
                for test in tests(expectation) {
                    compared += 1
                    let value = snapshot.files[test.path]
                    if value == nil, let reason = snapshot.unavailable[test.path] {
                        unseen.append(Finding("\(test.path) could not be read: \(reason)", node: node.description))
                    } else if let finding = test.finding(value, node: node) {
                        wrong.append(finding)
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

    /// One file of a snapshot, and what it may say.
    private struct Test {
        var path: String
        /// The attribute, or the device whose state it is.
        var subject: String
        var allowed: [String]
        /// The value is a list of words, one of which must be there.
        var isList: Bool

        /// What is wrong with the value; nil: the file is not there.
        func finding(_ value: String?, node: NodeID) -> Finding? {
            let shown = value?.trimmingWhitespace() ?? Condition.absent
            let words = isList ? shown.split(separator: ",").map(String.init) : [shown]
            if words.contains(where: allowed.contains) { return nil }
            let expected = allowed.joined(separator: " or ")
            return Finding(
                "\(subject) is \(shown), expected \(expected)", node: node.description,
                fact: FindingFact(.expected, subject, ["is": shown, "expected": expected]))
        }
    }

    /// In the order of the subjects, attributes first.
    private func tests(_ expectation: NodeExpectation) -> [Test] {
        expectation.attributes.sorted(by: { $0.key < $1.key }).map {
            Test(path: Self.directory + $0.key, subject: $0.key, allowed: $0.value, isList: false)
        }
            + expectation.devices.sorted(by: { $0.key < $1.key }).map {
                Test(path: Self.directory + "dev-\($0.key)/state", subject: $0.key, allowed: [$0.value], isList: true)
            }
    }
}
