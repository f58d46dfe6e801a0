// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Foundation
import KernelBuild
import RunRecord
import Scenarios
import Steering
import VirtualCluster

struct ExploreKernel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explore-kernel", abstract: "Look for the delays that make a scenario go wrong.",
        discussion: """
            The steps up to the last 'together:' are done once and the cluster is saved. Then its race runs again and again, each \
            time with one thread held for a while at one place, later with two; every run is judged as 'mdlab run' does. What \
            was found is in the folder; the same command goes on where it stopped.
            """)

    @Argument(help: "A scenario, or one of its runs.") var name: String
    @OptionGroup var input: BuildOptions
    @Option(help: ArgumentHelp("How long to look: 90s, 10m, 2h.", valueName: "time")) var budget = Budget(seconds: 300)
    @Option(help: ArgumentHelp("How many clusters run at a time.", valueName: "n")) var jobs = 3
    @Option(
        help: ArgumentHelp(
            "Guest time for which a thread is held at least, in ms; longer where the race takes longer.",
            valueName: "ms")) var delay = 1000
    @Option(
        help: ArgumentHelp(
            "Only run with this: 'node1 md0_resync entry lock_token', with a number after it for a later hit; may be given twice.",
            valueName: "hold"))
    var hold: [String] = []
    @Flag(help: "Stop at the first run that fails.") var untilFailure = false
    @Option(help: ArgumentHelp("The folder of the exploration.", valueName: "dir")) var out: String?

    func validate() throws {
        if !(1...16).contains(jobs) { throw ValidationError("--jobs \(jobs): give 1 to 16.") }
        if !(10...60_000).contains(delay) { throw ValidationError("--delay \(delay): give 10 to 60000 ms.") }
        if hold.count > 2 {
            throw ValidationError("--hold is given \(hold.count) times: a run holds two threads at most.")
        }
    }

    func run() async throws {
        let holds = try hold.map { text in
            guard let point = HoldPoint(text) else { throw ExplorationError.badHold(text) }
            return point
        }
        let files = try ScenarioFiles.locate()
        // A name that stands for several runs means the first of them.
        let planned = try files.catalogue().plan([name], variant: input.variant, variants: files.variants())[0]
        let interruption = Interruption()
        let terminal = ProgressLine()
        let laboratory = try Laboratory(progress: terminal.handler)
        let lab = try await DelayLaboratory(
            planned, input: input, least: .milliseconds(delay), laboratory: laboratory, files: files)
        let place = out ?? "runs/explore-" + planned.folderName
        var folder = try ExplorationFolder(URL(filePath: place), subject: lab.subject)
        do {
            let opened = folder
            try await interruption.cancelling { try await lab.prepare(opened) { terminal.show($0) } }
            if !holds.isEmpty {
                try await once(lab, folder, DelayPlan(holds), interruption)
                return
            }
            if folder.points == nil {
                terminal.show("looking for the places where threads can be held")
                try folder.keep(
                    try await interruption.cancelling { [folder] in try await lab.findPoints(folder) }.points)
            }
            try await explore(lab, folder, interruption, terminal)
        } catch  where interruption.isInterrupted {
            terminal.clear()
            throw ExitCode(Exit.interrupted)
        }
    }

    private func explore(
        _ lab: DelayLaboratory, _ folder: ExplorationFolder, _ interruption: Interruption, _ terminal: ProgressLine
    ) async throws {
        let points = folder.points ?? []
        let explorer = try Explorer(folder, points: points) { result in
            terminal.show("\(result.number) \(result.reached.word)  held \(result.plan)")
        }
        let earlier = await explorer.results.count
        let limit = try await interruption.cancelling { try await lab.holdingTime(folder) }
        let clock = ContinuousClock()
        let start = clock.now
        let (jobs, untilFailure, deadline) = (self.jobs, self.untilFailure, start + .seconds(budget.seconds))
        var failure: (any Error)?
        do {
            try await interruption.cancelling {
                try await explorer.run(lanes: jobs, until: deadline, stopAtFailure: untilFailure) { number, plan in
                    let trial = try await lab.run(plan, limit: limit, from: folder, in: folder.record(number))
                    return .init(gates: trial.gates, reached: trial.reached, reason: trial.verdict.reason)
                }
            }
        } catch {
            failure = error
        }
        terminal.clear()
        let seconds = (clock.now - start) / .seconds(1)
        let report = ExplorationReport(
            folder: folder, points: points.count, results: await explorer.results, earlier: earlier, seconds: seconds)
        print(report.text, terminator: "")
        if interruption.isInterrupted { throw ExitCode(Exit.interrupted) }
        if let failure { throw failure }
        throw ExitCode(report.results.isEmpty ? Exit.untestable : report.failures.isEmpty ? Exit.pass : Exit.fail)
    }

    /// One run with given holds, kept beside the exploration's.
    private func once(
        _ lab: DelayLaboratory, _ folder: ExplorationFolder, _ plan: DelayPlan, _ interruption: Interruption
    ) async throws {
        let layout = RunLayout(root: folder.root.appending(path: "held-\(VM.stamp())"))
        let trial = try await interruption.cancelling {
            try await lab.run(plan, limit: try await lab.holdingTime(folder), from: folder, in: layout)
        }
        for (point, gate) in zip(plan.holds, trial.gates) { print("\(point): \(Self.fate(gate))") }
        print("\(trial.verdict.word.rawValue)  \(trial.verdict.reason)")
        for line in trial.reached.failures { print("    \(line)") }
        print("record: \(layout.root.relativePath)")
        throw ExitCode(Self.exitCode(failed: trial.reached.isFailure, gates: trial.gates, word: trial.verdict.word))
    }

    /// A failure is one, whoever was held. A run that passed without the delay that was asked for proves nothing.
    static func exitCode(failed: Bool, gates: [String], word: VerdictWord) -> Int32 {
        if failed { return Exit.fail }
        if gates.contains("atomic") { return Exit.usage }
        return word == .pass && !gates.contains("armed") ? Exit.pass : Exit.untestable
    }

    static func fate(_ gate: String) -> String {
        switch gate {
        case "armed": "nobody came there; hold a thread at a function that it passes"
        case "atomic": "it was hit where a thread must not sleep, and did not hold; choose one of its callers"
        case "expired", "released": "held"
        default: gate
        }
    }
}

/// "90s", "10m", "2h".
struct Budget: ExpressibleByArgument {
    var seconds: Int

    init(seconds: Int) { self.seconds = seconds }

    init?(argument: String) {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600]
        guard let unit = argument.last.flatMap({ units[$0] }), let count = Int(argument.dropLast()), count > 0,
            count <= 1_000_000
        else { return nil }
        seconds = count * unit
    }

    var defaultValueDescription: String { "\(seconds / 60)m" }
}
