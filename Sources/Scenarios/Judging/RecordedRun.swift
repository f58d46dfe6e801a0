// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Conformance
import Foundation
import KernelTrace
import RunRecord

/// What a record says of the scenario that ran: enough to give its verdict again, years later and without the cluster.
public struct RecordedRun: Sendable {
    public let layout: RunLayout
    public let description: RunDescription
    public let events: [RunEvent]
    public let snapshots: [NodeSnapshot]
    public let instance: ScenarioInstance

    /// Where the scenario file is kept in a record.
    static func scenarioFile(_ layout: RunLayout) -> URL { layout.root.appending(path: "scenario.yaml") }

    /// Puts a copy of the scenario's file into a record, so that a later change of the file does not change an old verdict.
    public static func keep(scenario file: URL, in layout: RunLayout) throws(ScenarioError) {
        guard let text = try? String(contentsOf: file, encoding: .utf8) else {
            throw .unreadable(file.path, reason: "it is no text, or cannot be opened")
        }
        try keep(scenario: text, in: layout)
    }

    public static func keep(scenario text: String, in layout: RunLayout) throws(ScenarioError) {
        do {
            try FileManager.default.createDirectory(at: layout.root, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: scenarioFile(layout))
        } catch {
            throw .record(layout.root.path, reason: (error as NSError).localizedDescription)
        }
    }

    public init(_ layout: RunLayout) throws(ScenarioError) {
        self.layout = layout
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        guard let data = try? Data(contentsOf: layout.description) else {
            throw .record(layout.root.path, reason: "there is no run.json in it")
        }
        guard let description = try? decoder.decode(RunDescription.self, from: data) else {
            throw .record(layout.root.path, reason: "its run.json is damaged, or of another version")
        }
        guard description.format <= RunDescription.currentFormat else {
            throw .record(layout.root.path, reason: "its format \(description.format) is newer than this mdlab")
        }
        self.description = description
        events = Self.events(layout)
        snapshots = Self.snapshots(layout, nodes: description.nodes)
        instance = try Self.instance(layout, description)
    }

    /// A line that cannot be read is left out: the last one may have been cut by a kill.
    private static func events(_ layout: RunLayout) -> [RunEvent] {
        guard let data = try? Data(contentsOf: layout.events) else { return [] }
        let decoder = JSONDecoder()
        return data.split(separator: UInt8(ascii: "\n")).compactMap { try? decoder.decode(RunEvent.self, from: $0) }
    }

    private static func snapshots(_ layout: RunLayout, nodes: Int) -> [NodeSnapshot] {
        let decoder = JSONDecoder()
        return (1...max(1, min(nodes, 64))).flatMap { node in
            let folder = layout.node(NodeID(node)).snapshots
            let files =
                (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
            return files.filter { $0.pathExtension == "json" }.sorted { $0.lastPathComponent < $1.lastPathComponent }
                .compactMap { try? decoder.decode(NodeSnapshot.self, from: try Data(contentsOf: $0)) }
        }
    }

    private static func instance(_ layout: RunLayout, _ run: RunDescription) throws(ScenarioError) -> ScenarioInstance {
        let file = scenarioFile(layout)
        let bytes: [UInt8]
        do {
            bytes = [UInt8](try Data(contentsOf: file))
        } catch {
            throw .record(layout.root.path, reason: "there is no scenario.yaml in it")
        }
        let name = run.scenario.split(separator: "/").first.map(String.init) ?? run.scenario
        let scenario = try ScenarioReader.parse(bytes, name: name, file: "scenario.yaml", isSchedule: true)
        guard let instance = scenario.instances.first(where: { $0.name == run.scenario }) else {
            throw .record(layout.root.path, reason: "its scenario.yaml has no \(run.scenario)")
        }
        return instance
    }

    /// The whole verdict: the judge's checks, the scenario's own, and what had to fail.
    ///
    /// - Parameter rules: the folder of the rules for kernel logs (kernel-tests/rules).
    public func verdict(rules: URL) -> Verdict { verdict(of: evidence(rules: rules)) }

    /// The same from evidence that has been read already.
    public func verdict(of evidence: Evidence) -> Verdict {
        let expecting = Expectations(metadataUpdates: instance.scenario.expect.metadataUpdated)
        return complete(Judge.verdict(evidence, expecting: expecting))
    }

    /// What the judge works from. Reads the traces; a part that cannot be read is named, and the checks that need it are not decided.
    public func evidence(rules: URL) -> Evidence {
        var evidence = Evidence(description: description, events: events, snapshots: snapshots)
        do {
            evidence.rules = try LogRules.load(directory: rules)
        } catch {
            evidence.unreadable["the rules for kernel logs"] = "\(error)"
        }
        for node in instance.nodeIDs {
            do {
                evidence.traces[node] = try TraceReader(node: node, url: layout.node(node).trace).events()
            } catch {
                evidence.unreadable["\(node)/trace.dat"] = "\(error)"
            }
            // kmsg.log is the record; console.log has the last words of a node that died before it could send them.
            for file in [layout.node(node).kmsg, layout.node(node).console] {
                guard let bytes = try? Data(contentsOf: file) else { continue }
                evidence.logs[node, default: []].append(KernelLog(bytes: [UInt8](bytes)))
            }
        }
        return evidence
    }

    /// Adds the scenario's own check to what the judge found in the record, and gives the word.
    func complete(_ judged: Verdict) -> Verdict {
        ScenarioVerdict(instance: instance, description: description, events: events, snapshots: snapshots).complete(
            judged)
    }
}

extension Watchdog {
    /// Asks the judge whether two sets of snapshots show a wait that cannot end.
    static func judgedHang(_ first: [NodeSnapshot], _ second: [NodeSnapshot]) -> [String]? {
        var run = RunDescription(
            toolVersion: "", scenario: "", started: .distantPast, nodes: Set((first + second).map(\.node)).count,
            kernelRelease: "", start: .cold, accelerator: "")
        run.ending = .hung
        let verdict = Judge.verdict(Evidence(description: run, snapshots: first + second))
        guard let check = verdict.checks.first(where: { $0.name == HangCheck.name }), check.answer == .fails else {
            return nil
        }
        return check.findings.flatMap { [$0.text] + $0.details }
    }
}
