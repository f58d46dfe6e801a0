// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import NearNames
import Yams

/// A YAML mapping that is read key by key; a key that nobody knows is an error with its line and the near names.
package struct Fields {
    let file: String
    /// What the mapping is, for messages: "a step".
    let what: String
    package let line: Int
    private let values: [String: Node]
    private let lines: [String: Int]

    package init(_ node: Node, what: String, known: [String], file: String) throws(ScenarioError) {
        (self.file, self.what, line) = (file, what, node.mark?.line ?? 1)
        guard let mapping = node.mapping else { throw .file(file, line: line, .notAMapping(what: what)) }
        var values: [String: Node] = [:]
        var lines: [String: Int] = [:]
        for (key, value) in mapping {
            let keyLine = key.mark?.line ?? line
            guard let name = key.scalar?.string else {
                throw .file(
                    file, line: keyLine, .badValue(key: what, value: "a key that is not text", expected: "a name"))
            }
            guard known.contains(name) else {
                throw .file(
                    file, line: keyLine, .unknownKey(name, what: what, near: NameSuggestions.of(name, among: known)))
            }
            values[name] = value
            lines[name] = keyLine
        }
        (self.values, self.lines) = (values, lines)
    }

    package var keys: [String] { values.keys.sorted() }
    package func has(_ key: String) -> Bool { values[key] != nil }
    package func node(_ key: String) -> Node? { values[key] }
    package func line(of key: String) -> Int { lines[key] ?? line }

    package func bad(_ key: String, _ value: String, expected: String) -> ScenarioError {
        .file(file, line: line(of: key), .badValue(key: key, value: String(value.prefix(80)), expected: expected))
    }

    /// The text of a scalar; nil when the key is not there.
    package func text(_ key: String) throws(ScenarioError) -> String? {
        guard let node = values[key] else { return nil }
        guard let text = node.scalar?.string else { throw bad(key, "a list or mapping", expected: "one value") }
        return text
    }

    package func requiredText(_ key: String) throws(ScenarioError) -> String {
        guard let text = try text(key), !text.isEmpty else {
            throw .file(file, line: line, .missing(key: key, what: what))
        }
        return text
    }

    package func integer(_ key: String, in range: ClosedRange<Int>) throws(ScenarioError) -> Int? {
        guard let text = try text(key) else { return nil }
        guard let value = Int(text), range.contains(value) else {
            throw bad(key, text, expected: "a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func boolean(_ key: String) throws(ScenarioError) -> Bool? {
        guard let text = try text(key) else { return nil }
        switch text {
        case "true", "yes": return true
        case "false", "no": return false
        default: throw bad(key, text, expected: "true or false")
        }
    }

    /// One scalar, or a list of them.
    package func texts(_ key: String) throws(ScenarioError) -> [String]? {
        guard let node = values[key] else { return nil }
        if let one = node.scalar?.string { return [one] }
        guard let list = node.sequence else { throw bad(key, "a mapping", expected: "a value or a list of values") }
        var result: [String] = []
        for element in list {
            guard let text = element.scalar?.string else {
                throw bad(key, "a nested list", expected: "a list of values")
            }
            result.append(text)
        }
        if result.isEmpty { throw .file(file, line: line(of: key), .emptyList(key: key)) }
        return result
    }

    /// "20", "20s", "2m": seconds; at most an hour.
    package func seconds(_ key: String, otherwise: Double) throws(ScenarioError) -> Double {
        guard let text = try text(key) else { return otherwise }
        let factor: Double = text.hasSuffix("m") ? 60 : 1
        let digits = text.hasSuffix("m") || text.hasSuffix("s") ? text.dropLast() : text[...]
        guard let value = Double(digits), value > 0, value * factor <= 3600 else {
            throw bad(key, text, expected: "a time such as 20s or 2m, at most an hour")
        }
        return value * factor
    }

    /// "64M", "1G", or a number of MiB.
    func mebibytes(_ key: String, in range: ClosedRange<Int>) throws(ScenarioError) -> Int? {
        guard let text = try text(key) else { return nil }
        let factor = text.hasSuffix("G") ? 1024 : 1
        let digits = text.hasSuffix("G") || text.hasSuffix("M") ? text.dropLast() : text[...]
        guard let value = Int(digits), range.lowerBound <= value, value <= range.upperBound / factor else {
            throw bad(
                key, text, expected: "a size such as 64M, from \(range.lowerBound)M to \(range.upperBound)M")
        }
        return value * factor
    }

    /// The nodes that a key names: node1, a list, all, others, or any where a condition allows it.
    func nodes(_ key: String, count: Int, allowAny: Bool = false) throws(ScenarioError) -> NodeSet? {
        guard let names = try texts(key) else { return nil }
        if names.count == 1 {
            switch names[0] {
            case "all": return .all
            case "others": return .others
            case "any" where allowAny: return .any
            default: break
            }
        }
        var result: [NodeID] = []
        for name in names { result.append(try node(named: name, key: key, count: count)) }
        return .these(result)
    }

    package func oneNode(_ key: String, count: Int) throws(ScenarioError) -> NodeID {
        try node(named: try requiredText(key), key: key, count: count)
    }

    package func node(named name: String, key: String, count: Int) throws(ScenarioError) -> NodeID {
        guard let node = NodeID(name: name), node.rawValue <= count else {
            throw .file(
                file, line: line(of: key),
                .unknownNode(
                    String(name.prefix(80)), nodes: (1...max(count, 1)).map { "node\($0)" } + ["all", "others"]))
        }
        return node
    }
}
