// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Foundation
import KernelBuild
import Reporting
import RunRecord
import Scenarios
import VirtualCluster

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run scenarios in a cluster of VMs and judge what the kernels did.",
        discussion: """
            A NAME is a scenario (smoke), one of its runs (smoke/3-nodes, fail-device/raid10), all of them (smoke/all), everything \
            (all), or one of these with a broken kernel that must be caught (smoke@async). Without a name the suite of \
            kernel-tests/suite runs, or the kernel's own (suite-6.12). Results go to stdout, as a summary on a terminal and as KTAP in a pipe.
            """)

    @Argument(help: "Scenarios.") var names: [String] = []
    @OptionGroup var input: BuildOptions
    @Option(help: "How many nodes, 2 to 4.") var nodes: Int?
    @Flag(help: "Boot the cluster, even when a saved one could be used.") var cold = false
    @Flag(help: "Take the distribution's own md modules, which this project has neither patched nor built.")
    var stock = false
    @Option(help: ArgumentHelp("Where the folders of the runs are made.", valueName: "dir")) var out = "runs"
    @Option(help: ArgumentHelp("summary or ktap.", valueName: "format")) var format: ResultStream.Format?
    @Option(
        help: ArgumentHelp(
            "A fault from outside: 'crash node2 3.5', or 'cut node1 node2 3.5 2', after so many seconds (and for so many).",
            valueName: "fault"))
    var disturb: String?
    @Flag(help: "List what can be run.") var list = false

    func validate() throws {
        if let disturb, Disturbance(disturb, nodes: 4) == nil {
            throw ValidationError("--disturb \(disturb): say 'crash node2 3.5' or 'cut node1 node2 3.5 2'.")
        }
        if let nodes, !(2...4).contains(nodes) { throw ValidationError("--nodes \(nodes): give 2, 3 or 4.") }
        if stock, input.linux != nil || !input.patch.isEmpty || input.variant != nil {
            throw ValidationError(
                "--stock takes the packaged modules as they are: leave --linux, --patch and --variant out.")
        }
    }

    func run() async throws {
        let files = try ScenarioFiles.locate()
        let catalogue = try files.catalogue()
        if list {
            print(ScenarioFiles.list(catalogue), terminator: "")
            return
        }
        let plan = try catalogue.plan(
            names.isEmpty ? try files.suiteNames(kernel: input.kernel) : names, nodes: nodes, variant: input.variant,
            variants: files.variants())
        if stock, let broken = plan.first(where: { $0.variant != nil }) {
            throw ValidationError("--stock takes the packaged modules as they are: leave \(broken.name) out.")
        }
        let interruption = Interruption()
        let words = try await carryOut(plan, files: files, interruption: interruption)
        throw ExitCode(RunExit(words: words, interrupted: interruption.isInterrupted).rawValue)
    }

    /// After so many runs in a row that the lab could not do, the rest is left out: the next boot would take minutes to
    /// fail too.
    private static let labFailuresUntilStop = 2

    private func carryOut(
        _ plan: [PlannedRun], files: ScenarioFiles, interruption: Interruption
    ) async throws -> [VerdictWord] {
        let environment = ProcessInfo.processInfo.environment
        let progress = RunProgress.standardError(environment: environment)
        var results = ResultStream.standardOutput(format, environment: environment)
        results.begin(runs: plan.count)
        var labFailures = 0
        for run in plan {
            if interruption.isInterrupted || labFailures >= Self.labFailuresUntilStop {
                let reason = interruption.isInterrupted ? "interrupted" : "the lab failed \(labFailures) times in a row"
                results.missing(name: run.name, word: .skip, reason: reason)
                continue
            }
            do {
                let folder = try RunFolder.make(in: out, for: run, file: files.file(of: run.instance.scenario))
                let driver = RunDriver(
                    run: run, input: input, cold: cold, stock: stock,
                    disturbance: disturb.flatMap { Disturbance($0, nodes: run.instance.nodes) }, layout: folder,
                    rules: files.rules,
                    progress: progress)
                let verdict = try await interruption.cancelling { try await driver.verdict() }
                progress.clear()
                results.add(verdict, name: run.name, folder: folder.root.relativePath)
                labFailures = verdict.word == .miss ? labFailures + 1 : 0
            } catch let error where !interruption.isInterrupted && (error as? any Worded)?.exitCode == Exit.usage {
                progress.clear()
                throw error
            } catch {
                progress.clear()
                labFailures += 1
                let reason = interruption.isInterrupted ? "interrupted" : (error as? any Worded)?.line ?? "\(error)"
                results.missing(name: run.name, word: .miss, reason: reason)
            }
        }
        results.end()
        return results.words
    }
}

/// One run from the build of its modules to its verdict.
struct RunDriver: Sendable {
    let run: PlannedRun
    let input: BuildOptions
    let cold: Bool
    var stock = false
    var disturbance: Disturbance?
    let layout: RunLayout
    let rules: URL
    let progress: RunProgress

    func verdict() async throws -> Verdict {
        let lab = try await bringUp()
        var runner = ScenarioRunner(
            instance: run.instance, cluster: lab.cluster, patience: Patience(slowness: lab.slowness))
        runner.disturbance = disturbance
        let outcome = await runner.run()
        await lab.finish(outcome.ending)
        let verdict = try RecordedRun(layout).verdict(rules: rules)
        try VerdictFile.write(verdict, name: run.name, to: layout)
        return verdict
    }

    /// A cluster that is up, its md modules not loaded yet.
    struct Lab: Sendable {
        let cluster: QEMUCluster
        /// How much slower than an idle desktop the machine is.
        let slowness: Double
        fileprivate let laboratory: Laboratory
        fileprivate let bench: Laboratory.Bench

        func finish(_ ending: RunDescription.Ending) async {
            await laboratory.finish(cluster, of: bench, ending)
        }
    }

    /// Every scenario gets these disks at least, so that one saved cluster serves all scenarios with as many nodes.
    private static let (leastDisks, leastMiB) = (8, 64)

    func bringUp() async throws -> Lab {
        let (progress, name) = (self.progress, run.name)
        let laboratory = try Laboratory(progress: ProgressLine().handler)
        var request = try input.request(laboratory.builder.catalog)
        request.variant = run.variant
        var bench = try await laboratory.prepare(request, nodes: run.instance.nodes, stock: stock)
        bench.configuration.disks = max(run.instance.scenario.disks, Self.leastDisks)
        bench.configuration.diskSize = max(run.instance.scenario.diskMiB, Self.leastMiB) << 20
        let recorder = try laboratory.record(bench, scenario: run.instance.name, cold: cold, in: layout) {
            progress.show($0, of: name)
        }
        let clock = ContinuousClock()
        let start = clock.now
        let cluster: QEMUCluster
        do {
            cluster = try await laboratory.start(bench, cold: cold, recorder: recorder)
        } catch {
            let reason = (error as? any Worded)?.line ?? "\(error)"
            recorder.note(.note, reason, ["problem": reason, "blame": "lab"])
            recorder.close(RunDescription.Ending(of: error))
            throw error
        }
        let seconds = (clock.now - start) / .seconds(1)
        return Lab(
            cluster: cluster, slowness: seconds / (cold ? Self.idleBootSeconds : Self.idleRestoreSeconds),
            laboratory: laboratory, bench: bench)
    }

    /// What booting an emulated cluster takes on an idle desktop, in seconds.
    private static let idleBootSeconds = 10.0

    /// What restoring a saved one takes there.
    private static let idleRestoreSeconds = 0.4
}

/// The folder of one run.
enum RunFolder {
    /// "runs/20260101-120000-smoke", or with "-2" and so on when two runs begin in one second: each has its own.
    static func make(in out: String, for run: PlannedRun, file: URL) throws -> RunLayout {
        let layout = try make(in: out, for: run)
        try RecordedRun.keep(scenario: file, in: layout)
        return layout
    }

    /// For a scenario that is in no file.
    static func make(in out: String, for run: PlannedRun, text: String) throws -> RunLayout {
        let layout = try make(in: out, for: run)
        try RecordedRun.keep(scenario: text, in: layout)
        return layout
    }

    private static func make(in out: String, for run: PlannedRun) throws -> RunLayout {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = "yyyyMMdd-HHmmss"
        let base = "\(out)/\(formatter.string(from: Date()))-\(run.folderName)"
        do {
            try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
            for attempt in 1...1000 {
                let path = attempt == 1 ? base : "\(base)-\(attempt)"
                if mkdir(path, 0o755) == 0 {
                    return RunLayout(root: URL(filePath: path))
                }
                guard errno == EEXIST else {
                    throw VerdictFile.Failure.unwritable(path: path, reason: String(cString: strerror(errno)))
                }
            }
            throw VerdictFile.Failure.unwritable(path: base, reason: "too many folders of this name")
        } catch let error as any Worded {
            throw error
        } catch {
            throw VerdictFile.Failure.unwritable(path: out, reason: (error as NSError).localizedDescription)
        }
    }
}

extension ResultStream {
    /// To stdout: what was asked for, else a summary on a terminal and KTAP in a pipe.
    static func standardOutput(_ asked: Format?, environment: [String: String]) -> ResultStream {
        let terminal = Terminal.isTerminal(1)
        return ResultStream(
            format: asked ?? (terminal ? .summary : .ktap),
            colours: Terminal.colours(isTerminal: terminal, environment: environment)
        ) { Terminal.write($0) }
    }
}

extension ResultStream.Format: ExpressibleByArgument {}
