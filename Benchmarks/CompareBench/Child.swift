// SPDX-License-Identifier: GPL-2.0
import Foundation

/// What a program used: CPU seconds of user and kernel, the most memory, and what it printed.
struct Child {
    enum Failure: Error, CustomStringConvertible {
        case notStarted(String, Int32)
        case status(String, Int32)

        var description: String {
            switch self {
            case .notStarted(let program, let error):
                "\(program) cannot be started: \(String(cString: strerror(error))); build or install it"
            case .status(let program, let status): "\(program) ended with \(status): run it by hand to see why"
            }
        }
    }

    var seconds: Double
    var mebibytes: Double
    var output: String

    /// Runs a program to its end. What it prints is kept only if it is wanted: a pipe that is read costs the reader.
    static func run(_ program: String, _ arguments: [String], keepsOutput: Bool) throws -> Child {
        let file = FileManager.default.temporaryDirectory.appending(path: "compare-bench-\(getpid()).out")
        defer { try? FileManager.default.removeItem(at: file) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let path = keepsOutput ? file.path : "/dev/null"
        posix_spawn_file_actions_addopen(&actions, 1, path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var words = ([program] + arguments).map { strdup($0) }
        defer { words.forEach { free($0) } }
        words.append(nil)
        var pid: pid_t = 0
        let error = posix_spawnp(&pid, program, &actions, nil, words, environ)
        guard error == 0 else { throw Failure.notStarted(program, error) }
        var status: Int32 = 0
        var usage = rusage()
        while wait4(pid, &status, 0, &usage) < 0, errno == EINTR {}
        guard status == 0 else { throw Failure.status(program, status >> 8) }
        let output = keepsOutput ? try String(contentsOf: file, encoding: .utf8) : ""
        return Child(
            seconds: usage.seconds, mebibytes: Double(usage.ru_maxrss) / 1024,
            output: output)
    }
}

/// Median, least and most of some rounds.
struct Spread {
    let median, least, most: Double
    init(_ values: [Double]) {
        let sorted = values.sorted()
        (least, most) = (sorted.first ?? 0, sorted.last ?? 0)
        median = sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }
    func text(_ digits: Int) -> String {
        String(format: "%.\(digits)f (%.\(digits)f to %.\(digits)f)", median, least, most)
    }
}

extension rusage {
    /// Of processor time, with what the kernel did for it.
    var seconds: Double {
        [ru_utime, ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
    }
}
