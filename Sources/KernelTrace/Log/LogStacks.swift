// SPDX-License-Identifier: GPL-2.0
import RunRecord

/// A thread as a kernel log shows it: in the list of sysrq-t or sysrq-w, or because the detector of hung tasks found
/// it.
public struct LoggedThread: Sendable, Equatable {
    public var thread: NodeSnapshot.Thread
    /// Seconds since the boot; nil where the log has no times.
    public var time: Double?
    /// The detector of hung tasks says for how long it has been blocked already, in seconds.
    public var blockedFor: Int?
}

extension KernelLog {
    /// All threads whose stacks are in the log, in its order: `sched_show_task` of kernel/sched/core.c.
    ///
    ///     task:md0_raid1       state:D stack:0     pid:128   ppid:2      flags:0x00004000
    ///     Call Trace:
    ///      dlm_lock_sync+0x8e/0xd0 [md_cluster]
    public var threads: [LoggedThread] {
        var threads: [LoggedThread] = []
        // By place in `threads`: what the unwinder is not sure of. Kernels without one are sure of nothing.
        var guesses: [Int: [String]] = [:]
        var blocked: (comm: String, pid: Int, seconds: Int)?
        var isInStack = false
        for line in lines where line.isKernel {
            if let report = Self.hungTask(line.text) {
                blocked = report
                isInStack = false
            } else if var thread = Self.task(line.text) {
                // "task:" has the first 15 letters of the name, and so has the report before it.
                if let report = blocked, report.pid == thread.pid { thread.comm = report.comm }
                threads.append(
                    LoggedThread(
                        thread: thread, time: line.time,
                        blockedFor: blocked.flatMap { $0.pid == thread.pid ? $0.seconds : nil }))
                blocked = nil
                isInStack = true
            } else if isInStack, !threads.isEmpty {
                let text = line.text.drop { $0 == " " }
                if text.hasPrefix("Call Trace:") || text == "<TASK>" || text.hasPrefix("RIP:") { continue }
                if let frame = StackFrame(text) {
                    let module = frame.module.map { " [\($0)]" } ?? ""
                    let place = "+0x\(String(frame.offset, radix: 16))/0x\(String(frame.length, radix: 16))"
                    if text.split(separator: " ").prefix(2).contains("?") {
                        guesses[threads.count - 1, default: []].append(frame.symbol + place + module)
                    } else {
                        threads[threads.count - 1].thread.stack.append(frame.symbol + place + module)
                    }
                } else if Self.isWords(text) {
                    // What stood on the stack, as older kernels print it before the functions.
                    continue
                } else if text == "</TASK>" || !threads[threads.count - 1].thread.stack.isEmpty {
                    isInStack = false
                }
            }
        }
        for (place, frames) in guesses where threads[place].thread.stack.isEmpty {
            threads[place].thread.stack = frames
        }
        return threads
    }

    /// " 0000000000000046 ffff9d20ccfea800 ..."
    static func isWords(_ text: Substring) -> Bool {
        let words = text.split(separator: " ")
        return !words.isEmpty && words.allSatisfy { $0.count == 16 && $0.allSatisfy(\.isHexDigit) }
    }

    /// "INFO: task md0_cluster_rec:314 blocked for more than 120 seconds."; newer ones say "blocked in I/O wait for".
    static func hungTask(_ text: String) -> (comm: String, pid: Int, seconds: Int)? {
        guard let begin = text.firstRange(of: "INFO: task "),
            let first = text[begin.upperBound...].firstRange(of: " blocked "),
            let middle = text[first.lowerBound...].firstRange(of: " for more than ")
        else { return nil }
        let name = text[begin.upperBound..<first.lowerBound]
        guard let colon = name.lastIndex(of: ":"), let pid = Int(name[name.index(after: colon)...]),
            let seconds = Int(text[middle.upperBound...].prefix { $0.isNumber })
        else { return nil }
        return (String(name[..<colon]), pid, seconds)
    }

    /// "task:NAME state:D stack:0 pid:128 ..."; before 5.14 "NAME            D    0   128      2 0x80000000".
    static func task(_ text: String) -> NodeSnapshot.Thread? {
        let text = text.drop { $0 == " " }
        if text.hasPrefix("task:"), let state = text.firstRange(of: " state:"), let pid = text.firstRange(of: " pid:") {
            let name = text[text.index(text.startIndex, offsetBy: 5)..<state.lowerBound]
            let digits = text[pid.upperBound...].drop { $0 == " " }.prefix { $0.isNumber }
            guard let number = Int(digits), let letter = text[state.upperBound...].first else { return nil }
            return .init(pid: number, comm: trimmed(name), state: String(letter), stack: [])
        }
        var words = text.split(separator: " ")
        // Until 4.8 with where the thread would go on.
        if words.count > 6, words[2].count == 16, words[2].allSatisfy(\.isHexDigit) { words.remove(at: 2) }
        guard words.count >= 6, let flags = words.last, flags.hasPrefix("0x"),
            ["R", "S", "D", "T", "I", "Z"].contains(words[1]),
            Int(words[2]) != nil, let pid = Int(words[3]), Int(words[4]) != nil
        else { return nil }
        return .init(pid: pid, comm: String(words[0]), state: String(words[1]), stack: [])
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
