// SPDX-License-Identifier: GPL-2.0
import RunRecord

/// A verdict for a person at a terminal.
public struct Summary: Sendable {
    let colours: Bool

    /// - Parameter colours: see `Terminal.colours`.
    public init(colours: Bool) { self.colours = colours }

    /// - Parameters:
    ///   - name: of the run.
    ///   - folder: where the record is, as the reader would type it; nil: not said.
    public func text(_ verdict: Verdict, name: String, folder: String? = nil) -> String {
        var lines = ["\(word(verdict.word))  \(name)  \(dim(about(verdict)))", "      \(verdict.reason)"]
        for check in verdict.checks { lines += self.lines(check, expected: verdict.word == .xfail) }
        let table = UpdateTable.rows(verdict.metadataUpdates)
        if !table.isEmpty { lines += ["", "  METADATA_UPDATED"] + table.map { "    " + $0 } }
        if !verdict.detectorsOff.isEmpty {
            lines += ["", "  detectors that were off"]
            for (detector, reason) in verdict.detectorsOff.sorted(by: { $0.key < $1.key }) {
                lines.append("    \(detector): \(reason)")
            }
        }
        if let folder { lines += ["", "  record: \(folder)"] }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A run that left no verdict.
    public func missing(name: String, word: VerdictWord, reason: String) -> String {
        "\(self.word(word))  \(name)\n      \(reason)\n"
    }

    /// One line for several runs: "3 runs: 2 PASS, 1 XFAIL".
    public func totals(_ words: [VerdictWord]) -> String {
        let parts = VerdictWord.allCases.reversed().compactMap { word in
            let count = words.filter { $0 == word }.count
            return count == 0 ? nil : "\(count) \(self.word(word))"
        }
        return "\(words.count) run\(words.count == 1 ? "" : "s"): \(parts.joined(separator: ", "))\n"
    }

    private func about(_ verdict: Verdict) -> String {
        "(kernel \(verdict.kernelRelease)" + (verdict.variant.map { ", variant \($0)" } ?? "") + ")"
    }

    private func lines(_ check: CheckResult, expected: Bool) -> [String] {
        let answer =
            switch check.answer {
            case .holds: paint("holds      ", 32)
            case .fails: paint(expected ? "fails (so) " : "FAILS      ", expected ? 33 : 31)
            case .notDecided: paint("not decided", 33)
            }
        var lines = ["  \(answer)  \(check.name)"]
        lines += check.seen.map { "               " + dim($0) }
        for finding in check.findings {
            lines.append("               " + (finding.node.map { "\($0): " } ?? "") + finding.text)
            lines += finding.details.map { "                 " + $0 }
        }
        return lines
    }

    private func word(_ word: VerdictWord) -> String {
        switch word {
        case .pass: paint(word.rawValue, 32)
        case .xfail, .skip: paint(word.rawValue, 33)
        case .fail, .error, .miss, .userSpace: paint(word.rawValue, 31)
        }
    }

    private func dim(_ text: String) -> String { paint(text, 2) }
    private func paint(_ text: String, _ code: Int) -> String { colours ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }
}
