// SPDX-License-Identifier: GPL-2.0
import Foundation
import RunRecord

/// A record that is not the model's, on one screen: no line is longer than `width`, and all lines together are no more
/// than `height`. What does not fit is counted; `mdlab compare --json` has it.
public enum Screen {
    public static let width = 100
    /// Of a screen of 40 lines, four are left for what is said of a hang.
    public static let height = 36

    public static func mismatch(
        _ comparison: ModelComparison, _ mismatch: Mismatch, _ seen: Observation, _ run: RunDescription
    ) -> String {
        let head = Array(fold(headline(comparison, run), indent: 2).prefix(2))
        let nodes = [mismatch.first] + mismatch.nodes.indices.filter { $0 != mismatch.first }
        var tail = locks(mismatch) + figures(comparison, seen)
        // The node that leaves the model says all there is room for; the others, what they wait for.
        var body: [String] = []
        for (causes, others) in [(3, 1), (2, 1), (1, 1), (1, 0)] {
            body = nodes.flatMap { lines(mismatch, $0, causes: $0 == mismatch.first ? causes : others) }
            if head.count + body.count + tail.count < height { break }
        }
        let room = max(0, height - head.count - body.count - tail.count - 1)
        var threads = mismatch.threads.prefix(room).map { short("  model      \($0)", width) }
        if mismatch.threads.count > room {
            threads.append(
                "  model      \(mismatch.threads.count - room) other threads that are not at rest: --json has them")
        }
        if !mismatch.isLongest { tail[tail.count - 1] += "; not all looked at: more of the record may conform" }
        return (head + body + threads + tail).joined(separator: "\n")
    }

    private static func headline(_ comparison: ModelComparison, _ run: RunDescription) -> String {
        let kernel = run.kernelRelease + (run.variant.map { " \($0)" } ?? "")
        return "does not conform  \(run.scenario), kernel \(kernel), with the model \(comparison.variant)"
    }

    private static func lines(_ mismatch: Mismatch, _ number: Int, causes: Int) -> [String] {
        let node = mismatch.nodes[number]
        let isFirst = number == mismatch.first
        var lines = [
            "\(isFirst ? "*" : " ") \(node.node)  \(node.matched) of \(node.of) events conform"
                + (isFirst ? "; the next is the first event that the model does not have" : "")
        ]
        if let last = node.last { lines.append(short("    last     \(event(last))", width)) }
        guard let next = node.next else { return lines }
        lines.append(short("    next     \(event(next))", width))
        // Ways to be there that say the same are one.
        var said: [Mismatch.Refusal] = []
        for refusal in node.refusals.sorted(by: { $0.stack.count < $1.stack.count })
        where !said.contains(where: { $0.waitsFor == refusal.waitsFor && $0.instead == refusal.instead }) {
            said.append(refusal)
        }
        for refusal in said.prefix(causes) { lines += self.lines(refusal) }
        if isFirst, said.count > causes {
            lines.append("             and \(said.count - causes) other ways: --json has them")
        }
        guard isFirst else { return lines }
        if let place = node.places.first {
            let rest = node.places.count > 1 ? "; \(node.places.count - 1) other places" : ""
            lines.append(
                short("    has it   \(place.isEmpty ? "at rest" : place.joined(separator: " <- "))", width - rest.count)
                    + rest)
        } else {
            lines.append("    has it   nowhere: the model's thread never does that")
        }
        if !node.others.isEmpty {
            lines.append(short("    allowed  by \(node.others.joined(separator: " or "))", width))
        }
        return lines
    }

    private static func lines(_ refusal: Mismatch.Refusal) -> [String] {
        var lines: [String] = []
        for argument in refusal.arguments.prefix(2) {
            lines.append(
                short("    required \(argument.name) \(argument.required), observed \(argument.observed)", width))
        }
        if !refusal.instead.isEmpty {
            lines += fold(
                "    required " + refusal.instead.prefix(4).map(\.description).joined(separator: " or "), indent: 13
            ).prefix(2)
            if refusal.instead.count > 4 { lines.append("             or \(refusal.instead.count - 4) others") }
        }
        if let guardText = refusal.waitsFor {
            lines += fold("    required \(guardText)", indent: 13).prefix(2)
            if !refusal.values.isEmpty {
                lines += fold("    observed \(refusal.values.joined(separator: "; "))", indent: 13).prefix(2)
            }
        }
        lines.append(short("             in \(refusal.stack.joined(separator: " <- "))", width))
        return lines
    }

    private static func event(_ event: Mismatch.Event) -> String {
        "\(clock(event.time))  \(event.comm)-\(event.pid)  \(event.label)"
    }

    private static func locks(_ mismatch: Mismatch) -> [String] {
        fold("  locks      " + mismatch.locks.joined(separator: "; "), indent: 13).prefix(3).map { $0 }
    }

    private static func figures(_ comparison: ModelComparison, _ seen: Observation) -> [String] {
        let figures = comparison.figures
        let ignored = figures.ignored.values.reduce(0, +)
        var lines = [
            "  events     \(figures.events) recorded, \(ignored) ignored by a rule, \(figures.compared) compared, "
                + "\(figures.matched) matched",
            "  cut        \(figures.hiddenSteps) steps that leave no event; \(figures.steps.count) of \(figures.allSteps) "
                + "steps of the model taken",
        ]
        lines += (messages(figures) + unobserved(seen)).map { short($0, width) }
        lines.append("  search     \(figures.states) states, \(max(1, figures.bytes >> 20)) MiB")
        return lines
    }

    public static func messages(_ figures: ModelComparison.Figures) -> [String] {
        let text = figures.messages.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        return text.isEmpty ? [] : ["  messages   " + text.joined(separator: ", ")]
    }

    public static func unobserved(_ seen: Observation) -> [String] {
        var lines: [String] = []
        if !seen.stockModules.isEmpty {
            lines.append(
                "  modules    the distribution's own, which show less: " + seen.stockModules.joined(separator: ", "))
        }
        for (what, list) in [("events", seen.events), ("functions", seen.functions), ("values at rest", seen.values)]
        where !list.isEmpty {
            lines.append("  not seen   \(what): " + list.joined(separator: ", "))
        }
        return lines
    }

    public static func clock(_ time: UInt64) -> String { String(format: "%.6f", Double(time) / 1e9) }

    /// Cut where it is too long.
    private static func short(_ text: String, _ width: Int) -> String {
        text.count > width ? String(text.prefix(width - 1)) + "…" : text
    }

    /// Every line of it.
    public static func folded(_ text: String) -> String {
        text.split(separator: "\n").flatMap { fold(String($0), indent: 13) }.joined(separator: "\n")
    }

    /// Broken between words where it is too long; a word that is too long alone is cut.
    public static func fold(_ text: String, indent: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for (number, word) in text.split(separator: " ", omittingEmptySubsequences: false).enumerated() {
            if line.count + 1 + word.count > width, line.contains(where: { $0 != " " }) {
                lines.append(line)
                line = String(repeating: " ", count: indent) + word
            } else {
                line += number == 0 ? word : " " + word
            }
        }
        return (lines + [line]).map { short($0, width) }
    }
}
