// SPDX-License-Identifier: GPL-2.0
import CSource
import ModelExtraction

/// What cannot be answered about a source.
enum SourceModelError: Error {
    case unknownFunction(String, known: [String])
}

extension SourceModelError: Worded {
    var exitCode: Int32 { Exit.usage }
    var line: String {
        switch self {
        case .unknownFunction(let name, let known):
            "md-cluster.c has no function \(name.prefix(60)) that can be followed: choose one of "
                + known.joined(separator: ", ") + "."
        }
    }
}

extension MeaningError: Worded {
    var exitCode: Int32 { Exit.usage }
    var line: String {
        switch self {
        case .unreadable(let reason): "kernel-tests/model/md-cluster.yaml cannot be read: \(reason.prefix(300))"
        }
    }
}

extension CSourceError: Worded {
    var exitCode: Int32 { Exit.untestable }
    var line: String {
        switch self {
        case .notADump(let reason):
            "clang's answer is not a tree of C (\(reason.prefix(200))): use the clang of the Swift toolchain."
        }
    }
}

/// The model out of C, in words.
enum SourceWording {
    static func summary(_ extraction: Extraction) -> String {
        var lines: [String] = []
        let functions = extraction.unit.functions
        let failed = Set(extraction.errors.map(\.function))
        lines.append("\(functions.count - failed.count) of \(functions.count) functions are followed.")
        for error in extraction.errors { lines.append("  " + text(error)) }
        let entries = extraction.statements
        var modelled = 0
        var harmless: [String: Int] = [:]
        var open: [String: Int] = [:]
        for entry in entries {
            switch entry.fate {
            case .modelled: modelled += 1
            case .harmless(let reason): harmless[reason, default: 0] += 1
            case .notLookedAt, .unreached, .unfollowed: open[entry.function, default: 0] += 1
            }
        }
        lines.append("\(entries.count) statements: \(modelled) in the model")
        for (reason, count) in harmless.sorted(by: { $0.key < $1.key }) {
            lines.append("  \(count) left out: \(reason)")
        }
        lines.append("  \(open.values.reduce(0, +)) not looked at, in")
        for (function, count) in open.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
            lines.append("    \(function): \(count)")
        }
        for says in extraction.assumptions.sorted() { lines.append("It is assumed that \(says).") }
        return lines.joined(separator: "\n")
    }

    static func text(_ error: ExtractionError) -> String {
        let place = "\(error.function), line \(error.line): "
        switch error.reason {
        case .recursion: return place + "it calls itself."
        case .unboundedLoop: return place + "nothing bounds this loop."
        case .spinLockHeld(let lock): return place + "it returns with the spin lock \(lock) held."
        case .unknownFunction: return place + "there is no such function."
        }
    }

    static func text(_ residual: Residual, lines: Bool, unit: CUnit) -> String {
        ResidualText.lines(of: residual).map { line in
            guard lines else { return line.text }
            let source = (1...max(1, unit.text.count)).contains(line.line) ? unit.text[line.line - 1] : ""
            let number = line.line > 0 ? String(line.line) : ""
            let text = line.text.replacing("\t", with: "    ")
            let pad = String(repeating: " ", count: max(1, 72 - text.count))
            return line.line > 0 ? "\(text)\(pad)\(number): \(source.trimmingCharacters(in: .whitespaces))" : text
        }.joined(separator: "\n")
    }

    // MARK: Comparison

    static func report(_ comparison: SourceComparison, statements all: Bool) -> String {
        var lines = [verdict(comparison)]
        let changed = comparison.statements
        if !changed.isEmpty { lines.append(count(changed)) }
        for known in [true, false] {
            lines += grouped(comparison.changes.filter { ($0.kind != .notLookedAt) == known })
        }
        for statement in changed {
            let isOpen = comparison.verdict == .notDecided
            switch statement.fate {
            case .notLookedAt(let what) where all || isOpen:
                lines.append("  \(place(statement)): not looked at: \(what)")
            case .unreached where all || isOpen, .unfollowed where all || isOpen:
                lines.append("  \(place(statement)): \(text(statement.fate))")
            default: if all { lines.append("  \(place(statement)): \(text(statement.fate))") }
            }
        }
        for name in comparison.declarations { lines.append("  \(name) is declared otherwise: not looked at") }
        for error in comparison.errors { lines.append("  not followed: " + text(error)) }
        if !comparison.assumptions.isEmpty {
            lines.append("It is assumed that " + comparison.assumptions.sorted().joined(separator: ", and that ") + ".")
        }
        return lines.joined(separator: "\n")
    }

    private static func verdict(_ comparison: SourceComparison) -> String {
        switch comparison.verdict {
        case .same:
            "the same: none of \(comparison.compared) entry points does anything else that others can notice"
        case .changes: "changes what others can notice:"
        case .notDecided: "not decided: something changes that is not looked at"
        }
    }

    private static func count(_ statements: [SourceComparison.Statement]) -> String {
        var counts: [String: Int] = [:]
        for statement in statements { counts[text(statement.fate), default: 0] += 1 }
        let parts = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value) \($0.key)" }
        return "  \(statements.count) changed statements (old and new): " + parts.joined(separator: ", ")
    }

    private static func text(_ fate: Fate) -> String {
        switch fate {
        case .modelled: "in the model"
        case .harmless(let reason): "left out (\(reason))"
        case .notLookedAt: "not looked at"
        case .unreached: "no way that is followed leads there"
        case .unfollowed: "its function is not followed"
        }
    }

    private static func place(_ statement: SourceComparison.Statement) -> String {
        "\(statement.function), \(statement.isOld ? "old" : "new") line \(statement.lines.lowerBound)"
    }

    /// A function that many entry points call changes them all: said once.
    private static func grouped(_ changes: [SourceComparison.Change]) -> [String] {
        var groups: [[SourceComparison.Change]] = []
        for change in changes {
            let place = groups.firstIndex { group in
                group[0].kind == change.kind && group[0].was == change.was && group[0].now == change.now
                    && !(change.was.isEmpty && change.now.isEmpty)
            }
            if let place { groups[place].append(change) } else { groups.append([change]) }
        }
        return groups.flatMap { group in
            var lines = text(group[0])
            if group.count > 1 {
                lines.append("    and so in " + group.dropFirst().map(\.entry).joined(separator: ", "))
            }
            return lines
        }
    }

    private static func text(_ change: SourceComparison.Change) -> [String] {
        switch change.kind {
        case .added: return ["  \(change.entry) is new"]
        case .removed: return ["  \(change.entry) is gone"]
        case .table:
            return ["  \(change.entry): was \(words(change.was)), now \(words(change.now))"]
        case .protocolChange, .notLookedAt:
            let mark = change.kind == .notLookedAt ? " (not looked at)" : ""
            guard !change.was.isEmpty || !change.now.isEmpty else {
                return ["  \(change.entry): a choice is made at another time\(mark)"]
            }
            let after = change.after.last.map { ", after \($0.text)" } ?? ", at its begin"
            return [
                "  \(change.entry)\(after)\(mark)", "    was  \(words(change.was))", "    now  \(words(change.now))",
            ]
        }
    }

    private static func words(_ steps: [SourceComparison.Step]) -> String {
        guard !steps.isEmpty else { return "nothing else" }
        return steps.prefix(3).map { step in
            step.line > 0 ? "\(step.text)  (\(step.function), line \(step.line))" : step.text
        }.joined(separator: "\n         or ")
    }
}
