// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Foundation
import PatchIntake

/// `mdlab intake`: which patches a mail, a mailbox, a folder or a range of commits holds, and in which order.
struct IntakeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "intake",
        abstract: "Show the patches of mails, mailboxes, folders or commits, and write them as files for --patch.")

    @Argument(
        help: ArgumentHelp(
            "Mails, mailboxes (.gz too), folders of git format-patch or quilt, diffs, or ranges of commits (A..B).",
            valueName: "source"))
    var sources: [String]

    @Option(help: ArgumentHelp("The git tree whose commits a range means.", valueName: "tree"))
    var linux: String?

    @Option(help: ArgumentHelp("Write one file a patch into this folder.", valueName: "folder"))
    var write: String?

    func validate() throws {
        if sources.isEmpty { throw ValidationError("name a mail, a mailbox, a folder, a diff or a range of commits.") }
    }

    func run() async throws {
        let tree = linux.map { URL(filePath: $0).standardizedFileURL.path }
        let series = try await (tree.map { Intake(tree: $0) } ?? Intake()).series(sources)
        print(IntakeText.text(series), terminator: "")
        if let write { try series.write(to: write).forEach { print("wrote    \($0)") } }
    }
}
