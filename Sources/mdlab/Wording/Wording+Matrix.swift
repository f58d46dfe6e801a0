// SPDX-License-Identifier: GPL-2.0
import Comparison

/// What the matrix says of single answers.
enum MatrixWording {
    /// "6.1 async, model v5.11: differs, smoke: node1 md0_cluster_rec: dlm_lock_start(ack, NL)".
    static func line(_ item: MatrixItem, _ entries: [ComparisonMatrix.Entry], seconds: Double) -> String {
        let cell = ComparisonMatrix.Cell(entries: entries)
        let name = "\(item.kernel.name), model \(item.model)\(item.isOwn ? " (its own)" : ""): "
        let text =
            if let told = cell.telling.first {
                "differs, \(told.scenario): \(told.answer.event ?? "")"
            } else if item.isOwn, let entry = entries.first {
                "\(word(entry.answer)), \(entry.scenario)"
            } else {
                cell.text
            }
        return name + text + (seconds >= 5 ? " (\(Int(seconds)) s)" : "")
    }

    private static func word(_ answer: ComparisonMatrix.Answer) -> String {
        switch answer {
        case .conforms: "conforms"
        case .hangsToo: "hangs as the model can"
        case .differs(let event): "differs: \(event)"
        case .notDecided(let doubt): "not decided: \(doubt)"
        }
    }

    static func goesOn(_ threads: [String]) -> String {
        "hangs, and the model goes on" + (threads.first.map { " with \($0)" } ?? "")
    }

    /// A machine that stands still is no hang of md's, and its trace may lack its end.
    static let noHang = "the run stood still, and its snapshots show no wait that cannot end"

    static func undecidedHang(_ states: Int) -> String {
        "whether the model can stop there is not known after \(states) states"
    }

    static func atRest(_ difference: EndState.Difference) -> String {
        let node = difference.node.map { "\($0) " } ?? ""
        return "at rest, \(node)\(difference.file): \(difference.observed); the model has \(difference.model)"
    }

    /// Each record that is not its own model's, with the command that shows why.
    static func alarms(_ matrix: ComparisonMatrix) -> [String] {
        func lines(_ items: [(kernel: ComparisonMatrix.Kernel, entry: ComparisonMatrix.Entry)]) -> [String] {
            items.flatMap { kernel, entry in
                [
                    "  \(kernel.name), \(entry.scenario): \(word(entry.answer))",
                    "    mdlab compare --variant \(kernel.own) \(entry.folder)",
                ]
            }
        }
        let alarms = lines(matrix.falseAlarms)
        let open = lines(matrix.undecided)
        return (alarms.isEmpty ? [] : ["", "kernels that do not conform to their own model"] + alarms)
            + (open.isEmpty ? [] : ["", "not known to conform to their own model"] + open)
    }
}

extension NotShownError: Worded {
    var line: String {
        switch self {
        case .notALine(let line, let text):
            "kernel-tests/not-shown:\(line): “\(text)” is no reason; write KERNEL MODEL: REASON, names of variants or *"
        case .noVariant(let line, let name):
            "kernel-tests/not-shown:\(line): there is no variant “\(name)”; `mdlab model show` lists them, * is all of them"
        }
    }
    var exitCode: Int32 { Exit.usage }
}
