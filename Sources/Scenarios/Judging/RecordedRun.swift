// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Conformance
import Foundation
import KernelTrace
import ProtocolTrace
import RunRecord

/// What a record says of the scenario that ran: enough to give its verdict again, years later and without the cluster.
public struct RecordedRun: Sendable {
    public let recording: Recording
    /// nil where no scenario ran: a cluster by hand (`mdlab vm`).
    public let instance: ScenarioInstance?

    public var layout: RunLayout { recording.layout }
    public var description: RunDescription { recording.description }
    public var events: [RunEvent] { recording.events }
    public var snapshots: [NodeSnapshot] { recording.nodes.flatMap(\.snapshots) }
    /// The scenario's name, with raid level and number of nodes where they are not the usual ones.
    public var name: String { instance?.name ?? description.scenario }

    /// Puts a copy of the scenario's file into a record.
    public static func keep(scenario file: URL, in layout: RunLayout) throws(ScenarioError) {
        guard let text = try? String(contentsOf: file, encoding: .utf8) else {
            throw .unreadable(file.path, reason: "it is no text, or cannot be opened")
        }
        try keep(scenario: text, in: layout)
    }

    public static func keep(scenario text: String, in layout: RunLayout) throws(ScenarioError) {
        do {
            try FileManager.default.createDirectory(at: layout.root, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: layout.scenario)
        } catch {
            throw .record(layout.root.path, reason: (error as NSError).localizedDescription)
        }
    }

    /// Opens the record and reads its scenario.
    ///
    /// - Throws: `RecordingError` for a folder that is no record, `ScenarioError` for one whose scenario cannot be
    ///   read.
    public init(_ layout: RunLayout) throws { try self.init(Recording.open(layout.root)) }

    public init(_ recording: Recording) throws(ScenarioError) {
        self.recording = recording
        let (run, path) = (recording.description, recording.layout.root.path)
        guard let bytes = recording.scenario else {
            guard run.scenario == RunDescription.byHand else {
                throw .record(path, reason: "there is no scenario.yaml in it")
            }
            instance = nil
            return
        }
        let name = run.scenario.split(separator: "/").first.map(String.init) ?? run.scenario
        let scenario = try ScenarioReader.parse(bytes, name: name, file: "scenario.yaml", isSchedule: true)
        guard let instance = scenario.instances.first(where: { $0.name == run.scenario }) else {
            throw .record(path, reason: "its scenario.yaml has no \(run.scenario)")
        }
        self.instance = instance
    }

    /// The whole verdict: the judge's checks, the scenario's own, and what had to fail.
    ///
    /// - Parameters:
    ///   - rules: the folder of the rules for kernel logs (kernel-tests/rules), for a record that has none of its own.
    ///   - current: take these even where the record has its own.
    public func verdict(rules: URL, current: Bool = false) -> Verdict {
        verdict(of: evidence(rules: rules, current: current))
    }

    /// The same from evidence that has been read already.
    public func verdict(of evidence: Evidence) -> Verdict {
        let expecting = Expectations(metadataUpdates: instance?.scenario.expect.metadataUpdated ?? 0)
        return complete(Judge.verdict(evidence, expecting: expecting))
    }

    /// What the judge works from. A part that could not be read is named, and the checks that need it are not decided.
    public func evidence(rules: URL, current: Bool = false) -> Evidence {
        if let own = recording.rules, !current { return Evidence(recording, rules: own) }
        var evidence = Evidence(recording, rules: nil)
        do {
            evidence.rules = try LogRules.load(directory: rules)
            evidence.rulesAreNewer = recording.rules != evidence.rules
        } catch {
            evidence.unreadable["the rules for kernel logs"] = "\(error)"
        }
        return evidence
    }

    /// Adds the scenario's own check to what the judge found in the record, and gives the word.
    func complete(_ judged: Verdict) -> Verdict {
        guard let instance else { return judged }
        return ScenarioVerdict(
            instance: instance, description: description, events: events, snapshots: snapshots, recording: recording
        ).complete(judged)
    }
}

extension Watchdog {
    /// Asks the judge whether two sets of snapshots show a wait that cannot end.
    static func judgedHang(_ first: [NodeSnapshot], _ second: [NodeSnapshot]) -> [String]? {
        HangCheck.hang(in: first, then: second)
    }
}
