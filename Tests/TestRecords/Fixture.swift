// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import RunRecord

/// Recorded parts of real runs, see Tests/Fixtures/README.md.
public enum Fixture {
    public static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures")

    public static func text(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: root.appending(path: path)), as: UTF8.self)
    }

    /// The trace.dat of a node of a recorded run, made of its parts.
    public static func trace(_ node: NodeID, in folder: URL) throws -> URL {
        let url = folder.appending(path: "\(node).dat")
        try TraceDatContents.load(from: root.appending(path: "trace/fail-device/\(node)")).write(to: url)
        return url
    }
}

/// A folder that vanishes with the test.
public final class TemporaryFolder {
    public let url: URL
    public init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "mdlab-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(at: url) }
}
