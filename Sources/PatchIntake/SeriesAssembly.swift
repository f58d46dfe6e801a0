// SPDX-License-Identifier: GPL-2.0

/// A mail of a mailbox, decoded.
struct Mail: Equatable {
    var origin: String
    var subject: SubjectLine
    var author: String?
    var date: String?
    var message: String
    /// nil when the mail has no diff of its own.
    var diff: [UInt8]?
    var isFlowed = false

    /// Reviewed-by, Acked-by, Tested-by, Reported-by of a reply.
    var hasTrailers: Bool {
        message.split(separator: "\n").contains { line in
            guard let colon = line.firstIndex(of: ":") else { return false }
            return ["reviewed-by", "acked-by", "tested-by"].contains(line[..<colon].lowercased())
        }
    }
}

/// Finds the series that is meant among the mails of a mailbox. No I/O.
///
/// The newest version wins, as in b4; numbers give the order, and what has none keeps the order in which it came.
enum SeriesAssembly {
    static func series(of mails: [Mail], path: String) throws(IntakeError) -> IncomingSeries {
        var series = IncomingSeries()
        var candidates: [Mail] = []
        var replies = (count: 0, withTrailers: 0)
        var others: [SubjectLine] = []
        var covers: [SubjectLine] = []
        for mail in mails {
            if mail.subject.isReply {
                if mail.diff != nil, mail.subject.isPatch {
                    series.notes.append(.replyWithDiff(subject: mail.subject.title))
                } else {
                    replies.count += 1
                    if mail.hasTrailers { replies.withTrailers += 1 }
                }
            } else if mail.subject.isCover {
                covers.append(mail.subject)
            } else if mail.diff == nil {
                others.append(mail.subject)
            } else {
                candidates.append(mail)
            }
        }
        guard let newest = candidates.map(\.subject.version).max() else {
            if let cover = covers.first { throw .source(path: path, .coverOnly(subject: cover.title)) }
            if let reply = mails.first(where: \.subject.isReply) {
                throw .source(path: path, .reply(subject: reply.subject.title))
            }
            throw .source(path: path, .noDiff)
        }
        if replies.count > 0 { series.notes.append(.replies(replies.count, withTrailers: replies.withTrailers)) }
        series.notes += others.map { .otherMail(subject: $0.title) }
        series.version = newest
        series.cover = covers.last { $0.version == newest }?.title
        let current = try unrepeated(candidates.filter { $0.subject.version == newest }, notes: &series.notes)
        let older = Dictionary(grouping: candidates.filter { $0.subject.version < newest }, by: \.subject.version)
        series.notes += older.sorted { $0.key < $1.key }.map { .olderVersion($0.key, patches: $0.value.count) }
        let ordered = try inOrder(
            current, older: candidates.filter { $0.subject.version < newest }, mayBePart: mails.count == 1)
        series.notes += ordered.filter(\.isFlowed).map { .flowed(subject: $0.subject.title) }
        series.patches = ordered.map { mail in
            IncomingPatch(
                origin: mail.origin, subject: mail.subject, author: mail.author, date: mail.date, message: mail.message,
                diff: mail.diff ?? [])
        }
        return series
    }

    /// A mail that came over two lists is one patch.
    private static func unrepeated(_ mails: [Mail], notes: inout [IntakeNote]) throws(IntakeError) -> [Mail] {
        var kept: [Mail] = []
        for mail in mails {
            if kept.contains(where: { $0.subject == mail.subject && $0.diff == mail.diff }) {
                notes.append(.repeated(subject: mail.subject.title))
            } else if let number = mail.subject.number, let other = kept.first(where: { $0.subject.number == number }) {
                throw .severalSeries(other.subject.text, mail.subject.text)
            } else {
                kept.append(mail)
            }
        }
        return kept
    }

    /// By their numbers, all of which must be there; those without a number as they came.
    ///
    /// - Parameter mayBePart: one mail alone was given: who gives it means it, and is told that it is one of several.
    private static func inOrder(_ mails: [Mail], older: [Mail], mayBePart: Bool) throws(IntakeError) -> [Mail] {
        let numbered = mails.filter { $0.subject.number != nil }
        guard let first = numbered.first, let total = first.subject.total else { return mails }
        if let other = numbered.first(where: { $0.subject.total != total }) {
            throw .severalSeries(first.subject.text, other.subject.text)
        }
        if let loose = mails.first(where: { $0.subject.number == nil }) {
            throw .severalSeries(first.subject.text, loose.subject.text)
        }
        let there = Set(numbered.compactMap(\.subject.number))
        let missing = (1...total).filter { !there.contains($0) }
        guard missing.isEmpty || mayBePart else {
            let before = Set(older.filter { $0.subject.total == total }.compactMap(\.subject.number))
            throw .gap(
                missing: missing, total: total, version: first.subject.version,
                older: missing.filter(before.contains))
        }
        return numbered.sorted { ($0.subject.number ?? 0) < ($1.subject.number ?? 0) }
    }
}
