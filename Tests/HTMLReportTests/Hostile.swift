// SPDX-License-Identifier: GPL-2.0
@testable import HTMLReport

/// A document in which every text tries to get out of its place.
enum Hostile {
    /// What ends an element, an attribute, a script and a template; a quotation mark that is one grapheme with what
    /// follows it; what turns the direction of text.
    static let text =
        "</script><img src=x onerror=alert(1)>{{{data}}}{{title}}&amp;\" onfocus=\"alert(2)\"\u{301} autofocus='x'\u{202E}\u{0}`"

    static var document: ReportDocument {
        var report = ReportDocument(title: text, word: text, sentence: text)
        (report.reasons, report.advice) = ([text], [text])
        report.facts = [.init(text, text)]
        report.stages = [.init(text, word: text, seconds: .nan, text: text, details: [text])]
        report.baseline = [
            .init(
                text, unpatched: .init(word: text, sentence: text),
                patched: .init(word: text, sentence: text, run: "run1"),
                meaning: text)
        ]
        report.counterexamples = [
            .init(text, steps: [.init(1, thread: text, text: text)], end: [text], kernel: [text], run: "run1")
        ]
        report.notCovered = [.init(text, wouldCover: text)]
        report.detectorsOff = [.init(text, text)]
        report.patch = patch
        report.runs = [run]
        return report
    }

    private static var patch: ReportPatch {
        var patch = ReportPatch(
            diff: "+++ b/\(text)\n@@ -1,1 +1,1 @@ int \(text)(\n-\(text)\n+\(text)\n", subject: text)
        patch.author = text
        patch.files[0].hunks[0].note = text
        patch.files[0].hunks[0].lines[0].findings = [.init(text, text)]
        patch.files[0].hunks[0].lines[0].execution = .unexecuted
        return patch
    }

    private static var run: ReportRun {
        var run = ReportRun(id: "run1", name: text, word: text, reason: text)
        run.facts = [.init(text, text)]
        run.checks = [
            .init(name: text, answer: text, seen: [text], findings: [.init(text: text, details: [text], event: 0)])
        ]
        run.updates = [
            .init(sender: text, thread: text, receiver: text, path: text, milliseconds: .infinity, message: 0)
        ]
        run.steps = [.init(seconds: .nan, node: text, text: text)]
        let waiter = HangPicture.Waiter(thread: text, place: text, waitsFor: text, stack: [text])
        run.hangs = [HangPicture(title: text, isCycle: true, waiters: [waiter, waiter])]
        run.comparison = .init(text, word: text, text: text, details: [text])
        run.missing = [text]
        run.timeline.lanes = [.init(node: text, kind: .thread, name: text, pid: 1, role: text)]
        run.timeline.events = [
            .init(lane: 0, time: 0, index: 0, nodeTime: 1, cpu: 0, name: text, detail: text),
            .init(lane: 0, time: 5, index: 1, nodeTime: 6, cpu: 0, name: "token", detail: text),
        ]
        run.timeline.end = 5
        return run
    }
}
