// SPDX-License-Identifier: GPL-2.0

/// A patch as its template reads it.
struct PatchView {
    struct Line {
        /// "added ran", for the style.
        var classes: String
        var old: String
        var new: String
        var sign: String
        /// What the mark in front says to a reader, and to a screen reader.
        var mark: String?
        var markName: String?
        var code: String
        var findings: [ReportPatch.Finding]
    }
    struct Hunk {
        var heading: String
        var note: String?
        var lines: [Line]
    }
    struct File {
        var path: String
        var counts: String
        var hunks: [Hunk]
    }

    var subject: String?
    var author: String?
    var summary: String
    var isMeasured: Bool
    var files: [File]

    init(_ patch: ReportPatch) {
        (subject, author) = (patch.subject, patch.author)
        let lines = patch.files.flatMap(\.hunks).flatMap(\.lines)
        let changed = lines.filter { $0.kind != .context }
        let ran = changed.count { $0.execution == .executed }
        let never = changed.count { $0.execution == .unexecuted }
        isMeasured = ran + never > 0
        let findings = lines.reduce(0) { $0 + $1.findings.count }
        var parts = [
            "\(changed.count { $0.kind == .added }) lines added, \(changed.count { $0.kind == .removed }) removed"
        ]
        parts.append(
            isMeasured
                ? "\(ran) of \(ran + never) changed lines with code ran"
                : "which lines ran was not measured")
        if findings > 0 { parts.append("\(findings) findings at its lines") }
        summary = parts.joined(separator: "; ")
        files = patch.files.map { file in
            let added = file.hunks.flatMap(\.lines).count { $0.kind == .added }
            let removed = file.hunks.flatMap(\.lines).count { $0.kind == .removed }
            return File(
                path: file.path, counts: "+\(added) -\(removed)",
                hunks: file.hunks.map {
                    Hunk(heading: $0.heading, note: $0.note, lines: $0.lines.map(Self.line))
                })
        }
    }

    private static func line(_ line: ReportPatch.Line) -> Line {
        let (mark, name): (String?, String?) =
            switch line.execution {
            case .executed: ("\u{2713}", "ran")
            case .unexecuted: ("\u{2717}", "never ran")
            case .unknown: (nil, nil)
            }
        let state =
            switch line.execution {
            case .executed: " ran"
            case .unexecuted: " never"
            case .unknown: ""
            }
        let sign =
            switch line.kind {
            case .context: " "
            case .added: "+"
            case .removed: "-"
            }
        return Line(
            classes: line.kind.rawValue + state, old: line.old.map(String.init) ?? "",
            new: line.new.map(String.init) ?? "", sign: sign, mark: mark, markName: name, code: line.text,
            findings: line.findings)
    }
}
