// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import RunRecord
import Synchronization

/// Writes a record while the run goes on. Every file is appended to as things happen, so that what was seen before a
/// crash of the kernel, of a node or of mdlab is in the record.
public final class RunRecorder: Sendable {
    public let layout: RunLayout
    private let started = ContinuousClock.now
    private struct State {
        var description: RunDescription
        var files: [URL: FileHandle] = [:]
        var snapshots = 0
    }
    private let state: Mutex<State>
    private let progress: @Sendable (RunEvent) -> Void

    /// Makes the folder and writes run.json. `progress` hears every event, for a terminal.
    public init(layout: RunLayout, description: RunDescription, progress: @escaping @Sendable (RunEvent) -> Void) throws
    {
        self.layout = layout
        self.progress = progress
        state = Mutex(State(description: description))
        for node in 1...max(1, description.nodes) {
            try FileManager.default.createDirectory(
                at: layout.node(NodeID(node)).snapshots, withIntermediateDirectories: true)
        }
        update { _ in }
    }

    /// Seconds since the run started.
    public var time: Double {
        let parts = (ContinuousClock.now - started).components
        return Double(parts.seconds) + Double(parts.attoseconds) / 1e18
    }

    /// Changes run.json.
    public func update(_ change: (inout RunDescription) -> Void) {
        state.withLock { state in
            change(&state.description)
            try? RunDescription.encoder.encode(state.description).write(to: layout.description, options: .atomic)
        }
    }

    /// Says in run.json how the run ended.
    public func close(_ ending: RunDescription.Ending) {
        update { description in
            description.ending = ending
            description.ended = Date()
        }
    }

    public var description: RunDescription { state.withLock { $0.description } }

    public func note(_ kind: RunEvent.Kind, node: NodeID? = nil, _ text: String, _ facts: [String: String] = [:]) {
        let event = RunEvent(time: time, kind: kind, node: node?.description, text: text, facts: facts)
        var line = (try? RunDescription.lineEncoder.encode(event)) ?? Data()
        line.append(UInt8(ascii: "\n"))
        append(line, to: layout.events)
        progress(event)
    }

    func append(_ data: Data, to url: URL) {
        state.withLock { state in
            if state.files[url] == nil {
                if !FileManager.default.fileExists(atPath: url.path) { try? Data().write(to: url) }
                state.files[url] = try? FileHandle(forWritingTo: url)
                _ = try? state.files[url]?.seekToEnd()
                if url == layout.events, let file = state.files[url] { Self.claim(file.fileDescriptor) }
            }
            try? state.files[url]?.write(contentsOf: data)
        }
    }

    /// Says to readers that somebody still writes here. The kernel takes it back when this process ends; what this
    /// process starts must not keep it.
    private static func claim(_ file: Int32) {
        _ = fcntl(file, F_SETFD, FD_CLOEXEC)
        flock(file, LOCK_EX | LOCK_NB)
    }

    /// Writes snapshots of one moment under one number: "03-final.json" on each node.
    func write(_ snapshots: [NodeSnapshot]) throws {
        let number = state.withLock { state in
            state.snapshots += 1
            return state.snapshots
        }
        for snapshot in snapshots {
            let name = String(format: "%02d-%@.json", number, snapshot.label)
            try RunDescription.encoder.encode(snapshot).write(
                to: layout.node(snapshot.node).snapshots.appending(path: name))
        }
    }
}

extension RunDescription {
    /// Sorted and indented: records are read by people and compared by diff.
    public static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        return encoder
    }

    static var lineEncoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}
