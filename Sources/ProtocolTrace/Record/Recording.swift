// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import KernelTrace
import RunRecord

/// A run record, read: the folder that a run left behind, as values.
///
///     let recording = try Recording.open(URL(filePath: "runs/fail-device"))
///     for node in recording.nodes { print(node.id, node.trace?.count ?? 0) }
///
/// A record is complete when a run went well, and needed most when it did not: a part that is missing or damaged is a
/// fact in `missing`, and the rest is read. Only a folder that is no record at all, or one that this version would
/// misread, is an error.
public struct Recording: Sendable, Equatable {
    public struct Node: Sendable, Equatable {
        public var id: NodeID
        /// nil when there is no trace that can be read: `missing` says why.
        public var trace: [KernelEvent]?
        /// Functions that had a probe, "NAME__ret" for one at the return; empty without a trace.
        public var probes: Set<String> = []
        /// kmsg.log and console.log; nil when there is none. The console has the last words of a node that died.
        public var kmsg: KernelLog?
        public var console: KernelLog?
        /// In the order in which they were taken.
        public var snapshots: [NodeSnapshot] = []

        public init(id: NodeID, trace: [KernelEvent]? = nil, kmsg: KernelLog? = nil, snapshots: [NodeSnapshot] = []) {
            (self.id, self.trace, self.kmsg, self.snapshots) = (id, trace, kmsg, snapshots)
        }
    }

    public var layout: RunLayout
    public var description: RunDescription
    public var events: [RunEvent] = []
    /// One for each node that run.json names, in their order.
    public var nodes: [Node] = []
    /// scenario.yaml as it was when the run began; nil when there is none.
    public var scenario: [UInt8]?
    /// The rules for kernel logs that were in force; nil in a record that has none (format 1).
    public var rules: LogRules?
    /// What is not there, or cannot be read.
    public var missing: [MissingPart] = []

    public init(layout: RunLayout, description: RunDescription) {
        (self.layout, self.description) = (layout, description)
    }

    /// Opens a run folder. A trace of which only the parts are there (the run was killed) is put together first. No
    /// other code reads a record, so that all commands have one answer, in whatever order they come.
    public static func open(_ root: URL) throws(RecordingError) -> Recording {
        let layout = RunLayout(root: root)
        var recording = Recording(layout: layout, description: try RunFile.description(layout.description))
        recording.readEvents()
        if FileManager.default.fileExists(atPath: layout.scenario.path) {
            recording.scenario = recording.read(layout.scenario, as: "scenario.yaml")
        }
        if FileManager.default.fileExists(atPath: layout.rules.path) {
            do throws(LogRulesError) { recording.rules = try LogRules.load(directory: layout.rules) } catch {
                recording.missing.append(MissingPart(path: "rules", why: .rules(error)))
            }
        }
        for number in 1...max(1, recording.description.nodes) { recording.read(NodeID(number)) }
        recording.identifyThreads()
        return recording
    }

    /// Finds out who the threads are whose names the traces lack. For whoever has changed `nodes`; cost: a pass over
    /// the events of nodes that have such threads.
    public mutating func identifyThreads() {
        let name = "recv_daemon"
        // One plan for all nodes: what one of them shows, the others would have shown.
        let isShown = nodes.contains { node in
            node.probes.contains(name)
                || node.trace?.contains { if case .entry(name, _) = $0.body { true } else { false } } ?? false
        }
        for place in nodes.indices {
            guard var events = nodes[place].trace else { continue }
            // One owner of the array, so that it is changed in place.
            nodes[place].trace = nil
            ThreadIdentities(events, showsReceiveThread: isShown).apply(to: &events)
            nodes[place].trace = events
        }
    }

    private mutating func readEvents() {
        guard let bytes = read(layout.events, as: "events.ndjson") else { return }
        let decoder = JSONDecoder()
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n")).enumerated() {
            if let event = try? decoder.decode(RunEvent.self, from: Data(line)) {
                events.append(event)
            } else {
                missing.append(MissingPart(path: "events.ndjson", why: .notUnderstood(line: index + 1)))
            }
        }
    }

    private mutating func read(_ id: NodeID) {
        let files = layout.node(id)
        var node = Node(id: id)
        guard FileManager.default.fileExists(atPath: files.root.path) else {
            missing.append(MissingPart(path: "\(id)", why: .absent))
            nodes.append(node)
            return
        }
        if let (events, probes) = trace(of: id, files) { (node.trace, node.probes) = (events, probes) }
        node.kmsg = read(files.kmsg, as: "\(id)/kmsg.log").map { KernelLog(bytes: $0) }
        node.console = read(files.console, as: "\(id)/console.log").map { KernelLog(bytes: $0) }
        node.snapshots = snapshots(of: id, files)
        nodes.append(node)
    }

    private mutating func trace(of id: NodeID, _ files: NodeLayout) -> (events: [KernelEvent], probes: Set<String>)? {
        let path = "\(id)/trace.dat"
        if isStillWritten {
            missing.append(MissingPart(path: path, why: .stillWritten))
            return nil
        }
        do throws(TraceDatError) { try TraceDatContents.completeTrace(in: files) } catch {
            missing.append(MissingPart(path: path, why: .incomplete(error)))
            return nil
        }
        guard FileManager.default.fileExists(atPath: files.trace.path) else {
            missing.append(MissingPart(path: path, why: .absent))
            return nil
        }
        do throws(TraceError) { return try TraceReader(node: id, url: files.trace).eventsAndProbes() } catch {
            missing.append(MissingPart(path: path, why: .trace(error)))
            return nil
        }
    }

    /// Whether the mdlab that makes the record still runs: it holds a lock on events.ndjson. Whoever put the parts of
    /// the trace together now would take their end from the run.
    private var isStillWritten: Bool {
        guard description.ending == .running, let file = try? FileHandle(forReadingFrom: layout.events) else {
            return false
        }
        // Closing the file gives the lock back.
        return flock(file.fileDescriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    private mutating func snapshots(of id: NodeID, _ files: NodeLayout) -> [NodeSnapshot] {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: files.snapshots.path)) ?? [])
            .filter { $0.hasSuffix(".json") }.sorted()
        if names.isEmpty { missing.append(MissingPart(path: "\(id)/snapshots", why: .absent)) }
        let decoder = JSONDecoder()
        return names.compactMap { name in
            let path = "\(id)/snapshots/\(name)"
            guard let bytes = read(files.snapshots.appending(path: name), as: path) else { return nil }
            if let snapshot = try? decoder.decode(NodeSnapshot.self, from: Data(bytes)) { return snapshot }
            missing.append(MissingPart(path: path, why: .notUnderstood(line: nil)))
            return nil
        }
    }

    private mutating func read(_ url: URL, as path: String) -> [UInt8]? {
        do throws(FileReadError) { return try FileBytes.read(url) } catch {
            missing.append(MissingPart(path: path, why: error.isMissing ? .absent : .unreadable(error.reason)))
            return nil
        }
    }
}
