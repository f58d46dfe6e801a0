// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import RunRecord

@testable import KernelTrace

/// Recorded parts of real runs, see Tests/Fixtures/README.md.
enum Fixture {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures")

    static func text(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: root.appending(path: path)), as: UTF8.self)
    }

    /// The trace.dat of a node of a recorded run, made of its parts.
    static func trace(_ node: NodeID, in folder: URL) throws -> URL {
        let url = folder.appending(path: "\(node).dat")
        try TraceDatContents.load(from: root.appending(path: "trace/fail-device/\(node)")).write(to: url)
        return url
    }
}

/// A folder that vanishes with the test.
final class TemporaryFolder {
    let url: URL
    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "mdlab-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(at: url) }
}

/// The same numbers on every machine: a failure of a damaged file can be looked at again.
struct Xorshift: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }
    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
