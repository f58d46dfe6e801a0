// SPDX-License-Identifier: GPL-2.0
import Steering

extension ExplorationError: Worded {
    var exitCode: Int32 {
        switch self {
        case .otherSubject, .notAnExploration, .unreadable, .unwritable, .badHold: Exit.usage
        case .noRace, .labFailed: Exit.untestable
        }
    }

    var line: String {
        switch self {
        case .otherSubject(let path, let subject):
            "\(path) has an exploration of \(subject.scenario) on \(subject.kernelRelease), \(subject.source), "
                + "delay \(subject.limit) ms, as they were then: give another folder with --out, or remove this one."
        case .notAnExploration(let path): "\(path) has other things in it: give another folder with --out."
        case .unreadable(let path):
            "\(path) is damaged, or of another version: remove its folder, or give another with --out."
        case .unwritable(let path, let reason): "\(path) cannot be written (\(reason)): give another folder with --out."
        case .noRace(let problem):
            "the steps before the race failed (\(problem)): run the scenario with mdlab run --instrument first."
        case .labFailed(let times, let reason):
            "the lab failed \(times) times in a row, last with: \(reason.prefix(300)); run the same command again to go on."
        case .badHold(let text):
            "'\(text.prefix(80))' is no place to hold a thread at: write 'node1 md0_resync entry lock_token', and a number after it "
                + "for a later hit."
        }
    }
}
