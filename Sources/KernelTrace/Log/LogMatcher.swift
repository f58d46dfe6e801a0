// SPDX-License-Identifier: GPL-2.0
import Foundation

extension LogRules {
    /// Looks through a log, which takes a few microseconds a line with a hundred rules.
    public func match(_ log: KernelLog, in scope: LogScope) -> LogReport {
        var matcher = LogMatcher(rules: self, scope: scope)
        var report = LogReport(linesLost: log.lost)
        // The line up to which the last finding's excerpt reaches.
        var covered = -1
        for (index, line) in log.lines.enumerated() where line.isKernel {
            report.linesChecked += 1
            guard let rule = matcher.rule(for: line, secondaries: index > covered) else { continue }
            let excerpt = rule.stack ? excerpt(of: log, from: index, &matcher) : index..<index + 1
            covered = excerpt.upperBound - 1
            let finding = LogFinding(rule: rule, line: line, excerpt: excerpt.map { log.lines[$0].text })
            switch matcher.exception(for: finding) {
            case (let exception, true)?: report.excepted.append((finding, exception))
            case (let exception, nil)?: report.open.append((finding, exception))
            case (_, false)?, nil: report.findings.append(finding)
            }
            matcher.met(finding)
        }
        return report
    }

    /// The lines of a report: up to its end mark, a pause, or the next report.
    private func excerpt(of log: KernelLog, from start: Int, _ matcher: inout LogMatcher) -> Range<Int> {
        var end = start + 1
        while end < log.lines.count, end - start < 60 {
            let line = log.lines[end]
            if line.isKernel {
                if let before = log.lines[end - 1].time, let now = line.time, now - before > 0.5 { break }
                if matcher.rule(for: line, secondaries: false) != nil { break }
            }
            end += 1
            if line.text.contains("---[ end ") { break }
            if line.text.hasSuffix("</TASK>"), end < log.lines.count, !Self.continues(log.lines[end].text) { break }
        }
        return start..<end
    }
}

extension LogRules {
    /// What the kernel prints after the stack of the same report.
    private static func continues(_ text: String) -> Bool {
        ["Modules linked in:", "CR2:", "RIP:", "RSP:", "---[ end "].contains { text.hasPrefix($0) }
    }
}

/// The rules made ready for one log.
private struct LogMatcher {
    private struct Ready {
        let rule: LogRule
        let text: [UInt8]
        /// Compiled when the text is first seen: most rules never meet their line.
        var pattern: Regex<AnyRegexOutput>?
    }
    private var rules: [Ready]
    private let exceptions: [LogException]
    private let scope: LogScope
    /// The last finding of each rule: seconds since boot, nil where the log has no times, and its line.
    private var last: [String: (time: Double?, line: Int)] = [:]

    /// A stopping node calls leave() within this time of a line that says that a thread gave up. Seconds.
    private static let stopTime = 60.0
    /// Two clocks of one node, of the log and of the trace, differ by less. Seconds.
    private static let clockTolerance = 5.0
    /// What follows from a line comes within this time, or so many lines where there are no times.
    private static let following = (seconds: 2.0, lines: 12)

    init(rules: LogRules, scope: LogScope) {
        self.rules = rules.rules.map { Ready(rule: $0, text: Array($0.text.utf8)) }
        exceptions = rules.exceptions
        self.scope = scope
    }

    /// The first rule that the line breaks.
    mutating func rule(for line: KernelLog.Line, secondaries: Bool) -> LogRule? {
        var line = line
        return line.text.withUTF8 { bytes -> LogRule? in
            for index in rules.indices {
                let rule = rules[index].rule
                if rule.secondary && !secondaries { continue }
                if let most = rule.level, line.level ?? 8 > most { continue }
                guard rules[index].text.withUnsafeBytes({ Self.contains($0, in: UnsafeRawBufferPointer(bytes)) }) else {
                    continue
                }
                guard let pattern = rule.pattern else { return rule }
                if rules[index].pattern == nil { rules[index].pattern = try? Regex(pattern) }
                if let ready = rules[index].pattern, String(decoding: bytes, as: UTF8.self).contains(ready) {
                    return rule
                }
            }
            return nil
        }
    }

    private static func contains(_ text: UnsafeRawBufferPointer, in line: UnsafeRawBufferPointer) -> Bool {
        guard let first = text.first, let start = line.baseAddress, line.count >= text.count else { return false }
        let last = start + (line.count - text.count)
        var at = start
        while at <= last, let hit = memchr(at, Int32(first), last - at + 1) {
            if memcmp(hit, text.baseAddress!, text.count) == 0 { return true }
            at = UnsafeRawPointer(hit) + 1
        }
        return false
    }

    mutating func met(_ finding: LogFinding) { last[finding.rule.name] = (finding.time, finding.line.number) }

    /// The exception that the line is, and whether what it depends on is so; nil there: not known.
    func exception(for finding: LogFinding) -> (LogException, Bool?)? {
        let fitting = exceptions.filter { exception in
            exception.rule == finding.rule.name && finding.line.text.contains(exception.text)
                && exception.pattern.map { pattern in
                    (try? Regex(pattern)).map { finding.line.text.contains($0) } ?? false
                } ?? true
        }.map { ($0, holds($0.scope, for: finding)) }
        return fitting.first { $0.1 == true } ?? fitting.first { $0.1 == nil }
    }

    private func holds(_ condition: LogException.Scope, for finding: LogFinding) -> Bool? {
        switch condition {
        case .all: return true
        case .scenarios(let names): return scope.scenario.map { names.contains($0) }
        case .kernels(let prefixes):
            return scope.kernelRelease.map { release in prefixes.contains { release.hasPrefix($0) } }
        case .agreed: return scope.agrees
        case .stopping:
            guard let leaves = scope.leaves, let time = finding.time else { return nil }
            if leaves.contains(where: { (time - Self.clockTolerance...time + Self.stopTime).contains($0) }) {
                return true
            }
            // A trace that was cut may lack the call.
            return scope.tracedUntil.map { $0 >= time + Self.stopTime } ?? true ? false : nil
        case .after(let rule):
            guard let (time, line) = last[rule] else { return false }
            guard let before = time, let now = finding.time else {
                return finding.line.number - line <= Self.following.lines
            }
            return now - before <= Self.following.seconds
        }
    }
}
