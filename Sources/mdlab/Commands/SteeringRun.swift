// SPDX-License-Identifier: GPL-2.0
import Comparison
import Foundation
import KernelModule
import KernelTrace
import NearNames
import ProtocolTrace
import Reporting
import RunRecord
import Scenarios
import Steering
import VirtualCluster

/// What is to be steered: a schedule, or several that are tried one after the other for a counterexample.
struct SteeringRequest: Sendable {
    var candidates: [Planning.Candidate]
    var variant: String?
    /// Where it comes from, for messages.
    var file: String

    var schedule: Schedule { candidates[0].schedule }
    var planned: PlannedRun { PlannedRun(schedule.scenario.instances[0], variant: variant) }
    var name: String { planned.name }
}

/// The schedules of the source tree.
struct ScheduleFiles {
    let folder: URL
    let variants: [String]

    init(_ files: ScenarioFiles) {
        folder = files.folder.deletingLastPathComponent().appending(path: "schedules")
        variants = files.variants()
    }

    var names: [String] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
    }

    /// What a name of the command line stands for.
    func request(_ text: String, variant asked: String?) throws -> SteeringRequest {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let name = parts[0]
        var variant = parts.count > 1 ? parts[1] : asked
        let candidates: [Planning.Candidate]
        if name.hasSuffix(".json") {
            let file = URL(filePath: name)
            let prediction = try Prediction.read(file: file)
            variant = variant ?? prediction.document.meta.variant
            candidates = try Planning.schedules(
                for: prediction, name: file.deletingPathExtension().lastPathComponent)
        } else {
            let file = name.hasSuffix(".yaml") ? URL(filePath: name) : folder.appending(path: name + ".yaml")
            if !name.hasSuffix(".yaml"), !names.contains(name) {
                throw ScheduleError.noSchedule(name, near: NameSuggestions.of(name, among: names), known: names)
            }
            let schedule = try ScheduleReader.read(file: file)
            let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
            candidates = [.init(schedule: schedule, text: text)]
        }
        // What the model calls v5.11 is the kernel as it is.
        if variant == "v5.11" { variant = nil }
        if let variant, !variants.contains(variant) {
            throw ScenarioError.unknownVariant(
                variant, near: NameSuggestions.of(variant, among: variants), known: variants)
        }
        return SteeringRequest(candidates: candidates, variant: variant, file: URL(filePath: name).lastPathComponent)
    }
}

/// One steered run, or several attempts at it, from the build of the modules to the verdict.
struct SteeringRun: Sendable {
    let request: SteeringRequest
    let input: BuildOptions
    let out: String
    let files: ScenarioFiles
    let unsteered: Bool
    let attempts: Int
    let progress: RunProgress

    struct Outcome: Sendable {
        var verdict: Verdict
        var folder: String
        var report: SteeringReport
        /// nil when the run did not hang.
        var match: DeadlockMatch?
        /// Wall time from the restored cluster to the end, in seconds.
        var seconds: Double
        /// What a person wants to know.
        var lines: [String]
        var reached: Bool { match?.matches ?? false }
    }

    /// The last attempt. Another schedule is tried when the kernel went another way than the one before.
    func outcome() async throws -> Outcome {
        let functions = try await instrumentedFunctions()
        let mistakes = request.candidates.map { $0.schedule.unknownFunction(among: functions, file: request.file) }
        if let mistake = mistakes[0], mistakes.allSatisfy({ $0 != nil }) { throw mistake }
        let tries = zip(request.candidates, mistakes).filter { $0.1 == nil }.map(\.0).prefix(attempts)
        var lines: [String] = []
        for (number, candidate) in tries.enumerated() {
            var outcome = try await outcome(of: candidate)
            outcome.lines = lines + outcome.lines
            let expected = candidate.schedule.scenario.variants[request.variant ?? ""] != nil
            let came = outcome.report.isComplete && (outcome.reached || !expected)
            if unsteered || came || number == tries.count - 1 {
                return outcome
            }
            lines = outcome.lines + ["trying another schedule, \(number + 2) of \(tries.count)"]
        }
        throw PlanError.notForced(gates: 0, tried: 0)
    }

    /// The functions of the modules that will run: inlined ones too, for gcc keeps a copy of what it reports.
    private func instrumentedFunctions() async throws -> Set<String> {
        let laboratory = try Laboratory(progress: ProgressLine().handler)
        var build = try input.request(laboratory.builder.catalog)
        (build.variant, build.instrument) = (request.variant, true)
        let modules = try await laboratory.builder.build(build).modules
        var functions: Set<String> = []
        for (_, path) in modules {
            functions.formUnion(try KernelModuleFile(path: path).symbols.filter(\.isFunction).map(\.name))
        }
        return functions
    }

    private func outcome(of candidate: Planning.Candidate) async throws -> Outcome {
        let schedule = candidate.schedule
        let run = PlannedRun(schedule.scenario.instances[0], variant: request.variant)
        let folder = try RunFolder.make(in: out, for: run, text: candidate.text)
        var input = input
        input.instrument = true
        let driver = RunDriver(
            run: run, input: input, cold: false, layout: folder, rules: files.rules, progress: progress)
        let lab = try await driver.bringUp()
        let start = ContinuousClock.now
        let log = SteeringLog(entries: schedule.order.count)
        let steering = ScheduleDriver(
            schedule: schedule, gates: KernelGates(lab.cluster.nodes), log: log, holds: !unsteered)
        var runner = ScenarioRunner(
            instance: run.instance, cluster: lab.cluster, patience: Patience(slowness: lab.slowness))
        runner.steer(with: steering, log: log)
        let outcome = await runner.run()
        await lab.finish(outcome.ending)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        progress.clear()
        let recorded = try RecordedRun(folder)
        var verdict = recorded.verdict(rules: files.rules)
        try VerdictFile.write(verdict, name: run.name, to: folder)
        var match: DeadlockMatch?
        if case .hang = outcome.problem, !schedule.deadlock.isEmpty {
            match = DeadlockMatch(schedule.predictedWaits, in: recorded.lastSnapshots)
        }
        var lines = SteeringWording.lines(log.report, match: match, schedule: schedule, hung: outcome.ending == .hung)
        let predicted = schedule.scenario.variants[request.variant ?? ""] != nil && !schedule.deadlock.isEmpty
        if !unsteered, !log.report.isComplete || (predicted && match?.matches != true) {
            lines += SteeringWording.lines(try Self.comparison(folder))
        }
        // It failed as it had to, but not so as the schedule says: another schedule may do it.
        if verdict.word == .xfail, predicted, let match, !match.matches {
            (verdict.word, verdict.reason) = (.miss, "it hung in another state than predicted")
        }
        return Outcome(
            verdict: verdict, folder: folder.root.relativePath, report: log.report, match: match, seconds: seconds,
            lines: lines)
    }
}

extension SteeringRun {
    /// Enough for a run of some seconds, and at most some seconds themselves.
    private static let statesToCompare = 1_000_000

    /// Whether the model allows what the kernels did: then it is the schedule that they cannot follow, else one of the
    /// two is wrong.
    fileprivate static func comparison(_ folder: RunLayout) throws -> ModelComparison {
        try ModelComparison(try Recording.open(folder.root), limit: statesToCompare)
    }
}

extension RecordedRun {
    /// The last snapshot of each node.
    var lastSnapshots: [NodeSnapshot] {
        guard let last = snapshots.max(by: { $0.time < $1.time }) else { return [] }
        return snapshots.filter { $0.label == last.label }
    }
}

/// How often what came, for `--repeat`.
struct SteeringTally {
    private var counts: [(name: String, runs: Int, hung: Int, reached: Int, followed: Int, seconds: [Double])] = []

    mutating func add(_ name: String, _ outcome: SteeringRun.Outcome) {
        let index = counts.firstIndex { $0.name == name } ?? counts.count
        if index == counts.count { counts.append((name, 0, 0, 0, 0, [])) }
        counts[index].runs += 1
        counts[index].hung += outcome.match == nil ? 0 : 1
        counts[index].reached += outcome.reached ? 1 : 0
        counts[index].followed += outcome.report.isComplete ? 1 : 0
        counts[index].seconds.append(outcome.seconds)
    }

    var lines: [String] {
        counts.map { count in
            let longest = String(format: "%.1f", count.seconds.max() ?? 0)
            let mean = String(format: "%.1f", count.seconds.reduce(0, +) / Double(max(count.runs, 1)))
            return "\(count.name): \(count.runs) runs, \(count.followed) followed the schedule, \(count.hung) hung, "
                + "\(count.reached) in the predicted state; \(mean) s each, the longest \(longest) s"
        }
    }
}
