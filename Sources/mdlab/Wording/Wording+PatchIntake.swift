// SPDX-License-Identifier: GPL-2.0
import PatchIntake

/// A series as `mdlab intake` prints it.
enum IntakeText {
    static func text(_ series: IncomingSeries) -> String {
        var lines: [String] = []
        if let cover = series.cover { lines.append("cover    \(cover)") }
        if series.version > 1 { lines.append("version  v\(series.version)") }
        for (place, patch) in series.patches.enumerated() {
            lines.append("\(place + 1)/\(series.patches.count)".padded(to: 9) + patch.subject.title)
            let author = patch.author.map { "  \($0)" } ?? ""
            lines.append("         " + patch.paths.joined(separator: " ") + author)
        }
        lines += notes(series).map { "note     " + $0 }
        return lines.map { $0 + "\n" }.joined()
    }

    /// What was seen and is no part of the series.
    static func notes(_ series: IncomingSeries) -> [String] { series.notes.map(line) }

    private static func line(_ note: IntakeNote) -> String {
        switch note {
        case .replies(let count, let trailers):
            "\(count) \(count == 1 ? "reply" : "replies") left out, \(trailers) with trailers such as Reviewed-by"
        case .replyWithDiff(let subject): "left out: a reply to \"\(subject)\" with a diff of its own"
        case .otherMail(let subject): "left out: \"\(subject)\", which has no diff"
        case .olderVersion(let version, let patches):
            "left out: \(patches) \(patches == 1 ? "patch" : "patches") of v\(version)"
        case .repeated(let subject): "\"\(subject)\" came more than once"
        case .flowed(let subject):
            "\"\(subject)\" is format=flowed: if a hunk does not apply, a mailer may have wrapped its lines"
        case .partOfASeries(let numbers, let total):
            "a series of \(total), of which only \(numbers.map { "\($0)/\(total)" }.joined(separator: ", ")) was given"
        case .merges(let count): "\(count) \(count == 1 ? "merge" : "merges") of the range left out: they have no patch"
        }
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}

extension IntakeError: Worded {
    var exitCode: Int32 {
        switch self {
        case .toolFailed: Exit.untestable
        default: Exit.usage
        }
    }

    var line: String {
        switch self {
        case .source(let path, let fault): "\(path): " + Self.words(fault)
        case .range(let range, let fault): "\(range): " + Self.words(fault)
        case .gap(let missing, let total, let version, let older):
            "of the \(total) patches of v\(version) there is no \(Self.places(missing, total))"
                + (older.isEmpty
                    ? "" : " (an older version has \(Self.places(older, total)))")
                + ": give a mailbox with the whole series, or the patches one by one."
        case .severalSeries(let one, let other):
            "\"\(one)\" and \"\(other)\" are of different series: give the files of one of them."
        case .notWritable(let path, let reason):
            "\(path) cannot be written (\(reason)): make room, or choose another folder."
        case .missingTool(let name, let package):
            "\(name) is not installed: run scripts/bootstrap, or apt-get install \(package)."
        case .toolFailed(let command, let said):
            "\(command) failed (\(Self.oneLine(said))): try it by hand on the same file."
        }
    }

    private static func words(_ fault: SourceFault) -> String {
        switch fault {
        case .unreadable(let reason): "\(reason): give the path of a patch, a mailbox or a folder, or a range A..B."
        case .empty: "there is nothing in it: save the mail again."
        case .tooLarge(let bytes):
            "\(bytes >> 20) MiB are more than any thread has: give the mails of the series alone."
        case .binary: "this is no text: give a mail, a mailbox or a diff."
        case .noDiff: "there is no diff in it: give the mail that has the patch."
        case .reply(let subject): "this is a reply to \"\(oneLine(subject))\": give the patch itself."
        case .coverOnly(let subject): "this is the cover letter \"\(oneLine(subject))\": give the patches."
        case .emptyFolder: "the folder has no *.patch and no quilt series: give the folder that git format-patch wrote."
        case .seriesNames(let name):
            "the quilt series names \(name), which is not there: run quilt there, or mend the series file."
        case .notAMail(let said): "git cannot read it as a mail (\(oneLine(said))): save it as plain text or mbox."
        }
    }

    private static func words(_ fault: RangeFault) -> String {
        switch fault {
        case .notARepository(let path): "\(path) is no git tree: name the kernel tree with --linux."
        case .unknownRevision(let said): "git does not know it (\(oneLine(said))): name two commits of the tree."
        case .busy(let operation): "the tree is in the middle of a \(operation): finish or abort it first."
        case .noCommits: "there is no commit in it: the older commit stands first."
        }
    }

    private static func places(_ numbers: [Int], _ total: Int) -> String {
        numbers.map { "\($0)/\(total)" }.joined(separator: ", ")
    }

    private static func oneLine(_ text: String) -> String {
        String(text.split(whereSeparator: \.isNewline).joined(separator: " ").prefix(200))
    }
}
