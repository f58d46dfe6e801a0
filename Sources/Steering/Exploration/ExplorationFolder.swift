// SPDX-License-Identifier: GPL-2.0
import Foundation
import RunRecord

/// An exploration on disk, so that it can be gone on with:
///
///     OUT/  exploration.json  saved/  results.ndjson  runs/0001/ ...
///
/// `saved` is the cluster an instant before the race, and `runs` has a record for everything that was reached.
public struct ExplorationFolder: Sendable {
    /// What is explored. Results of one exploration say nothing about another.
    public struct Subject: Codable, Sendable, Equatable {
        public var scenario: String
        public var kernelRelease: String
        public var source: String
        /// Build ids of the modules under test, in load order.
        public var modules: [String]
        /// The scenario's file.
        public var file: String
        /// Milliseconds of guest time for which a thread is delayed.
        public var limit: Int

        public init(
            scenario: String, kernelRelease: String, source: String, modules: [String], file: String, limit: Int
        ) {
            self.scenario = scenario
            self.kernelRelease = kernelRelease
            self.source = source
            self.modules = modules
            self.file = file
            self.limit = limit
        }
    }

    private struct Contents: Codable {
        var format = 1
        var subject: Subject
        /// nil until the first run has found them.
        var points: [HoldPoint]?
    }

    public let root: URL
    public let subject: Subject
    public private(set) var points: [HoldPoint]?

    /// Opens an exploration, or begins one. Throws `ExplorationError` when the folder has another one, or something
    /// else.
    public init(_ root: URL, subject: Subject) throws(ExplorationError) {
        self.root = root
        self.subject = subject
        let files = FileManager.default
        let file = root.appending(path: "exploration.json")
        if let data = try? Data(contentsOf: file) {
            guard let contents = try? JSONDecoder().decode(Contents.self, from: data), contents.format == 1 else {
                throw .unreadable(path: file.path)
            }
            guard contents.subject == subject else { throw .otherSubject(path: root.path, contents.subject) }
            points = contents.points
            return
        }
        if let names = try? files.contentsOfDirectory(atPath: root.path), !names.isEmpty {
            throw .notAnExploration(path: root.path)
        }
        do {
            try files.createDirectory(at: runs, withIntermediateDirectories: true)
        } catch {
            throw .unwritable(path: root.path, reason: (error as NSError).localizedDescription)
        }
        try write()
    }

    private func write() throws(ExplorationError) {
        let file = root.appending(path: "exploration.json")
        do {
            try RunDescription.encoder.encode(Contents(subject: subject, points: points)).write(
                to: file, options: .atomic)
        } catch {
            throw .unwritable(path: file.path, reason: (error as NSError).localizedDescription)
        }
    }

    public mutating func keep(_ points: [HoldPoint]) throws(ExplorationError) {
        self.points = points
        try write()
    }

    /// The saved cluster. It is there as a whole or not at all: see `draft`.
    public var saved: URL { root.appending(path: "saved") }
    /// Where it is made.
    public var draft: URL { root.appending(path: "saved.partial") }
    public var runs: URL { root.appending(path: "runs") }

    public func record(_ number: Int) -> RunLayout {
        let name = String(number)
        return RunLayout(root: runs.appending(path: String(repeating: "0", count: max(0, 4 - name.count)) + name))
    }

    private var resultsFile: URL { root.appending(path: "results.ndjson") }

    /// What is known so far. The last line may have been cut by a kill: that plan is tried again.
    public func results() throws(ExplorationError) -> [DelayResult] {
        guard let data = try? Data(contentsOf: resultsFile) else { return [] }
        var lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true)
        if data.last != UInt8(ascii: "\n") { lines = lines.dropLast() }
        var results: [DelayResult] = []
        for line in lines {
            guard let result = try? JSONDecoder().decode(DelayResult.self, from: line) else {
                throw .unreadable(path: resultsFile.path)
            }
            results.append(result)
        }
        return results
    }

    /// Leaves what an exploration that was killed had begun: half a line, and records without a result.
    public func tidy(_ results: [DelayResult]) throws(ExplorationError) {
        let files = FileManager.default
        do {
            if let data = try? Data(contentsOf: resultsFile), data.last != UInt8(ascii: "\n") {
                let whole = data.lastIndex(of: UInt8(ascii: "\n")).map { data.prefix(through: $0) } ?? Data()
                try whole.write(to: resultsFile, options: .atomic)
            }
            let kept = Set(results.compactMap(\.record))
            for name in try files.contentsOfDirectory(atPath: runs.path) where !kept.contains("runs/" + name) {
                try files.removeItem(at: runs.appending(path: name))
            }
            try? files.removeItem(at: draft)
        } catch {
            throw .unwritable(path: root.path, reason: (error as NSError).localizedDescription)
        }
    }

    public func append(_ result: DelayResult) throws(ExplorationError) {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            let line = try encoder.encode(result) + [UInt8(ascii: "\n")]
            if !FileManager.default.fileExists(atPath: resultsFile.path) { try Data().write(to: resultsFile) }
            let file = try FileHandle(forWritingTo: resultsFile)
            try file.seekToEnd()
            try file.write(contentsOf: line)
            try file.close()
        } catch {
            throw .unwritable(path: resultsFile.path, reason: (error as NSError).localizedDescription)
        }
    }
}

public enum ExplorationError: Error, Sendable, Equatable {
    /// The folder has the exploration of something else.
    case otherSubject(path: String, ExplorationFolder.Subject)
    /// There is something in the folder, and it is no exploration.
    case notAnExploration(path: String)
    case unreadable(path: String)
    case unwritable(path: String, reason: String)
    /// The cluster did not get to the instant before the race.
    case noRace(problem: String)
    /// The lab failed so many times in a row.
    case labFailed(times: Int, reason: String)
    /// A text that names no place to hold a thread at.
    case badHold(String)
}
