// SPDX-License-Identifier: GPL-2.0
import Comparison

/// Recorded kernels against model variants: which conforms to which, and by what the others are told apart.
///
/// Pure: it is filled with answers and gives a table. A kernel's own model has an answer for each record; another model
/// has answers up to the first record that tells the two apart.
struct ComparisonMatrix: Equatable {
    /// What one record is to one model variant.
    enum Answer: Equatable, Sendable {
        case conforms
        /// The run hung, and a run of the model stops there too.
        case hangsToo
        /// The first event that does not fit: "node1 md0_raid1: dlm_lock_start(token, NL)".
        case differs(String)
        case notDecided(String)

        var event: String? { if case .differs(let event) = self { event } else { nil } }
        var doubt: String? { if case .notDecided(let doubt) = self { doubt } else { nil } }
    }

    struct Entry: Equatable, Sendable {
        /// "resync-handover/raid10"
        var scenario: String
        /// The record's folder.
        var folder: String
        var answer: Answer
    }

    /// A kernel and a model variant, with the answer for each record of that kernel that was compared.
    struct Cell: Equatable {
        var entries: [Entry] = []

        var conforming: Int { entries.count { $0.answer == .conforms || $0.answer == .hangsToo } }
        /// The records that tell kernel and model apart.
        var telling: [Entry] { entries.filter { $0.answer.event != nil } }
        var undecided: [Entry] { entries.filter { $0.answer.doubt != nil } }

        /// "differs", "conforms 8", "conforms 7, ? 1".
        var text: String {
            if entries.isEmpty { return "-" }
            if !telling.isEmpty { return "differs" }
            let parts = [("conforms", conforming), ("?", undecided.count)]
            return parts.filter { $0.1 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
        }

        /// Of a kernel and its own model: "[conforms 8]", "[differs 1/8]".
        var ownText: String { telling.isEmpty ? "[\(text)]" : "[differs \(telling.count)/\(entries.count)]" }
    }

    /// A row: "6.1", "6.1 async", "6.1 stock".
    struct Kernel: Hashable, Sendable {
        var name: String
        /// The model variant that describes it.
        var own: String
    }

    private(set) var kernels: [Kernel] = []
    let models: [String]
    /// Why runs do not tell some variants apart: kernel-tests/not-shown.
    let notShown: [NotShown]
    private var cells: [Kernel: [String: Cell]] = [:]

    init(models: [String], notShown: [NotShown] = []) {
        (self.models, self.notShown) = (models, notShown)
    }

    mutating func add(_ kernel: Kernel, model: String, _ entry: Entry) {
        if cells[kernel] == nil { kernels.append(kernel) }
        cells[kernel, default: [:]][model, default: Cell()].entries.append(entry)
    }

    func cell(_ kernel: Kernel, _ model: String) -> Cell { cells[kernel]?[model] ?? Cell() }

    /// Records that do not conform to the model of their own kernel: each is an alarm about the model, the kernel or
    /// the tool.
    var falseAlarms: [(kernel: Kernel, entry: Entry)] {
        kernels.flatMap { kernel in cell(kernel, kernel.own).telling.map { (kernel, $0) } }
    }

    /// Records of which it is not known whether they conform to the model of their own kernel.
    var undecided: [(kernel: Kernel, entry: Entry)] {
        kernels.flatMap { kernel in cell(kernel, kernel.own).undecided.map { (kernel, $0) } }
    }

    // MARK: - Pairs of variants

    /// A kernel's variant and another variant of the model. Several rows can be of one variant: 6.1 and its stock
    /// modules.
    struct Pair: Hashable {
        var kernel: String
        var model: String
    }

    /// Every pair of which there is an answer, in the order of the models.
    var pairs: [Pair] {
        models.flatMap { kernel in
            models.filter { model in
                model != kernel && kernels.contains { $0.own == kernel && !cell($0, model).entries.isEmpty }
            }.map { Pair(kernel: kernel, model: $0) }
        }
    }

    private func cells(of pair: Pair) -> [Cell] {
        kernels.filter { $0.own == pair.kernel }.map { cell($0, pair.model) }
    }

    /// The first record that tells a pair apart.
    func telling(_ pair: Pair) -> Entry? { cells(of: pair).lazy.compactMap(\.telling.first).first }

    /// Pairs that all records conform to, in so far as they were decided.
    var open: [Pair] { pairs.filter { telling($0) == nil && cells(of: $0).contains { $0.conforming > 0 } } }

    /// Reasons that the records refute: everything that they are given for is told apart.
    var stale: [(reason: NotShown, by: Entry)] {
        notShown.compactMap { reason in
            let covered = pairs.filter(reason.covers)
            guard let first = covered.first, covered.allSatisfy({ telling($0) != nil }), let by = telling(first) else {
                return nil
            }
            return (reason, by)
        }
    }

    // MARK: - Text

    /// The table, then the first event that tells each pair apart, then the pairs that these records do not tell apart.
    var text: String {
        let header = ["kernel \\ model"] + models
        let rows = kernels.map { kernel in
            [kernel.name]
                + models.map { $0 == kernel.own ? cell(kernel, $0).ownText : cell(kernel, $0).text }
        }
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
        var lines = ([header] + rows).map { row in
            zip(row, widths).map { $0.padding(to: $1) }.joined(separator: "  ").trimmingEnd()
        }
        lines += [
            "",
            "[ ] is the kernel's own model, with all records; others are compared until one record differs; '?': not decided",
        ]
        let told = toldLines
        if !told.isEmpty { lines += ["", "told apart by"] + told }
        let undecided = pairs.filter { pair in
            telling(pair) == nil && !open.contains(pair)
        }.compactMap { pair in
            cells(of: pair).lazy.flatMap(\.undecided).first.map {
                "  kernel \(pair.kernel), model \(pair.model): \($0.scenario): \($0.answer.doubt ?? "")"
            }
        }
        if !undecided.isEmpty { lines += ["", "not decided"] + undecided }
        let same = open.map { pair in
            let reason = notShown.first { $0.covers(pair) }?.reason ?? "kernel-tests/not-shown has no reason"
            return "  kernel \(pair.kernel), model \(pair.model): \(reason)"
        }
        if !same.isEmpty { lines += ["", "not told apart by these records"] + same }
        let stale = stale.map { item in
            "  line \(item.reason.line), \(item.reason.kernel) \(item.reason.model): told apart by \(item.by.scenario): "
                + (item.by.answer.event ?? "")
        }
        if !stale.isEmpty { lines += ["", "stale in kernel-tests/not-shown: strike out"] + stale }
        let count = pairs.count { telling($0) != nil }
        let own = kernels.map { cell($0, $0.own) }
        lines += [
            "",
            "\(pairs.count) pairs of variants: \(count) told apart, \(open.count) not, "
                + "\(pairs.count - count - open.count) not decided; own models: "
                + "\(own.reduce(0) { $0 + $1.conforming }) of \(own.reduce(0) { $0 + $1.entries.count }) records conform",
        ]
        return lines.joined(separator: "\n") + "\n"
    }

    /// For each kernel the records and events that tell models apart, each with these models.
    private var toldLines: [String] {
        kernels.flatMap { kernel -> [String] in
            var order: [String] = []
            var told: [String: [String]] = [:]
            for model in models where model != kernel.own {
                guard let entry = cell(kernel, model).telling.first else { continue }
                let text = "\(entry.scenario): \(entry.answer.event ?? "")"
                if told[text] == nil { order.append(text) }
                told[text, default: []].append(model)
            }
            return order.isEmpty
                ? [] : ["  \(kernel.name)"] + order.map { "    \($0)  [\((told[$0] ?? []).joined(separator: ", "))]" }
        }
    }
}

/// A line of kernel-tests/not-shown: why no run tells a kernel of one variant from the model of another.
struct NotShown: Equatable, Sendable {
    /// Names of variants, or `*`.
    var kernel: String
    var model: String
    var reason: String
    var line: Int

    func covers(_ pair: ComparisonMatrix.Pair) -> Bool {
        (kernel == "*" || kernel == pair.kernel) && (model == "*" || model == pair.model)
    }

    /// The lines "KERNEL MODEL: REASON" of a file; `#` begins a comment line.
    static func read(_ text: String, variants: [String]) throws(NotShownError) -> [NotShown] {
        var reasons: [NotShown] = []
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.hasPrefix("#") || line.allSatisfy(\.isWhitespace) { continue }
            let parts = line.split(separator: ":", maxSplits: 1)
            let names = (parts.first ?? "").split(separator: " ").map(String.init)
            guard parts.count == 2, names.count == 2, let reason = parts.last?.drop(while: { $0 == " " }),
                !reason.isEmpty
            else { throw .notALine(line: number + 1, String(line.prefix(80))) }
            for name in names where name != "*" && !variants.contains(name) {
                throw .noVariant(line: number + 1, String(name.prefix(80)))
            }
            reasons.append(.init(kernel: names[0], model: names[1], reason: String(reason), line: number + 1))
        }
        return reasons
    }
}

enum NotShownError: Error, Equatable {
    case notALine(line: Int, String)
    case noVariant(line: Int, String)
}

extension String {
    fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
    fileprivate func trimmingEnd() -> String {
        var part = self[...]
        while part.last == " " { part.removeLast() }
        return String(part)
    }
}
