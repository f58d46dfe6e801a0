// SPDX-License-Identifier: GPL-2.0
import Foundation
import ModelChecker

/// What one search took of one core.
struct Sample {
    var states: Int
    /// Seconds of processor time, of the process and of the kernel for it.
    var seconds: Double
    var bytesPerState: Double
    var verdict: String

    var statesPerSecond: Double { Double(states) / max(seconds, 0.000_001) }
}

/// The checker and SPIN on the same system, by turns, so that whatever else the machine does meets both. Processor time
/// is compared: on a shared machine it is less noisy than the clock on the wall.
struct Rounds {
    var own: [Sample] = []
    var spin: [Sample] = []

    /// Ratios of states a second, lowest first.
    var ratios: [Double] { zip(own, spin).map { $0.statesPerSecond / $1.statesPerSecond }.sorted() }

    init(_ count: Int, of system: any TransitionSystem, promela: String) throws {
        let verifier = try Spin(promela)
        for _ in 0..<count {
            let before = Self.processorSeconds()
            let result = Search(system).run()
            own.append(
                Sample(
                    states: result.states, seconds: Self.processorSeconds() - before,
                    bytesPerState: result.bytesPerState, verdict: result.verdict == .holds ? "holds" : "fails"))
            spin.append(try verifier.run())
        }
    }

    /// Whether every round of both gave the same states and verdict. A failing search ends early, so then only verdicts
    /// count.
    var agree: Bool {
        let all = own + spin
        guard let first = all.first else { return false }
        return all.allSatisfy {
            $0.verdict == first.verdict && ($0.states == first.states || first.verdict != "holds")
        }
    }

    func print(_ title: String) {
        Swift.print("\(title), \(own.count) rounds by turns, processor time, one core each")
        for (name, samples) in [("mdlab", own), ("SPIN", spin)] {
            guard let fastest = samples.max(by: { $0.statesPerSecond < $1.statesPerSecond }) else { continue }
            Swift.print(
                String(
                    format: "  %-6@ %12d states  %8.2f s  %6.2f M states/s at best  %6.1f bytes a state  %@",
                    name as NSString, fastest.states, fastest.seconds, fastest.statesPerSecond / 1e6,
                    fastest.bytesPerState, fastest.verdict as NSString))
        }
        let ratios = ratios
        if let low = ratios.first, let high = ratios.last {
            Swift.print(
                String(
                    format: "  states a second: %.2f times SPIN's (median; %.2f to %.2f)", ratios[ratios.count / 2],
                    low,
                    high))
        }
        fflush(nil)
    }

    static func processorSeconds(ofChildren: Bool = false) -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t((ofChildren ? RUSAGE_CHILDREN : RUSAGE_SELF).rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) * 1e-6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
}
