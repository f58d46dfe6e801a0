// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import ClusterProtocol
import Conformance
import Foundation
import KernelTrace
import Reporting
import RunRecord

/// `mdlab log`: judges kernel logs that mdlab has not recorded.
struct LogCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log",
        abstract:
            "Judge kernel logs from anywhere: dmesg, journald, a serial line, a mail; sysrq-t stacks are explained.",
        discussion:
            "Several files are the logs of several nodes, in their order: node1, node2 ... A file \"-\" is standard input."
    )

    @Argument(help: ArgumentHelp("Files, or - for standard input.", valueName: "file")) var files: [String]
    @Option(help: ArgumentHelp("summary or ktap.", valueName: "format")) var format: ResultStream.Format?

    func validate() throws {
        if files.filter({ $0 == "-" }).count > 1 { throw ValidationError("- can be given once.") }
        if files.count > 64 { throw ValidationError("\(files.count) files: give the logs of at most 64 nodes.") }
    }

    func run() throws {
        let rules = try LogRules.load(directory: try ScenarioFiles.locate().rules)
        var logs: [(node: NodeID, log: KernelLog)] = []
        for (index, file) in files.enumerated() { logs.append((NodeID(index + 1), try Self.read(file))) }
        let verdict = Judge.verdict(ofLogs: logs, rules: rules)
        var results = ResultStream.standardOutput(format, environment: ProcessInfo.processInfo.environment)
        results.begin(runs: 1)
        results.add(verdict, name: files.joined(separator: " "), folder: nil)
        results.end()
        throw ExitCode(RunExit(words: results.words).rawValue)
    }

    /// Longer than any log that somebody reads.
    private static let sizeLimit = 256 << 20

    private static func read(_ file: String) throws(LogFileError) -> KernelLog {
        do {
            let handle = file == "-" ? FileHandle.standardInput : try FileHandle(forReadingFrom: URL(filePath: file))
            var bytes: [UInt8] = []
            while let part = try handle.read(upToCount: 1 << 20), !part.isEmpty {
                bytes += part
                if bytes.count > sizeLimit { throw LogFileError.tooLarge(file) }
            }
            if bytes.isEmpty { throw LogFileError.empty(file) }
            return KernelLog(pasted: bytes)
        } catch let error as LogFileError {
            throw error
        } catch {
            throw .unreadable(file, reason: (error as NSError).localizedDescription)
        }
    }
}

enum LogFileError: Worded, Equatable {
    case empty(String)
    case tooLarge(String)
    case unreadable(String, reason: String)

    var exitCode: Int32 { Exit.usage }
    var line: String {
        switch self {
        case .empty(let file): "\(file) is empty: give the output of dmesg, or of journalctl -k."
        case .tooLarge(let file): "\(file) has more than 256 MiB: give the part of the log around the trouble."
        case .unreadable(let file, let reason): "\(file) cannot be read (\(reason)): give the path of a log, or -."
        }
    }
}
