// SPDX-License-Identifier: GPL-2.0
import Comparison

/// Recorded kernels against model variants: which conforms to which, and by what the others are told apart.
///
/// Pure: it is filled with answers and gives a table.
struct ComparisonMatrix: Equatable {
    /// What one record is to one model variant.
    enum Answer: Equatable {
        case conforms
        /// The run hung, and all until then conforms; whether the model hangs so was not decided: no circle of waits, or too many states.
        case conformsUntilHang
        /// The run hung, and the same circle of waits is a deadlock of the model.
        case hangsToo
        /// The first event that does not fit: "node1 md0_raid1: dlm_lock_start(token, NL)".
        case differs(String)
        case notDecided(String)
    }

    struct Entry: Equatable {
        /// "resync-handover/raid10"
        var scenario: String
        var answer: Answer
    }

    /// A kernel and a model variant, with the answer for each record of that kernel.
    struct Cell: Equatable {
        var entries: [Entry] = []

        var conforming: Int { entries.count { $0.answer == .conforms || $0.answer == .hangsToo } }
        var hanging: Int { entries.count { $0.answer == .conformsUntilHang } }
        /// The records that tell kernel and model apart.
        var telling: [(scenario: String, event: String)] {
            entries.compactMap { entry in
                if case .differs(let event) = entry.answer { (entry.scenario, event) } else { nil }
            }
        }
        var undecided: [(scenario: String, reason: String)] {
            entries.compactMap { entry in
                if case .notDecided(let reason) = entry.answer { (entry.scenario, reason) } else { nil }
            }
        }

        /// "differs 3/8", "conforms 8", "conforms 7, hangs 1", "? 1": one record that differs tells the pair apart.
        var text: String {
            if entries.isEmpty { return "-" }
            let differing = telling.count
            if differing > 0 { return "differs \(differing)/\(entries.count)" }
            let parts = [("conforms", conforming), ("hangs", hanging), ("?", undecided.count)]
            return parts.filter { $0.1 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
        }
    }

    /// A row: "6.1", "6.1 async", "6.1 stock".
    struct Kernel: Hashable {
        var name: String
        /// The model variant that describes it.
        var own: String
    }

    private(set) var kernels: [Kernel] = []
    let models: [String]
    /// Why runs show the difference of a variant rarely or never: kernel-tests/not-shown.
    let notShown: [String: String]
    private var cells: [Kernel: [String: Cell]] = [:]

    init(models: [String], notShown: [String: String] = [:]) {
        (self.models, self.notShown) = (models, notShown)
    }

    /// The lines "VARIANT: REASON" of a file; `#` begins a comment line.
    static func reasons(in text: String) -> [String: String] {
        var reasons: [String: String] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { reasons[String(parts[0])] = String(parts[1].drop { $0 == " " }) }
        }
        return reasons
    }

    mutating func add(_ kernel: Kernel, model: String, scenario: String, _ answer: Answer) {
        if cells[kernel] == nil { kernels.append(kernel) }
        cells[kernel, default: [:]][model, default: Cell()].entries.append(Entry(scenario: scenario, answer: answer))
    }

    func cell(_ kernel: Kernel, _ model: String) -> Cell { cells[kernel]?[model] ?? Cell() }

    /// Records that do not conform to the model of their own kernel: each is an alarm about the model, the kernel or the tool.
    var falseAlarms: [(kernel: String, scenario: String, event: String)] {
        kernels.flatMap { kernel in
            cell(kernel, kernel.own).telling.map { (kernel.name, $0.scenario, $0.event) }
        }
    }

    // MARK: - Text

    /// The table, then the first event that tells each pair apart, then the pairs that these records do not tell apart.
    var text: String {
        let header = ["kernel \\ model"] + models
        let rows = kernels.map { kernel in
            [kernel.name]
                + models.map { model in
                    let text = cell(kernel, model).text
                    return model == kernel.own ? "[\(text)]" : text
                }
        }
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
        var lines = ([header] + rows).map { row in
            zip(row, widths).map { $0.padding(to: $1) }.joined(separator: "  ").trimmingEnd()
        }
        lines += [
            "",
            "[ ] is the kernel's own model; 'differs 3/8': 3 of 8 records tell the two apart; 'hangs': conforms until a hang, undecided there;",
            "'?': not decided",
        ]
        let told = pairs { $0.telling.first.map { "\($0.scenario): \($0.event)" } }
        if !told.isEmpty { lines += ["", "told apart by"] + told }
        let open = pairs { cell in
            guard cell.telling.isEmpty, !cell.entries.isEmpty else { return nil }
            return cell.conforming + cell.hanging == 0 ? cell.undecided.first.map { "not decided: \($0.reason)" } : nil
        }
        if !open.isEmpty { lines += ["", "not decided"] + open }
        let same = notTold
        if !same.isEmpty { lines += ["", "not told apart by these records"] + same }
        let reasons = models.compactMap { model in
            notToldPairs.contains { $0.model == model || $0.kernel.own == model }
                ? notShown[model].map { "  \(model): \($0)" } : nil
        }
        if !reasons.isEmpty { lines += ["", "what would tell them apart"] + reasons }
        return lines.joined(separator: "\n") + "\n"
    }

    private func pairs(_ what: (Cell) -> String?) -> [String] {
        kernels.flatMap { kernel in
            models.filter { $0 != kernel.own }.compactMap { model in
                what(cell(kernel, model)).map { "  \(kernel.name), model \(model): \($0)" }
            }
        }
    }

    private var notToldPairs: [(kernel: Kernel, model: String)] {
        kernels.flatMap { kernel in
            models.compactMap { model in
                let cell = cell(kernel, model)
                let isOpen = model != kernel.own && cell.telling.isEmpty && cell.conforming + cell.hanging > 0
                return isOpen ? (kernel, model) : nil
            }
        }
    }

    /// One line a kernel: the models of others that its records conform to.
    private var notTold: [String] {
        kernels.compactMap { kernel in
            let names = notToldPairs.filter { $0.kernel == kernel }.map(\.model)
            return names.isEmpty ? nil : "  \(kernel.name): \(names.joined(separator: ", "))"
        }
    }
}

extension String {
    fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
    fileprivate func trimmingEnd() -> String {
        var part = self[...]
        while part.last == " " { part.removeLast() }
        return String(part)
    }
}
