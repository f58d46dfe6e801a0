// SPDX-License-Identifier: GPL-2.0
import Foundation

/// One patch as its author sent it, whatever it came in: a mail, a file of `git format-patch`, a commit, a plain diff.
public struct IncomingPatch: Sendable, Equatable {
    /// The file, mailbox or range it was found in, as it was given.
    public var origin: String
    public var subject: SubjectLine
    /// "Name <address>"; nil for a plain diff.
    public var author: String?
    /// As the mail says it.
    public var date: String?
    /// The commit message; empty for a plain diff.
    public var message: String
    /// From the first line of the diff on: decoded, with the line ends of the kernel. It may begin with a diffstat.
    public var diff: [UInt8]

    /// As `git am` takes it, so that every later step reads one form.
    public var mail: [UInt8] {
        var head = ""
        if let author { head += "From: \(author)\n" }
        if let date { head += "Date: \(date)\n" }
        head += "Subject: \(subject.text)\n\n"
        if !message.isEmpty { head += message + (message.hasSuffix("\n") ? "" : "\n") }
        // What ends a commit message, where the diff does not begin with it.
        if !diff.starts(with: "---\n".utf8) { head += "---\n" }
        return [UInt8](head.utf8) + diff
    }

    /// A diff without author and message, as `diff` and `git diff` print it.
    public var isPlainDiff: Bool { author == nil && message.isEmpty }

    /// "0002-md-cluster-wait-for-ack.patch", as `git format-patch` would name the patch at this place of its series.
    public func fileName(at place: Int) -> String {
        let letters = subject.title.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == ".") ? $0 : "-" }
        let words = String(letters).split(separator: "-").joined(separator: "-")
        return String(format: "%04d-", place) + words.prefix(52) + ".patch"
    }

    /// The paths that its diff names, without a first folder `a/` or `b/`; /dev/null left out.
    public var paths: [String] {
        var paths: [String] = []
        for line in diff.split(separator: UInt8(ascii: "\n"))
        where line.starts(with: "+++ ".utf8) || line.starts(with: "--- ".utf8) {
            let path = String(decoding: line.dropFirst(4), as: UTF8.self).prefix { $0 != "\t" && $0 != " " }
            guard path != "/dev/null", path.contains("/") else { continue }
            let plain = path.hasPrefix("a/") || path.hasPrefix("b/") ? String(path.dropFirst(2)) : String(path)
            if !paths.contains(plain) { paths.append(plain) }
        }
        return paths
    }
}

/// The patches that are meant, in the order in which they are applied, and what was left out on the way to them.
public struct IncomingSeries: Sendable, Equatable {
    public var patches: [IncomingPatch] = []
    /// The version that was taken; 1 where no subject says one.
    public var version = 1
    /// The subject of the cover letter.
    public var cover: String?
    public var notes: [IntakeNote] = []

    /// Writes the patches into a folder, which is made if it is not there.
    ///
    /// - Returns: the paths, in order.
    public func write(to folder: String) throws(IntakeError) -> [String] {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            return try patches.enumerated().map { place, patch in
                let path = "\(folder)/\(patch.fileName(at: place + 1))"
                try Data(patch.mail).write(to: URL(filePath: path))
                return path
            }
        } catch {
            throw .notWritable(path: folder, reason: (error as NSError).localizedDescription)
        }
    }
}

/// What was seen and is no part of the series: said, since it may have been meant.
public enum IntakeNote: Sendable, Equatable {
    /// Mails without a diff of their own; how many of them carry trailers as Reviewed-by.
    case replies(Int, withTrailers: Int)
    /// A reply with a diff of its own: an idea, not a patch of the series.
    case replyWithDiff(subject: String)
    /// A mail that is neither patch, cover letter nor reply.
    case otherMail(subject: String)
    /// Patches of an older version of the series.
    case olderVersion(Int, patches: Int)
    /// The same patch more than once.
    case repeated(subject: String)
    /// `format=flowed`: a mailer may have joined or wrapped the lines of the diff.
    case flowed(subject: String)
    /// Only these numbers of a series were given.
    case partOfASeries([Int], total: Int)
    /// Commits of a range that are merges: `git format-patch` has no patch of them.
    case merges(Int)
}
