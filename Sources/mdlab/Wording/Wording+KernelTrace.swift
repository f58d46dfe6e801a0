// SPDX-License-Identifier: GPL-2.0
import KernelTrace
import ProtocolTrace
import RunRecord

extension TraceError: Worded {
    var line: String {
        switch self {
        case .unreadable(let path, let reason): "\(path) cannot be read: \(reason); name a run folder that you may read"
        case .notTrace(let path): "\(path) is no trace.dat; record the run again"
        case .unsupported(let path, let what):
            "\(path) was not written by mdlab (\(what)); look at it with trace-cmd report, or record the run again"
        case .truncated(let path, let part):
            "\(path) ends within its \(part); record the run again, or copy the file again"
        case .corrupt(let path, let part, let reason):
            "\(path) is damaged at its \(part) (\(reason)); record the run again"
        case .undecodable(let path): "\(path) is refused by libtracecmd; record the run again"
        }
    }
    var exitCode: Int32 { Exit.untestable }
}

extension TraceDatError: Worded {
    var line: String {
        switch self {
        case .missing(let part, let directory):
            "\(directory) lacks \(part), without which no trace can be made of it; record the run again"
        case .unreadable(let path, let reason): "\(path) cannot be read: \(reason); check its permissions and the disk"
        case .unwritable(let path, let reason):
            "\(path) cannot be written: \(reason); check its folder and the free space"
        case .tooLarge(let part, let bytes): "\(part) has \(bytes) bytes, too many for a trace.dat; trace less"
        }
    }
    var exitCode: Int32 { Exit.untestable }
}

extension LogRulesError: Worded {
    var line: String {
        switch self {
        case .unreadable(let path, let reason):
            "the log rules in \(path) cannot be read (\(reason)); restore kernel-tests/rules"
        case .empty(let path):
            "\(path) has no log rules, and a log that nothing looks at is not clean; restore kernel-tests/rules"
        case .malformed(let path, let line, let reason):
            line > 0 ? "\(path):\(line): \(reason); mend the rule" : "\(path): \(reason); mend the rule"
        }
    }
    var exitCode: Int32 { Exit.usage }
}

extension RecordingError: Worded {
    var line: String {
        switch self {
        case .notARecord(let path): "\(path) is no run record: it has no run.json; name a folder that mdlab run wrote"
        case .unreadable(let path, let reason): "\(path) cannot be read: \(reason); name a run folder that you may read"
        case .foreign(let path): "\(path) was not written by mdlab, or is damaged; name a folder that mdlab run wrote"
        case .newerFormat(let path, let format, let supported):
            "\(path) has format \(format), and this mdlab reads up to \(supported); use the mdlab that wrote it"
        }
    }
    var exitCode: Int32 { Exit.usage }
}
