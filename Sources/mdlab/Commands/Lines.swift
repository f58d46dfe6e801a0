// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Foundation
import LineCoverage
import ProtocolTrace
import RunRecord
import Validation

/// `mdlab lines`: what lines of md ran in recorded runs.
struct Lines: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what lines and functions of drivers/md recorded runs executed, and what of their patch.",
        discussion: """
            The runs must have been made with --coverage. The record's coverage.info is a tracefile of lcov: genhtml draws it.
            """)

    @Argument(help: "Folders of runs.") var runs: [String]
    @Flag(help: "List the functions that no run entered.") var functions = false
    @Option(help: ArgumentHelp("Write which scenario reaches which function (kernel-tests/reach).", valueName: "file"))
    var reach: String?
    @Option(help: ArgumentHelp("Write the counts of all runs together as one tracefile.", valueName: "file"))
    var merge: String?

    func validate() throws {
        if runs.isEmpty { throw ValidationError("name the folder of a run.") }
    }

    func run() throws {
        var all = LineCounts()
        var table = ReachTable()
        for folder in runs {
            let layout = RunLayout(root: URL(filePath: folder))
            let counts = try CoverageFile.read(layout)
            all.add(counts)
            table.add(try Recording.open(layout.root).description.scenario, counts.functionsThatRan)
            let changes = [UInt8](FileManager.default.contents(atPath: layout.changes.path) ?? Data())
            let patch = PatchCoverage(try ChangedSource(diff: changes), counts)
            if !patch.places.isEmpty {
                print("\(folder): " + ValidationText.coverage(patch).joined(separator: "\n  "))
            }
        }
        for (path, file) in all.files.sorted(by: { $0.key < $1.key }) {
            let (lines, ran) = (file.lines.count, file.lines.values.count { $0 > 0 })
            let entered = file.functions.values.count { $0.count > 0 }
            print("\(path): \(ran) of \(lines) lines, \(entered) of \(file.functions.count) functions")
            guard functions else { continue }
            let never = file.functions.filter { $0.value.count == 0 }.sorted { $0.value.line < $1.value.line }
            never.forEach { print("  never entered: \($0.key), line \($0.value.line)") }
        }
        if let reach {
            let head = """
                # SPDX-License-Identifier: GPL-2.0
                # Which functions of drivers/md each scenario reaches, as one run of the unchanged kernel with --coverage showed it.
                # mdlab lines RUN... --reach kernel-tests/reach makes it anew.

                """
            try Data((head + table.text).utf8).write(to: URL(filePath: reach))
        }
        if let merge { try Data(all.traceFile().utf8).write(to: URL(filePath: merge)) }
    }
}
