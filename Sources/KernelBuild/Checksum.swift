// SPDX-License-Identifier: GPL-2.0
import Foundation

/// SHA-256 by sha256sum(1): of files to verify them, of texts to make keys.
public enum Checksum {
    public static func of(text: String) async throws -> String {
        let said = try await Tool.sha256sum.run(["-"], input: text)
        return String(said.prefix(64))
    }

    /// Of bytes that are too many for a pipe: by way of a file that is gone afterwards.
    public static func of(bytes: Data) async throws -> String {
        let file = FileManager.default.temporaryDirectory.appending(
            path: "mdlab-\(getpid())-\(UInt64.random(in: 0...(.max)))")
        defer { try? FileManager.default.removeItem(at: file) }
        try bytes.write(to: file)
        return try await of(files: [file.path])[0]
    }

    /// The sums of the files, in their order.
    static func of(files: [String]) async throws -> [String] {
        guard !files.isEmpty else { return [] }
        // --zero: names are not escaped, whatever they contain.
        let said = try await Tool.sha256sum.run(["--zero", "--"] + files)
        return said.split(separator: "\0").map { String($0.prefix(64)) }
    }
}
