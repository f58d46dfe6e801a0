// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Foundation
import KernelBuild
import RunRecord
import Scenarios

struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure how fast a cluster comes up and a scenario runs, as ratios.",
        discussion: """
            All figures are ratios within one run, so that a slow or busy machine changes them little. The unit is the time \
            that the kernel takes from its first instruction to PID 1, in guest seconds, the slower node's.

            boot   guest seconds from there to the array being active on both nodes of a booted cluster, over that unit.
            warm   wall seconds of a whole 'mdlab run smoke' from a saved cluster with nothing to build, process start to \
            verdict, over the unit of the boot measured just before it.
            """)

    @Option(help: "How many times each is measured.") var rounds = 3
    @Option(help: ArgumentHelp("Where the records go.", valueName: "dir")) var out = "runs/bench"

    func run() async throws {
        let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        // The first run builds and saves what the measured ones use.
        _ = try Self.smoke(program, out: out, arguments: [])
        var boots: [Double] = []
        var warms: [Double] = []
        for round in 1...max(1, rounds) {
            let cold = try Self.smoke(program, out: out, arguments: ["--cold"])
            let unit = try Self.boot(in: cold.record)
            let warm = try Self.smoke(program, out: out, arguments: [])
            boots.append(unit.active / unit.initTime)
            warms.append(warm.seconds / unit.initTime)
            print(
                String(
                    format: "round %d: init %.2f s, array active %.2f s, ratio %.2f; warm run %.2f s wall, ratio %.2f",
                    round,
                    unit.initTime, unit.active, unit.active / unit.initTime, warm.seconds, warm.seconds / unit.initTime)
            )
        }
        print(Self.line("boot", boots, bound: 3))
        print(Self.line("warm", warms, bound: 5))
    }

    private static func line(_ name: String, _ ratios: [Double], bound: Double) -> String {
        let sorted = ratios.sorted()
        return String(
            format: "%@: median %.2f, %.2f to %.2f (to be at most %.0f)", name, sorted[sorted.count / 2], sorted[0],
            sorted[sorted.count - 1], bound)
    }

    /// Runs the smoke scenario as a user would. Throws when it does not pass: then there is nothing to measure.
    private static func smoke(_ program: URL, out: String, arguments: [String]) throws -> (seconds: Double, record: URL)
    {
        let before = Set((try? FileManager.default.contentsOfDirectory(atPath: out)) ?? [])
        let process = Process()
        process.executableURL = program
        process.arguments = ["run", "smoke", "--format", "ktap", "--out", out] + arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let start = ContinuousClock.now
        try process.run()
        process.waitUntilExit()
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let made = Set((try? FileManager.default.contentsOfDirectory(atPath: out)) ?? []).subtracting(before)
        guard process.terminationStatus == Exit.pass, let name = made.max() else { throw BenchFailure.notPassed(out) }
        return (seconds, URL(filePath: out).appending(path: name))
    }

    /// Guest seconds of the slower node at PID 1, and of the node that assembled last when it had done so.
    private static func boot(in record: URL) throws -> (initTime: Double, active: Double) {
        let run = try RecordedRun(RunLayout(root: record))
        let starts = run.events.filter { $0.facts["stage"] == "init" }.compactMap {
            $0.facts["uptime"].flatMap(Double.init)
        }
        // The event that says that all nodes have the array comes after each has answered.
        guard let initTime = starts.max(), let active = run.events.last(where: { $0.kind == .array }),
            let offset = run.description.clockOffsets.min()
        else { throw BenchFailure.noEvents(record.path) }
        return (initTime, active.time + offset)
    }
}

enum BenchFailure: Worded {
    case notPassed(String)
    case noEvents(String)

    var exitCode: Int32 { Exit.untestable }

    var line: String {
        switch self {
        case .notPassed(let out): "the smoke scenario did not pass: look at the newest record in \(out)."
        case .noEvents(let record): "\(record) lacks the events of a boot: run the benchmark again."
        }
    }
}
