// SPDX-License-Identifier: GPL-2.0
import Foundation
import RunRecord

/// verdict.json and results.ktap of a run folder.
public enum VerdictFile {
    public enum Failure: Error, Sendable, Equatable {
        /// There is no verdict in the folder.
        case missing(folder: String)
        case unreadable(path: String, reason: String)
        case unwritable(path: String, reason: String)
        /// Written by a newer tool.
        case format(path: String, format: Int, known: Int)
    }

    static let format = 1

    /// verdict.json
    public static func text(_ verdict: Verdict) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(verdict), as: UTF8.self) + "\n"
    }

    /// One of the runs of a report.
    public struct Run: Codable, Sendable, Equatable {
        public var folder: String
        public var name: String
        public var verdict: Verdict
        public init(folder: String, name: String, verdict: Verdict) {
            (self.folder, self.name, self.verdict) = (folder, name, verdict)
        }
    }

    /// Several verdicts as one JSON document: `{"format": 1, "runs": [{"folder", "name", "verdict"}]}`, however many
    /// there are.
    public static func text(_ runs: [Run]) throws -> String {
        struct Document: Encodable {
            var format: Int
            var runs: [Run]
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(Document(format: format, runs: runs)), as: UTF8.self) + "\n"
    }

    public static func write(_ verdict: Verdict, name: String, to layout: RunLayout) throws(Failure) {
        var ktap = KTAP()
        let text = KTAP.header(tests: 1) + ktap.test(verdict, name: name) + ktap.footer()
        var path = layout.verdict
        do {
            try Data(try self.text(verdict).utf8).write(to: path, options: .atomic)
            path = layout.ktap
            try Data(text.utf8).write(to: path, options: .atomic)
        } catch {
            throw .unwritable(path: path.path, reason: (error as NSError).localizedDescription)
        }
    }

    public static func read(_ layout: RunLayout) throws(Failure) -> Verdict {
        guard FileManager.default.fileExists(atPath: layout.verdict.path) else {
            throw .missing(folder: layout.root.path)
        }
        let verdict: Verdict
        do {
            verdict = try JSONDecoder().decode(Verdict.self, from: try Data(contentsOf: layout.verdict))
        } catch let error as DecodingError {
            throw .unreadable(path: layout.verdict.path, reason: describe(error))
        } catch {
            throw .unreadable(path: layout.verdict.path, reason: (error as NSError).localizedDescription)
        }
        guard verdict.format <= format else {
            throw .format(path: layout.verdict.path, format: verdict.format, known: format)
        }
        return verdict
    }

    private static func describe(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, _): "the key \(key.stringValue) is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "\(context.codingPath.map(\.stringValue).joined(separator: ".")) is of the wrong kind"
        case .dataCorrupted: "it is not JSON"
        @unknown default: "it is not a verdict"
        }
    }
}
