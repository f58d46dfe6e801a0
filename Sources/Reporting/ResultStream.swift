// SPDX-License-Identifier: GPL-2.0
import RunRecord

/// Results of a command that runs or judges several runs, written as they come: KTAP for programs, summaries for
/// people.
public struct ResultStream {
    public enum Format: String, CaseIterable, Sendable { case ktap, summary }

    public let format: Format
    private let summary: Summary
    private let write: (String) -> Void
    private var ktap = KTAP()
    public private(set) var words: [VerdictWord] = []

    public init(format: Format, colours: Bool, write: @escaping (String) -> Void) {
        (self.format, summary, self.write) = (format, Summary(colours: colours), write)
    }

    public func begin(runs: Int) {
        if format == .ktap { write(KTAP.header(tests: runs)) }
    }

    public mutating func add(_ verdict: Verdict, name: String, folder: String?) {
        words.append(verdict.word)
        switch format {
        case .ktap: write(ktap.test(verdict, name: name))
        case .summary: write(summary.text(verdict, name: name, folder: folder) + "\n")
        }
    }

    /// A run that has no verdict: it could not be started, or was left out.
    public mutating func missing(name: String, word: VerdictWord, reason: String) {
        words.append(word)
        switch format {
        case .ktap: write(ktap.missing(name: name, word: word, reason: reason))
        case .summary: write(summary.missing(name: name, word: word, reason: reason) + "\n")
        }
    }

    public func end() {
        switch format {
        case .ktap: write(ktap.footer())
        case .summary: if words.count > 1 { write(summary.totals(words)) }
        }
    }
}
