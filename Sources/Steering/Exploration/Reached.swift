// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Conformance
import KernelTrace
import RunRecord

/// What a run reached, said so that two runs that did the same in the protocol are equal: who sent which messages in
/// which order, by which path they were received, and how it ended.
public struct Reached: Sendable, Hashable, Codable {
    public var word: String
    /// The checks that failed, and how: for a hang the functions in which the threads wait, without times and numbers.
    public var failures: [String]
    /// For each node "md0_raid1 METADATA_UPDATED, md0_resync RESYNCING, ...".
    public var messages: [String]

    init(word: String, failures: [String], messages: [String]) {
        (self.word, self.failures, self.messages) = (word, failures, messages)
    }

    public init(_ verdict: Verdict, _ evidence: Evidence) {
        word = verdict.word.rawValue
        failures = verdict.checks.filter { $0.answer == .fails }.flatMap { check -> [String] in
            let places = check.name == HangCheck.name ? Self.places(of: evidence) : []
            return places.isEmpty ? [check.name] : places.map { "\(check.name): \($0)" }.sorted()
        }
        messages = evidence.traces.sorted { $0.key < $1.key }.map { node, events in
            Self.messages(events, paths: verdict.metadataUpdates.filter { $0.receiver == node.description })
        }
    }

    /// "node1 md0_raid1: dlm_lock_sync <- metadata_update_start <- md_update_sb": who stands where in a hang.
    private static func places(of evidence: Evidence) -> [String] {
        HangCheck.hangs(in: evidence.snapshots).flatMap { hang in
            zip(hang.edges, hang.stacks).map { edge, stack in
                "\(edge.from.node) \(edge.from.comm): \(stack.joined(separator: " <- "))"
            }
        }
    }

    private static func messages(_ events: [KernelEvent], paths: [MetadataUpdate]) -> String {
        var words: [String] = []
        for event in events {
            guard case .entry("__sendmsg", let arguments) = event.body else { continue }
            let type = MessageType(rawValue: UInt32(truncatingIfNeeded: arguments["type"] ?? -1))
            let word = "\(event.comm) \(type)"
            // How often a superblock is written again is chance.
            if words.last != word { words.append(word) }
        }
        let taken = Set(paths.map { "by " + $0.path.rawValue }).sorted()
        return (words + taken).joined(separator: ", ")
    }
}
