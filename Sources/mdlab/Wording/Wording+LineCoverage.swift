// SPDX-License-Identifier: GPL-2.0
import LineCoverage

extension LineCoverageError: Worded {
    var exitCode: Int32 {
        switch self {
        case .missingTool, .unreadable, .notCounted: Exit.usage
        case .toolFailed, .damaged, .compiler: Exit.untestable
        }
    }

    var line: String {
        switch self {
        case .missingTool(let name, let package):
            "\(name) is not installed: run scripts/bootstrap, or apt-get install \(package)."
        case .toolFailed(let command, let tail):
            "\(command) failed (\(tail.split(separator: "\n").last ?? "no reason")): build the modules again."
        case .damaged(let file, let what): "\(file) is damaged: \(what). Make it again with mdlab run --coverage."
        case .compiler(let file, let version):
            "\(file) was written by a compiler of version \(version): lines are counted with gcc 12 or newer."
        case .notCounted(let record):
            "\(record) does not say what lines ran: run it with --coverage."
        case .unreadable(let path, let reason): "\(path) cannot be read (\(reason)): build the modules again."
        }
    }
}
