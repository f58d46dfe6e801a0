// SPDX-License-Identifier: GPL-2.0
import Foundation
import ModelChecker
import ProcedureModel
import Reporting

/// A bad run of the model on a terminal: no line is wider than it, and what one thread does until the next one goes on
/// is one entry. With `isWide` it is the table of all steps instead.
struct CounterexampleText {
    let lines: [String]

    init(
        _ machine: Machine, _ run: Counterexample, isWide: Bool,
        columns: Int = Terminal.columns(environment: ProcessInfo.processInfo.environment)
    ) {
        let end = machine.situation(atEndOf: run).split(separator: "\n").map(String.init)
        if isWide {
            lines = machine.table(of: run).split(separator: "\n").map(String.init) + end
            return
        }
        let steps = Self.table(machine.folded(run), columns: columns)
        lines = steps + end.flatMap { Self.folded($0, columns: columns, indent: $0.hasPrefix(" ") ? 6 : 4) }
    }

    /// "  3-22  node1 md0_raid1  got = mutex_trylock(reconfig_mutex); ..."
    static func table(_ entries: [FoldedSteps], columns: Int) -> [String] {
        func number(_ entry: FoldedSteps) -> String {
            let (first, last) = (entry.numbers.lowerBound, entry.numbers.upperBound)
            return first == last ? "\(first)" : "\(first)-\(last)"
        }
        let numbers = entries.map { number($0).count }.max() ?? 0
        let threads = entries.map(\.thread.count).max() ?? 0
        // On a narrow terminal the thread has a line of its own.
        let isNarrow = columns < numbers + threads + 44
        let indent = isNarrow ? min(numbers + 4, columns / 4) : numbers + threads + 6
        var lines: [String] = []
        for entry in entries {
            let head =
                "  " + String(repeating: " ", count: numbers - number(entry).count) + number(entry) + "  "
                + entry.thread
            let text = entry.texts.joined(separator: "; ") + (entry.hidden > 0 ? " (+\(entry.hidden))" : "")
            var rest = folded(text, columns: columns - indent, indent: 0)
            if isNarrow {
                lines += folded(head, columns: columns, indent: 4)
            } else if !rest.isEmpty {
                let padding = String(repeating: " ", count: indent - head.count)
                lines.append(head + padding + rest.removeFirst())
            }
            lines += rest.map { String(repeating: " ", count: indent) + $0 }
        }
        if entries.contains(where: { $0.hidden > 0 }) {
            lines += folded(
                "(+N): so many tests and jumps besides; --wide shows every step.", columns: columns, indent: 2)
        }
        return lines
    }

    /// At most `columns` wide, broken at blanks; a word that is wider is cut where it must be.
    static func folded(_ text: String, columns: Int, indent: Int) -> [String] {
        let width = max(columns, 8)
        let indent = min(indent, width / 2)
        var lines: [String] = []
        var line = String(text.prefix { $0 == " " }.prefix(width / 2))
        var isEmpty = true
        func next() {
            lines.append(line)
            line = String(repeating: " ", count: indent)
            isEmpty = true
        }
        for word in text.split(separator: " ") {
            var word = word
            if !isEmpty, line.count + 1 + word.count > width { next() }
            while line.count + word.count + (isEmpty ? 0 : 1) > width {
                let room = width - line.count
                line += word.prefix(room)
                word = word.dropFirst(room)
                next()
            }
            line += (isEmpty ? "" : " ") + word
            isEmpty = false
        }
        if !isEmpty || lines.isEmpty { lines.append(line) }
        return lines
    }
}
