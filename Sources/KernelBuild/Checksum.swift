// SPDX-License-Identifier: GPL-2.0

/// SHA-256 by sha256sum(1): of files to verify them, of texts to make keys.
enum Checksum {
    static func of(text: String) async throws -> String {
        let said = try await Tool.sha256sum.run(["-"], input: text)
        return String(said.prefix(64))
    }

    /// The sums of the files, in their order.
    static func of(files: [String]) async throws -> [String] {
        guard !files.isEmpty else { return [] }
        // --zero: names are not escaped, whatever they contain.
        let said = try await Tool.sha256sum.run(["--zero", "--"] + files)
        return said.split(separator: "\0").map { String($0.prefix(64)) }
    }
}
