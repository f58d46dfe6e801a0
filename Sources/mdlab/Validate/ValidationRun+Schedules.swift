// SPDX-License-Identifier: GPL-2.0
import Foundation
import Scenarios
import Steering
import Validation

/// What rare schedules do to the patched kernel.
extension ValidationRun {
    /// A short check takes this long at most, the unpatched kernel's repetitions apart.
    private static let quickSeconds = 145.0
    /// Less is not worth the begin: build, boot, and a run that finds the places.
    private static let leastDelaySeconds = 50.0
    private static let fullDelaySeconds = 300.0
    private static let quickSchedules = 2
    private static let fullScenarios = 2

    /// The library of schedules: those that go through what the patch changes; all of them in a full check.
    func schedules(_ functions: Set<String>) async throws {
        let start = clock.now
        let library = ScheduleStage(
            input: input, files: files, out: out.appending(path: "schedules").path, progress: progress)
        let names = try library.names(
            through: functions, all: depth == .full, limit: depth == .full ? .max : Self.quickSchedules)
        guard !names.isEmpty else {
            stage(.schedules, since: start, .skip, ["no schedule goes through what the patch changes"])
            return
        }
        let unpatched = ScheduleStage(
            input: withoutPatches, files: files, out: out.appending(path: "baseline").path, progress: progress)
        var (lines, count) = ([String](), 0)
        for name in names {
            try Task.checkCancellation()
            if depth == .quick, secondsLeft < Self.leastDelaySeconds {
                lines.append("no time for \(name): mdlab validate --full")
                continue
            }
            let outcome = try await library.run(name)
            say("  " + ValidationText.line(outcome.run))
            guard outcome.isFollowed || outcome.run.isFaulty else {
                lines.append("\(name): the kernel went another way, so this was not tried")
                continue
            }
            count += 1
            runs.append(outcome.run)
            guard outcome.run.isFaulty else { continue }
            let known = try await unpatched.run(name)
            say("  without the patch: " + ValidationText.line(known.run))
            baseline.append(known.run)
            if depth == .quick, isBlamed { break }
        }
        stage(.schedules, since: start, word, ["\(count) of \(names.count) schedules came to their end"] + lines)
    }

    /// Threads are delayed where the patch changes something, in the scenarios that come there most often.
    func delays(_ functions: Set<String>, among suite: [ScenarioInstance]) async throws {
        let start = clock.now
        let races = suite.filter { $0.scenario.hasRace }
        let names = try files.reach().scenarios(
            reaching: functions, among: races.map(\.name), limit: depth == .full ? Self.fullScenarios : 1)
        let chosen = names.compactMap { name in races.first { $0.name == name } }
        let seconds = depth == .full ? Self.fullDelaySeconds / Double(max(1, chosen.count)) : secondsLeft
        guard !chosen.isEmpty, seconds >= Self.leastDelaySeconds else {
            let reason =
                chosen.isEmpty
                ? "no scenario with a race comes to what the patch changes" : "no time left: mdlab validate --full"
            stage(.delays, since: start, .skip, [reason])
            return
        }
        var lines: [String] = []
        for instance in chosen {
            let delays = DelayStage(
                planned: PlannedRun(instance, variant: nil), input: input, files: files,
                out: out.appending(path: "delays"), functions: functions, takesAll: depth == .full)
            do {
                let result = try await delays.result(until: clock.now + .seconds(seconds), say: say)
                runs += result.runs
                baseline += result.baseline
                delayed += result.tried
                lines.append(
                    "\(instance.name): \(result.tried) runs with a thread delayed; "
                        + "\(result.changedPoints) places in changed functions, \(result.points) tried or left to try")
            } catch let error where !(error is CancellationError) && !Task.isCancelled {
                lines.append("\(instance.name): \((error as? any Worded)?.line ?? "\(error)")")
            }
            if isBlamed { break }
        }
        stage(.delays, since: start, word, lines)
    }

    private var withoutPatches: BuildOptions {
        var plain = input
        plain.patch = []
        return plain
    }

    private var word: ValidationWord { isBlamed ? .fail : .pass }
    private var secondsLeft: Double { Self.quickSeconds - seconds }
}

extension Scenario {
    /// Whether something happens at the same time in it, which a delay could bring into another order.
    fileprivate var hasRace: Bool {
        steps.contains { if case .together = $0.action { true } else { false } }
    }
}
