// SPDX-License-Identifier: GPL-2.0
import Foundation

extension Intake {
    /// The commits of a range, as `git format-patch` writes them: oldest first, renames written out, merges left out.
    func range(_ range: String) async throws(IntakeError) -> IncomingSeries {
        let place = try await GitTool.git(["rev-parse", "--absolute-git-dir"], in: tree)
        guard place.succeeded else { throw .range(range, .notARepository(path: tree)) }
        let folder = place.text.trimmingCharacters(in: .newlines)
        if let operation = Self.operation(under: folder) { throw .range(range, .busy(operation: operation)) }
        let merges = try await GitTool.git(
            ["rev-list", "--count", "--merges", "--end-of-options", range, "--"], in: tree)
        guard merges.succeeded else { throw .range(range, .unknownRevision(said: Self.firstLine(merges.errors))) }
        let said = try await GitTool.git(
            [
                "format-patch", "--stdout", "--no-renames", "--numbered", "--no-signature", "--end-of-options", range,
                "--",
            ],
            in: tree)
        guard said.succeeded else { throw .range(range, .unknownRevision(said: Self.firstLine(said.errors))) }
        guard said.bytes.contains(where: { $0 != UInt8(ascii: "\n") }) else { throw .range(range, .noCommits) }
        guard said.bytes.count <= Self.sizeLimit else { throw .source(path: range, .tooLarge(bytes: said.bytes.count)) }
        var series = try SeriesAssembly.series(of: try await Mailbox.mails(in: said.bytes, path: range), path: range)
        if let count = Int(merges.text.trimmingCharacters(in: .newlines)), count > 0 {
            series.notes.append(.merges(count))
        }
        return series
    }

    /// What git is in the middle of, by the files that it keeps meanwhile.
    private static func operation(under folder: String) -> String? {
        let marks = [
            ("rebase-merge", "rebase"), ("rebase-apply/applying", "am"), ("rebase-apply", "rebase"),
            ("MERGE_HEAD", "merge"),
            ("CHERRY_PICK_HEAD", "cherry-pick"), ("REVERT_HEAD", "revert"),
        ]
        return marks.first { FileManager.default.fileExists(atPath: "\(folder)/\($0.0)") }?.1
    }

    private static func firstLine(_ text: String) -> String {
        String(text.split(separator: "\n").first ?? "it said nothing")
    }
}
