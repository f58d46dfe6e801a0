// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Comparison
import Conformance
import Dispatch
import Foundation
import KernelTrace
import MDClusterModel
import ProtocolTrace
import Reporting
import RunRecord
import Synchronization

struct CompareMatrix: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare-matrix",
        abstract: "Hold recorded kernels against every variant of the reference model.",
        discussion: """
            A row for each kernel among the records, a column for each variant of the model. A kernel has to conform to its \
            own model: one that does not is an exit with 1. `make compare-matrix` makes the records first, one of each run \
            that kernel-tests/compare-matrix names. Each answer is printed when it is there; the table is the end.
            """)

    @Argument(help: "Folders of runs, or folders that have such folders in them.") var runs: [String]
    @Option(help: ArgumentHelp("Only this variant of the model; may be given several times.", valueName: "name"))
    var model: [String] = []
    @Flag(help: "Compare each kernel with its own model only.") var own = false
    @Option(help: "States after which one comparison gives up.") var limit = 1_000_000

    func validate() throws {
        for name in model where !Variants.all.contains(where: { $0.name == name }) {
            throw ValidationError(
                "there is no model variant \(name): give one of \(Variants.all.map(\.name).joined(separator: ", ")).")
        }
        if own, !model.isEmpty { throw ValidationError("--own and --model exclude each other: give one of them.") }
        guard limit > 0 else { throw ValidationError("--limit \(limit): give 1 or more.") }
    }

    func run() throws {
        let variants = Variants.all.map(\.name)
        let models = model.isEmpty ? variants : variants.filter(model.contains)
        let text = try String(contentsOf: ScenarioFiles.locate().notShown, encoding: .utf8)
        let notShown = try NotShown.read(text, variants: variants)
        let records = try Self.parallel(try RunFolders.find(in: runs)) { try ComparableRecord($0) }
        let items = MatrixItem.all(records.map(\.kernel), models: models).filter { !own || $0.isOwn }
        let output = Mutex(())
        let answers = try Self.parallel(items) { item in
            let start = ContinuousClock.now
            let entries = try item.entries(records, limit: limit)
            let line = MatrixWording.line(item, entries, seconds: (ContinuousClock.now - start) / .seconds(1))
            output.withLock { _ in Terminal.write((line + "\n")) }
            return entries
        }
        var matrix = ComparisonMatrix(models: models, notShown: notShown)
        for (item, entries) in zip(items, answers) {
            for entry in entries { matrix.add(item.kernel, model: item.model, entry) }
        }
        print("\n" + matrix.text, terminator: "")
        for line in MatrixWording.alarms(matrix) { print(line) }
        if !matrix.falseAlarms.isEmpty { throw ExitCode(Exit.fail) }
        if !matrix.undecided.isEmpty { throw ExitCode(Exit.untestable) }
    }

    /// All at once, as many as there are processors; the results in the order of the elements. Throws the first error.
    private static func parallel<Element: Sendable, Value: Sendable>(
        _ elements: [Element], _ work: @Sendable (Element) throws -> Value
    ) throws -> [Value] {
        let results = Mutex([Result<Value, any Error>?](repeating: nil, count: elements.count))
        DispatchQueue.concurrentPerform(iterations: elements.count) { index in
            let result = Result { try work(elements[index]) }
            results.withLock { $0[index] = result }
        }
        return try results.withLock { $0 }.compactMap { try $0?.get() }
    }
}

/// What is decided in one go: a record against its kernel's own model, or a kernel against another variant's.
struct MatrixItem: Equatable, Sendable {
    var kernel: ComparisonMatrix.Kernel
    var model: String
    /// Numbers of records, in the order in which they are tried.
    var records: [Int]

    var isOwn: Bool { model == kernel.own }

    /// Own models come first: nothing else is worth much if one of them does not fit.
    static func all(_ kernels: [ComparisonMatrix.Kernel], models: [String]) -> [MatrixItem] {
        var rows: [ComparisonMatrix.Kernel] = []
        for kernel in kernels where !rows.contains(kernel) { rows.append(kernel) }
        let own = rows.filter { models.contains($0.own) }.flatMap { row in
            kernels.indices.filter { kernels[$0] == row }.map { MatrixItem(kernel: row, model: row.own, records: [$0]) }
        }
        let others = rows.flatMap { row in
            models.filter { $0 != row.own }.map { model in
                MatrixItem(kernel: row, model: model, records: kernels.indices.filter { kernels[$0] == row })
            }
        }
        return own + others
    }

    /// The answers of its records, up to the first that tells kernel and model apart.
    func entries(_ all: [ComparableRecord], limit: Int) throws -> [ComparisonMatrix.Entry] {
        var entries: [ComparisonMatrix.Entry] = []
        for number in records {
            let record = all[number]
            let answer = try record.answer(model: model, limit: limit)
            entries.append(.init(scenario: record.scenario, folder: record.folder, answer: answer))
            if answer.event != nil { break }
        }
        return entries
    }
}

/// The records below the folders of a command line.
enum RunFolders {
    /// A folder with a run.json is a record; another one is looked through, one level deep after the other. In the
    /// order of their names. Throws `RecordingError` for one without any record.
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
struct ComparableRecord: Sendable {
    let kernel: ComparisonMatrix.Kernel
    let scenario: String
    let folder: String
    private let recording: Recording

    init(_ folder: URL) throws {
        recording = try Recording.open(folder)
        kernel = Self.kernel(recording.description, own: ModelComparison.variant(of: recording))
        scenario = recording.description.scenario
        self.folder = folder.relativePath
    }

    /// "6.1", "6.1 async", "6.12 stock".
    static func kernel(_ description: RunDescription, own: String) -> ComparisonMatrix.Kernel {
        let version = description.kernelRelease.split(separator: ".").prefix(2).joined(separator: ".")
        let isStock = !description.modules.isEmpty && description.modules.allSatisfy(\.stock)
        let name = version + (description.variant.map { " \($0)" } ?? "") + (isStock ? " stock" : "")
        return .init(name: name, own: own)
    }

    /// Events, then the end: a hang that the model does not have, or a state in which it does not come to rest.
    func answer(model: String, limit: Int) throws -> ComparisonMatrix.Answer {
        let comparison = try ModelComparison(recording, variant: model, limit: limit)
        switch comparison.answer {
        case .conforms: break
        case .notDecided(let doubts): return .notDecided(doubts.first.map { ComparisonWording.text($0) } ?? "")
        case .doesNotConform(let mismatch):
            guard let event = mismatch.event else { return .differs("at the end of the traces") }
            return .differs("\(event.node) \(event.comm): \(event.label)")
        }
        if recording.description.ending == .hung {
            let isSeen = !HangCheck.hangs(in: recording.nodes.flatMap(\.snapshots)).isEmpty
            switch HangEnd(comparison, limit: limit) {
            case .stops?, nil: return .hangsToo
            case .goesOn? where !isSeen: return .notDecided(MatrixWording.noHang)
            case .goesOn(let threads)?: return .differs(MatrixWording.goesOn(threads))
            case .notDecided(let states)?: return .notDecided(MatrixWording.undecidedHang(states))
            }
        }
        let endState = EndState(comparison, recording)
        guard endState.answer == .differs, let difference = endState.differences.first else { return .conforms }
        return .differs(MatrixWording.atRest(difference))
    }
}
