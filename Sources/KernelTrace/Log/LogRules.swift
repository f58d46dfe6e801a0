// SPDX-License-Identifier: GPL-2.0
import Foundation

/// What is wrong with the rules: then nothing was checked, which must not look like a clean log.
public enum LogRulesError: Error, Sendable, Equatable {
    case unreadable(path: String, reason: String)
    /// No file of rules in the directory, or none with a rule in it.
    case empty(path: String)
    case malformed(path: String, line: Int, reason: String)
}

/// The rules and exceptions of kernel-tests/rules/*.rules.
///
///     let report = try LogRules.load(directory: rules).match(log, in: scope)
public struct LogRules: Sendable, Equatable {
    public private(set) var rules: [LogRule] = []
    public private(set) var exceptions: [LogException] = []

    /// Reads every *.rules file of a directory.
    public static func load(directory: URL) throws(LogRulesError) -> LogRules {
        let names: [String]
        do { names = try FileManager.default.contentsOfDirectory(atPath: directory.path) } catch {
            throw .unreadable(path: directory.path, reason: "no such directory, or no permission to read it")
        }
        var all = LogRules()
        for name in names.sorted() where name.hasSuffix(".rules") {
            let url = directory.appending(path: name)
            let bytes: [UInt8]
            do throws(FileReadError) { bytes = try FileBytes.read(url) } catch {
                throw .unreadable(path: url.path, reason: error.reason)
            }
            try all.add(String(decoding: bytes, as: UTF8.self), path: url.path)
        }
        guard !all.rules.isEmpty else { throw .empty(path: directory.path) }
        for exception in all.exceptions where !all.rules.contains(where: { $0.name == exception.rule }) {
            throw .malformed(
                path: directory.path, line: 0,
                reason: "exception \(exception.name) is from \(exception.rule), which is no rule")
        }
        for exception in all.exceptions {
            guard case .after(let name) = exception.scope, !all.rules.contains(where: { $0.name == name }) else {
                continue
            }
            throw .malformed(
                path: directory.path, line: 0, reason: "exception \(exception.name) is after \(name), which is no rule")
        }
        return all
    }

    /// Adds the entries of one file: paragraphs of "key: value" lines, the first of which is `deny:` or `allow:`.
    mutating func add(_ text: String, path: String) throws(LogRulesError) {
        var entry = Entry(path: path)
        var found = false
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = line.trimmingCharacters(in: .whitespaces)
            if line.hasPrefix("#") { continue }
            if line.isEmpty {
                found = try finish(&entry) || found
                continue
            }
            try entry.add(line, number: index + 1)
        }
        found = try finish(&entry) || found
        guard found else { throw .empty(path: path) }
    }

    private mutating func finish(_ entry: inout Entry) throws(LogRulesError) -> Bool {
        defer { entry = Entry(path: entry.path) }
        if entry.values.isEmpty { return false }
        if let name = entry.take("deny") {
            guard !rules.contains(where: { $0.name == name }) else { throw entry.fault("a second rule \(name)") }
            rules.append(try entry.rule(name))
        } else if let name = entry.take("allow") {
            guard !exceptions.contains(where: { $0.name == name }) else {
                throw entry.fault("a second exception \(name)")
            }
            exceptions.append(try entry.exception(name))
        } else {
            throw entry.fault("an entry begins with \"deny: NAME\" or \"allow: NAME\"")
        }
        return true
    }
}

/// One paragraph of a file of rules.
private struct Entry {
    let path: String
    var line = 0
    var values: [String: String] = [:]

    init(path: String) { self.path = path }

    func fault(_ reason: String) -> LogRulesError { .malformed(path: path, line: line, reason: reason) }

    mutating func add(_ text: String, number: Int) throws(LogRulesError) {
        if values.isEmpty { line = number }
        guard let colon = text.firstIndex(of: ":") else {
            throw .malformed(path: path, line: number, reason: "not \"key: value\"")
        }
        let key = String(text[..<colon])
        let value = text[text.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        guard !value.isEmpty else { throw .malformed(path: path, line: number, reason: "\(key) is empty") }
        guard values.updateValue(value, forKey: key) == nil else {
            throw .malformed(path: path, line: number, reason: "\(key) is said twice")
        }
    }

    mutating func take(_ key: String) -> String? { values.removeValue(forKey: key) }

    private mutating func need(_ key: String) throws(LogRulesError) -> String {
        guard let value = take(key) else { throw fault("no \(key)") }
        return value
    }

    private mutating func flag(_ key: String) throws(LogRulesError) -> Bool {
        switch take(key) {
        case nil, "no": return false
        case "yes": return true
        default: throw fault("\(key) is yes or no")
        }
    }

    private mutating func pattern() throws(LogRulesError) -> String? {
        guard let pattern = take("pattern") else { return nil }
        guard (try? Regex(pattern)) != nil else { throw fault("pattern is no regular expression") }
        return pattern
    }

    private func end() throws(LogRulesError) {
        if let key = values.keys.min() { throw fault("nothing is known of \(key)") }
    }

    mutating func rule(_ name: String) throws(LogRulesError) -> LogRule {
        let severity = take("severity") ?? "error"
        guard let severity = LogRule.Severity(rawValue: severity) else {
            throw fault("severity is error, note or user-space")
        }
        var level: Int?
        if let text = take("level") {
            guard let number = Int(text), (0...7).contains(number) else { throw fault("level is 0 to 7") }
            level = number
        }
        let rule = LogRule(
            name: name, kind: try need("kind"), severity: severity, text: try need("text"), pattern: try pattern(),
            level: level, stack: try flag("stack"), secondary: try flag("secondary"), meaning: try need("meaning"))
        try end()
        return rule
    }

    mutating func exception(_ name: String) throws(LogRulesError) -> LogException {
        let words = try need("scope").split(separator: " ").map(String.init)
        let scope: LogException.Scope
        switch (words.first, words.count) {
        case ("all", 1): scope = .all
        case ("scenario", 2...): scope = .scenarios(Array(words.dropFirst()))
        case ("kernel", 2...): scope = .kernels(Array(words.dropFirst()))
        case ("stopping", 1): scope = .stopping
        case ("agreed", 1): scope = .agreed
        case ("after", 2): scope = .after(words[1])
        default:
            throw fault(
                "scope is \"all\", \"scenario NAME...\", \"kernel RELEASE...\", \"stopping\", \"agreed\" or \"after RULE\""
            )
        }
        let exception = LogException(
            name: name, rule: try need("rule"), text: try need("text"), pattern: try pattern(), scope: scope,
            reason: try need("reason"))
        try end()
        return exception
    }
}
