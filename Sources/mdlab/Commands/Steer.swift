// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Foundation
import Reporting
import RunRecord
import Scenarios
import Steering
import VirtualCluster

struct Steer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Drive real kernels through a schedule: threads held at functions and let go in a chosen order.",
        discussion: """
            A SCHEDULE is a name in kernel-tests/schedules (deadlock-v4.12), or with a broken kernel that it has to catch \
            (deadlock-v4.12@v4.12), or a file. Says step by step whether the kernel followed.
            """)

    @Argument(help: "A schedule.") var schedule: String
    @OptionGroup var input: BuildOptions
    @Option(help: ArgumentHelp("Run so many times, and count.", valueName: "times")) var `repeat` = 1
    @Option(help: ArgumentHelp("Where the folders of the runs are made.", valueName: "dir")) var out = "runs"
    @Option(help: ArgumentHelp("summary or ktap.", valueName: "format")) var format: ResultStream.Format?

    func validate() throws {
        if !(1...1000).contains(`repeat`) { throw ValidationError("--repeat \(`repeat`): give 1 to 1000.") }
    }

    func run() async throws {
        let files = try ScenarioFiles.locate()
        let file = URL(filePath: "kernel-tests/schedules/\(schedule.split(separator: "@")[0]).yaml")
        let schedule = try ScheduleReader.read(file: file)
        let variant = self.schedule.split(separator: "@").dropFirst().first.map(String.init) ?? input.variant
        var input = input
        input.instrument = true
        let environment = ProcessInfo.processInfo.environment
        let progress = RunProgress.standardError(environment: environment)
        let run = PlannedRun(schedule.scenario.instances[0], variant: variant)
        let folder = try RunFolder.make(in: out, for: run, file: file)
        let driver = RunDriver(run: run, input: input, cold: false, layout: folder, rules: files.rules, progress: progress)
        let lab = try await driver.bringUp()
        var runner = ScenarioRunner(
            instance: run.instance, cluster: lab.cluster, patience: Patience(slowness: lab.slowness))
        let log = SteeringLog(entries: schedule.order.count)
        let steersman = ScheduleDriver(schedule: schedule, gates: KernelGates(lab.cluster.nodes), log: log)
        runner.steering = { try await steersman.steer($0) }
        runner.mayJudge = { !log.isHolding }
        runner.pace.interval = .milliseconds(500)
        runner.pace.looks = 2
        runner.pace.betweenSnapshots = .seconds(1)
        let outcome = await runner.run()
        await Task.detached { await lab.close(outcome.ending) }.value
        let recorded = try RecordedRun(folder)
        let verdict = recorded.verdict(rules: files.rules)
        try VerdictFile.write(verdict, name: run.name, to: folder)
        var results = ResultStream.standardOutput(format, environment: environment)
        results.begin(runs: 1)
        results.add(verdict, name: run.name, folder: folder.root.relativePath)
        print(log.report)
        let last = recorded.snapshots.filter { $0.label == "hang-2" }
        print(DeadlockMatch(schedule, in: last))
    }
}
