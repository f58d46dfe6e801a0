// SPDX-License-Identifier: GPL-2.0
import Foundation

/// A run as its template reads it.
struct RunView {
    struct Finding {
        var text: String
        var details: [String]
        /// The event's number, for the button that shows it.
        var event: String?
    }
    struct Check {
        var name: String
        var verdict: PageView.Word
        var seen: [String]
        var findings: [Finding]
    }
    struct Update {
        var number: Int
        var sender: String
        var thread: String
        var receiver: String
        var path: String
        var pathClass: String
        var milliseconds: String
        var message: String?
    }
    struct Step {
        var time: String
        var text: String
    }

    var id: String
    var name: String
    var verdict: PageView.Word
    var reason: String
    var isOpen: Bool
    var facts: [PageView.Pair]
    var checks: [Check]
    var hasUpdates: Bool
    var updateCount: Int
    var updates: [Update]
    var hasSteps: Bool
    var steps: [Step]
    var hangs: [HangView]
    var comparison: PageView.Stage?
    var hasTimeline: Bool
    var eventCount: Int
    var missing: [String]
    var hasMissing: Bool

    /// - Parameter isOnly: the report has this run alone; of several those that are not good are open.
    init(_ run: ReportRun, isOnly: Bool) {
        (id, name, verdict, reason) = (run.id, run.name, PageView.Word(run.word), run.reason)
        isOpen = isOnly || PageView.Word(run.word).tone != "good"
        facts = run.facts.map { PageView.Pair(name: $0.name, value: $0.value) }
        checks = run.checks.map { check in
            Check(
                name: check.name, verdict: PageView.Word(check.answer), seen: check.seen,
                findings: check.findings.map {
                    Finding(text: $0.text, details: $0.details, event: $0.event.map(String.init))
                })
        }
        updates = run.updates.enumerated().map { place, update in
            Update(
                number: place + 1, sender: update.sender, thread: update.thread, receiver: update.receiver,
                path: update.path == "none" ? "without md_reload_sb" : update.path,
                pathClass: update.path == "none" ? "bad" : "", milliseconds: Self.milliseconds(update.milliseconds),
                message: update.message.map(String.init))
        }
        (hasUpdates, updateCount) = (!updates.isEmpty, updates.count)
        steps = run.steps.map {
            Step(
                time: String(format: "%.2f", $0.seconds.isFinite ? $0.seconds : 0),
                text: ($0.node.map { "\($0): " } ?? "") + $0.text)
        }
        hasSteps = !steps.isEmpty
        hangs = run.hangs.enumerated().map { HangView($1, name: "\(run.id)-hang\($0 + 1)") }
        comparison = run.comparison.map(PageView.Stage.init)
        hasTimeline = !run.timeline.events.isEmpty
        eventCount = run.timeline.events.count
        missing = run.missing
        hasMissing = !missing.isEmpty
    }

    private static func milliseconds(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e9 else { return "?" }
        return String(format: "%.2f", value)
    }
}
