// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Comparison
import Foundation
import KernelTrace
import MDClusterModel
import RunRecord

struct CompareMatrix: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare-matrix",
        abstract: "Hold recorded kernels against every variant of the reference model.",
        discussion: """
            A row for each kernel among the records, a column for each variant of the model. A kernel has to conform to its \
            own model: one that does not is an exit with 1. `make compare-matrix` makes the records first, one of each run \
            that kernel-tests/compare-matrix names.
            """)

    @Argument(help: "Folders of runs, or folders that have such folders in them.") var runs: [String]
    @Option(help: ArgumentHelp("Only this variant of the model; may be given several times.", valueName: "name"))
    var model: [String] = []
    @Option(help: "States after which one comparison gives up.") var limit = 3_000_000

    func validate() throws {
        for name in model where !Variants.all.contains(where: { $0.name == name }) {
            throw ValidationError(
                "there is no model variant \(name): give one of \(Variants.all.map(\.name).joined(separator: ", ")).")
        }
        guard limit > 0 else { throw ValidationError("--limit \(limit): give 1 or more.") }
    }

    func run() throws {
        let folders = try RunFolders.find(in: runs)
        let models = model.isEmpty ? Variants.all.map(\.name) : Variants.all.map(\.name).filter(model.contains)
        let reasons = try ScenarioFiles.locate().notShown
        var matrix = ComparisonMatrix(
            models: models, notShown: ComparisonMatrix.reasons(in: try String(contentsOf: reasons, encoding: .utf8)))
        let progress = ProgressLine()
        for (number, folder) in folders.enumerated() {
            let record = try ComparableRecord(folder)
            for model in models {
                progress.show(
                    "\(number + 1) of \(folders.count): \(record.kernel.name), \(record.scenario), model \(model)")
                matrix.add(
                    record.kernel, model: model, scenario: record.scenario,
                    try record.answer(model: model, limit: limit))
            }
        }
        progress.clear()
        print(matrix.text, terminator: "")
        let alarms = matrix.falseAlarms
        guard !alarms.isEmpty else { return }
        print("\nkernels that do not conform to their own model")
        for alarm in alarms { print("  \(alarm.kernel), \(alarm.scenario): \(alarm.event)") }
        throw ExitCode(Exit.fail)
    }
}

/// The records below the folders of a command line.
enum RunFolders {
    /// A folder with a run.json is a record; another one is looked through, one level deep after the other. In the order of
    /// their names. Throws `RecordingError` for one without any record.
    static func find(in paths: [String]) throws -> [URL] {
        try paths.flatMap { path in
            let found = records(below: URL(filePath: path), depth: 3)
            if found.isEmpty { _ = try Recording.open(URL(filePath: path)) }
            return found
        }
    }

    private static func records(below folder: URL, depth: Int) -> [URL] {
        let files = FileManager.default
        if files.fileExists(atPath: RunLayout(root: folder).description.path) { return [folder] }
        guard depth > 0 else { return [] }
        let names = (try? files.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.sorted().filter { !$0.hasPrefix(".") }.flatMap {
            records(below: folder.appending(path: $0), depth: depth - 1)
        }
    }
}

/// A record, as the matrix needs it.
struct ComparableRecord {
    let kernel: ComparisonMatrix.Kernel
    let scenario: String
    private let recording: Recording

    init(_ folder: URL) throws {
        recording = try Recording.open(folder)
        kernel = Self.kernel(recording.description, own: Comparison.variant(of: recording))
        scenario = recording.description.scenario
    }

    /// "6.1", "6.1 async", "6.12 stock".
    static func kernel(_ description: RunDescription, own: String) -> ComparisonMatrix.Kernel {
        let version = description.kernelRelease.split(separator: ".").prefix(2).joined(separator: ".")
        let isStock = !description.modules.isEmpty && description.modules.allSatisfy(\.stock)
        let name = version + (description.variant.map { " \($0)" } ?? "") + (isStock ? " stock" : "")
        return .init(name: name, own: own)
    }

    func answer(model: String, limit: Int) throws -> ComparisonMatrix.Answer {
        let comparison = try Comparison(recording, variant: model, limit: limit)
        switch comparison.answer {
        case .conforms: return recording.description.ending == .hung ? try hang(model: model) : .conforms
        case .notDecided(let doubts): return .notDecided(doubts.first.map { ComparisonWording.text($0) } ?? "")
        case .doesNotConform(let mismatch):
            guard let event = mismatch.event else { return .differs("at the end of the traces") }
            return .differs("\(event.node) \(event.comm): \(event.label)")
        }
    }

    /// What the hang at the end is to the model, under the workload that shows the own variant's fault soonest.
    private func hang(model: String) throws -> ComparisonMatrix.Answer {
        let own = Variants.all.first { $0.name == kernel.own }?.trial
        let match = try HangMatch.find(
            in: recording.nodes.flatMap(\.snapshots), variant: model,
            workloads: own.map { [(nodes: $0.nodes, text: $0.workload)] } ?? [])
        return switch match {
        case .deadlock: .hangsToo
        case .notInModel: .differs("a hang that is no deadlock of \(model)\(own.map { " (\($0.workload))" } ?? "")")
        case .noHang, .noCycle, .notDecided: .conformsUntilHang
        }
    }
}
