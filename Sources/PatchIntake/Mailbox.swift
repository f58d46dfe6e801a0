// SPDX-License-Identifier: GPL-2.0
import Foundation

/// Mails out of a file, by `git mailsplit` and `git mailinfo`: the parsers of `git am`, which know transfer encodings,
/// parts, character sets, scissors and From lines that were escaped.
enum Mailbox {
    /// - Parameter path: what the mails are said to come from.
    static func mails(in bytes: [UInt8], path: String) async throws(IntakeError) -> [Mail] {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let box = folder + "/box", split = folder + "/mails"
        do {
            try FileManager.default.createDirectory(atPath: split, withIntermediateDirectories: true)
            try Data(bytes).write(to: URL(filePath: box))
        } catch {
            throw .notWritable(path: folder, reason: (error as NSError).localizedDescription)
        }
        let said = try await GitTool.git(["mailsplit", "-b", "--mboxrd", "-o\(split)", "--", box], in: folder)
        guard said.succeeded else {
            throw .source(path: path, .notAMail(said: said.errors.trimmingCharacters(in: .newlines)))
        }
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: split)) ?? []).sorted()
        var mails: [Mail] = []
        for name in names {
            guard let data = FileManager.default.contents(atPath: "\(split)/\(name)") else { continue }
            mails.append(try await mail([UInt8](data), path: path, folder: folder))
        }
        return mails
    }

    private static func mail(_ bytes: [UInt8], path: String, folder: String) async throws(IntakeError) -> Mail {
        let said = try await GitTool.git(
            ["mailinfo", "-k", "--encoding=UTF-8", "--quoted-cr=strip", "message", "patch"], in: folder, input: bytes)
        let headers = MailHeaders(bytes)
        guard said.succeeded,
            let message = FileManager.default.contents(atPath: folder + "/message"),
            let diff = FileManager.default.contents(atPath: folder + "/patch")
        else { throw .source(path: path, .notAMail(said: said.errors.trimmingCharacters(in: .newlines))) }
        let info = MailHeaders(said.bytes)
        let hasDiff = DiffText.begins(in: diff)
        return Mail(
            origin: path, subject: SubjectLine(info["subject"] ?? headers["subject"] ?? ""),
            author: info["author"].map { name in info["email"].map { "\(name) <\($0)>" } ?? name }, date: info["date"],
            message: String(decoding: message, as: UTF8.self) + (hasDiff ? "" : String(decoding: diff, as: UTF8.self)),
            diff: hasDiff ? [UInt8](diff) : nil, isFlowed: headers.isFlowed)
    }

    private static func temporaryFolder() throws(IntakeError) -> String {
        let place = FileManager.default.temporaryDirectory.appending(path: "mdlab-mails-\(UUID().uuidString)")
        do { try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true) } catch {
            throw .notWritable(path: place.path, reason: (error as NSError).localizedDescription)
        }
        return place.path
    }
}
