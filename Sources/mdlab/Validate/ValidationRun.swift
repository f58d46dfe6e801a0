// SPDX-License-Identifier: GPL-2.0
import Foundation
import KernelBuild
import KernelModule
import LineCoverage
import PatchIntake
import Reporting
import RunRecord
import Scenarios
import Validation

/// A validation from the mail to the conclusion. Each stage adds to the report; what was found when it ends, or is
/// broken off, is the report.
actor ValidationRun {
    enum Depth: String { case quick, full }

    struct Patch: Sendable {
        var subject: String
        /// The file that it was written to.
        var path: String
        /// A diff without a message.
        var isPlain: Bool
    }

    let sources: [String]
    /// So many patches of the series; nil for all.
    let length: Int?
    var input: BuildOptions
    let depth: Depth
    let out: URL
    let files: ScenarioFiles
    let progress: RunProgress
    let say: @Sendable (String) -> Void

    private(set) var stages: [StageResult] = []
    var runs: [RunOutcome] = []
    var baseline: [RunOutcome] = []
    /// Runs in which a thread was delayed.
    var delayed = 0
    private var patches: [Patch] = []
    private var kernel = ""
    private var changed = ChangedSource()
    private var counts = LineCounts()
    private var isSameCode = false
    private var unreached: Set<String> = []
    let clock = ContinuousClock()
    let begun = ContinuousClock.now
    private var isComplete = false

    init(
        sources: [String], length: Int? = nil, input: BuildOptions, depth: Depth, out: URL, files: ScenarioFiles,
        progress: RunProgress,
        say: @escaping @Sendable (String) -> Void
    ) {
        (self.sources, self.length, self.input, self.depth, self.out) = (sources, length, input, depth, out)
        (self.files, self.progress, self.say) = (files, progress, say)
    }

    /// Carries the stages out. Throws only what makes a report impossible: a usage error, or an interruption.
    func carryOut() async throws {
        try await intake()
        guard let built = try await build() else { return }
        try module(built)
        // Beside the runs: reading source needs no cluster.
        async let read = StaticStage(input: input, patches: patches, built: built.plain).result()
        if !isSameCode { add(try await ModelStage(input: input).result()) }
        if !isSameCode { try await kernels() }
        add(try await read)
        if !isSameCode { coverageStage() }
        isComplete = true
    }

    private func add(_ result: StageResult) {
        stages.append(result)
        progress.clear()
        say(ValidationText.line(result))
    }

    // MARK: - Stages

    func stage(
        _ name: StageResult.Name, since start: ContinuousClock.Instant, _ word: ValidationWord, _ lines: [String]
    ) {
        add(StageResult(name, word, seconds: (clock.now - start) / .seconds(1), lines: lines))
    }

    private func intake() async throws {
        let start = clock.now
        let tree = input.linux.map { URL(filePath: $0).standardizedFileURL.path }
        let series = try await (tree.map { Intake(tree: $0) } ?? Intake()).series(sources)
        let paths = try series.write(to: out.appending(path: "patches").path)
        patches = zip(series.patches, paths).map { .init(subject: $0.subject.title, path: $1, isPlain: $0.isPlainDiff) }
        if let length { patches = Array(patches.prefix(length)) }
        stage(.intake, since: start, .pass, patches.map(\.subject) + IntakeText.notes(series))
    }

    /// The modules of the whole series, plain and with counters, and those without it.
    private struct Built {
        var plain: BuiltModules
        var unpatched: BuiltModules
    }

    /// Builds each patch on top of those before it. nil when one cannot be built.
    private func build() async throws -> Built? {
        let start = clock.now
        let builder = try KernelBuilder(cache: .standard(), progress: ProgressLine().handler)
        var request = try input.request(builder.catalog)
        let unpatched = try await builder.build(request)
        kernel = unpatched.release
        var plain = unpatched
        for (index, patch) in patches.enumerated() {
            request.patches.append(patch.path)
            do {
                plain = try await builder.build(request)
            } catch let error as KernelBuildError where error.isThePatchs {
                let place = patches.count > 1 ? "patch \(index + 1) of \(patches.count), " : ""
                stage(
                    .build, since: start, error.wordForPatch,
                    ["\(place)\"\(patch.subject)\": \(error.line)"] + error.detail)
                return nil
            }
        }
        input.patch = patches.map(\.path)
        input.coverage = true
        var counted = request
        counted.coverage = true
        let withCounters = try await builder.build(counted)
        counts = try await Gcov(notes: withCounters.notes ?? "", modules: withCounters.debug).nothingRan()
        let text = FileManager.default.contents(atPath: plain.directory + "/changes.diff") ?? Data()
        changed = try ChangedSource(diff: [UInt8](text))
        let count = patches.count
        stage(
            .build, since: start, .pass,
            ["\(count) \(count == 1 ? "patch builds" : "patches build, one on top of the other,") for \(kernel)"]
                + plain.patches.filter(\.isPresent).map { "\($0.patch) is in this kernel already" })
        return Built(plain: plain, unpatched: unpatched)
    }

    /// What the patch does to the modules as the kernel sees them.
    private func module(_ built: Built) throws {
        let start = clock.now
        var names: [String] = []
        for (name, path) in built.plain.modules.sorted(by: { $0.key < $1.key }) {
            guard let before = built.unpatched.modules[name] else { continue }
            let sections = try CodeDigest(path: path).differences(from: CodeDigest(path: before))
            if !sections.isEmpty { names.append(name) }
        }
        isSameCode = names.isEmpty
        stage(
            .module, since: start, .pass,
            isSameCode
                ? ["the compiler makes the same code as without the patch"]
                : [
                    "changes \(names.joined(separator: ", ")); functions: "
                        + PatchCoverage(changed, counts).functions.sorted().joined(separator: ", ")
                ])
    }

    // MARK: - Kernels

    private static let quickRuns = 4
    private static let repetitions = 2
    /// Seconds after which a run is not repeated by a short check.
    private static let longRun = 90.0

    private func kernels() async throws {
        let start = clock.now
        let catalogue = try files.catalogue()
        let suite = try catalogue.plan(
            files.suiteNames(kernel: input.kernel), variants: files.variants()
        ).filter { $0.variant == nil }.map(\.instance)
        let functions = changedFunctions
        let table = try files.reach()
        unreached = table.unreached(functions)
        var names = table.scenarios(
            reaching: functions, among: suite.map(\.name), limit: depth == .quick ? Self.quickRuns : suite.count)
        if names.isEmpty { names = ["smoke"] }
        if depth == .full { names += suite.map(\.name).filter { !names.contains($0) } }
        let chosen = names.compactMap { name in suite.first { $0.name == name } }

        let patched = laboratory(input, "runs")
        let unpatched = try await Unpatched(input, files: files)
        for instance in chosen {
            try Task.checkCancellation()
            try await run(instance, on: patched)
            try await compare(instance, patched, unpatched)
            // A short check ends with the first fault that is the patch's.
            if depth == .quick, isBlamed { break }
        }
        let word: ValidationWord = isBlamed ? .fail : runs.allSatisfy { $0.word == .miss } ? .miss : .pass
        let scenarios = Set(runs.map(\.scenario)).count
        stage(
            .kernels, since: start, word,
            ["\(runs.count) runs of \(scenarios) of \(chosen.count) scenarios, \(baseline.count) without the patch"])
        guard !isBlamed, word != .miss else { return }
        try await schedules(functions)
        if !isBlamed { try await delays(functions, among: suite) }
    }

    /// The unpatched kernel: its runs are kept.
    private struct Unpatched {
        let input: BuildOptions
        let store: BaselineStore

        init(_ patched: BuildOptions, files: ScenarioFiles) async throws {
            var plain = patched
            plain.patch = []
            input = plain
            let builder = try KernelBuilder(cache: .standard())
            let stock = try await builder.build(try plain.request(builder.catalog))
            store = BaselineStore(cache: builder.cache, build: stock.key, files: files)
        }
    }

    private var faults: [Fault] {
        Fault.all(patched: runs, baseline: baseline, changed: changedFunctions)
    }

    /// Whether something is the patch's fault: more of the same says nothing new.
    var isBlamed: Bool { faults.contains { $0.blame == .patch } }

    private var changedFunctions: Set<String> { PatchCoverage(changed, counts).functions }

    private func laboratory(_ input: BuildOptions, _ folder: String) -> ScenarioLaboratory {
        ScenarioLaboratory(input: input, files: files, out: out.appending(path: folder).path, progress: progress)
    }

    private func run(_ instance: ScenarioInstance, on laboratory: ScenarioLaboratory) async throws {
        let outcome = try await laboratory.run(instance)
        runs.append(outcome)
        if let record = outcome.record, let ran = try? CoverageFile.read(RunLayout(root: URL(filePath: record))) {
            counts.add(ran)
        }
        say("  " + ValidationText.line(outcome))
    }

    /// What was wrong once is run again, with the patch and without it: a fault that the unpatched kernel has too is
    /// not the patch's.
    private func compare(
        _ instance: ScenarioInstance, _ patched: ScenarioLaboratory, _ unpatched: Unpatched
    ) async throws {
        let isFaulty = runs.last?.isFaulty ?? false
        var known = await unpatched.store.outcomes(instance)
        let wanted = isFaulty ? Self.repetitions : depth == .full ? 1 : 0
        let laboratory = laboratory(unpatched.input, "baseline")
        // A lab that fails gives nothing to compare with, and is not tried for ever.
        for _ in known.count..<max(wanted, known.count) {
            try Task.checkCancellation()
            let outcome = try await laboratory.run(instance)
            say("  without the patch: " + ValidationText.line(outcome))
            known.append(outcome)
            try await unpatched.store.keep(outcome, of: instance)
        }
        baseline += known.filter { $0.word != .miss }
        // A short check does not wait a second time for what did not come in minutes.
        guard isFaulty, depth == .full || runs.last?.seconds ?? 0 < Self.longRun else { return }
        for _ in 1..<Self.repetitions {
            try Task.checkCancellation()
            try await run(instance, on: patched)
        }
    }

    private func coverageStage() {
        let start = clock.now
        let coverage = PatchCoverage(changed, counts)
        let word: ValidationWord = coverage.neverRan.isEmpty && !coverage.ran.isEmpty ? .pass : .notDecided
        stage(.coverage, since: start, word, ValidationText.coverage(coverage))
    }

    // MARK: - The report

    /// Wall-clock time so far.
    var seconds: Double { (clock.now - begun) / .seconds(1) }

    var report: ValidationReport {
        let coverage = PatchCoverage(changed, counts)
        let evidence = Conclusion.Evidence(
            stages: stages, runs: runs, faults: faults, coverage: coverage, isSameCode: isSameCode,
            unreached: unreached, delayed: delayed, isComplete: isComplete)
        return ValidationReport(
            patches: patches.map(\.subject), kernel: kernel, conclusion: Conclusion(evidence), stages: stages,
            runs: runs, baseline: baseline, faults: faults, changed: coverage.places.map { .init($0) })
    }
}

extension RunOutcome {
    var isFaulty: Bool {
        if case .differs = comparison { return true }
        return word == .fail || word == .userSpace
    }
}

extension ValidationReport.ChangedLine {
    init(_ place: PatchCoverage.Place) {
        let isRemoved = place.change.kind != .written
        var count: UInt64?
        if case .ran(let times) = place.state { count = times }
        self.init(
            file: place.change.path, line: place.change.line, text: place.change.text, removed: isRemoved,
            state: ValidationText.state(place.state), count: count)
    }
}

extension KernelBuildError {
    /// Whether the patch is to blame, and not the machine.
    fileprivate var isThePatchs: Bool {
        switch self {
        case .patchConflicts, .compileFailed, .unreadablePatch, .wouldNotLoad: true
        default: false
        }
    }

    fileprivate var wordForPatch: ValidationWord {
        switch self {
        case .compileFailed, .wouldNotLoad: .fail
        default: .error
        }
    }

    fileprivate var detail: [String] {
        switch self {
        case .compileFailed(let errors, _): errors
        case .patchConflicts(let report): PatchText.text(report).split(separator: "\n").map(String.init)
        default: []
        }
    }
}

extension ScenarioFiles {
    /// kernel-tests/reach, as runs of the unchanged 6.1 showed it.
    func reach() throws -> ReachTable {
        let file = suite.deletingLastPathComponent().appending(path: "reach")
        guard let text = try? String(contentsOf: file, encoding: .utf8), let table = ReachTable(text: text) else {
            throw ScenarioError.unreadable(file.path, reason: "it is not a table of scenarios and functions")
        }
        return table
    }
}
