// SPDX-License-Identifier: GPL-2.0
import Foundation
import KernelTrace
import RunRecord

/// Why a folder cannot be opened as a record.
public enum RecordingError: Error, Sendable, Equatable {
    /// There is no run.json.
    case notARecord(path: String)
    case unreadable(path: String, reason: String)
    /// run.json is not one of mdlab's.
    case foreign(path: String)
    /// Written by a newer mdlab: reading it could mean misreading it.
    case newerFormat(path: String, format: Int, supported: Int)
}

/// A part of a record that is not there, or cannot be read.
public struct MissingPart: Sendable, Equatable {
    public enum Why: Sendable, Equatable {
        case absent
        case unreadable(String)
        /// The JSON of a file, or of one line of it, is cut or damaged.
        case notUnderstood(line: Int?)
        /// The parts of the trace are there and could not be put together.
        case incomplete(TraceDatError)
        /// The run still goes on: its trace is not put together before it ends.
        case stillWritten
        case trace(TraceError)
        case rules(LogRulesError)
    }
    /// Inside the record: "node1/trace.dat".
    public var path: String
    public var why: Why
    public init(path: String, why: Why) { (self.path, self.why) = (path, why) }
}

enum RunFile {
    private struct Head: Decodable {
        var format: Int
        var toolVersion: String
    }

    /// run.json, refused before it is misread.
    static func description(_ url: URL) throws(RecordingError) -> RunDescription {
        let bytes: [UInt8]
        do throws(FileReadError) { bytes = try FileBytes.read(url) } catch {
            if error.isMissing { throw .notARecord(path: url.deletingLastPathComponent().path) }
            throw .unreadable(path: url.path, reason: error.reason)
        }
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        guard let head = try? decoder.decode(Head.self, from: Data(bytes)) else { throw .foreign(path: url.path) }
        guard head.format <= RunDescription.currentFormat else {
            throw .newerFormat(path: url.path, format: head.format, supported: RunDescription.currentFormat)
        }
        guard let description = try? decoder.decode(RunDescription.self, from: Data(bytes)),
            (1...64).contains(description.nodes)
        else { throw .foreign(path: url.path) }
        return description
    }
}
