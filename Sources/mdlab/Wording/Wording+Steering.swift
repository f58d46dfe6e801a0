// SPDX-License-Identifier: GPL-2.0
import Scenarios
import Steering

extension ScheduleError: Worded {
    var exitCode: Int32 { Exit.usage }

    var line: String {
        switch self {
        case .scenario(let error): error.line
        case .unknown(let file, let line, let kind, let name, let near, let known):
            "\(file):\(line): there is no \(kind) \(name)"
                + (near.isEmpty
                    ? "; there is \(known.joined(separator: ", "))" : "; \(near.joined(separator: " or ")) is meant?")
        case .twice(let file, let line, let name): "\(file):\(line): \(name) is there twice; give each a name of its own"
        case .order(let file, let line, let what): "\(file):\(line): \(what)"
        case .unreadable(let file, let reason): "\(file) cannot be read: \(reason)"
        }
    }
}
