// SPDX-License-Identifier: GPL-2.0
import Foundation
import Yams

/// Turns the bytes of a scenario file into a YAML node, within limits that a file written by hand never reaches.
///
/// YAML's anchors and aliases are refused: nine lines of them expand to billions of nodes, and no scenario needs them.
package enum YAMLText {
    static let largestFile = 64 * 1024
    static let longestLine = 2000
    static let deepest = 32

    package static func parse(_ bytes: [UInt8], file: String) throws(ScenarioError) -> Node {
        if bytes.count > largestFile {
            throw .file(file, line: 1, .tooLarge(bytes: bytes.count, limit: largestFile))
        }
        guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else {
            throw .file(file, line: 1, .notText)
        }
        try checkLines(text, file: file)
        do {
            var documents: [Node] = []
            var sequence = try Yams.compose_all(yaml: text)
            while let next = sequence.next() { documents.append(next) }
            if let error = sequence.error { throw error }
            guard documents.count == 1 else {
                throw ScenarioError.file(file, line: 1, .syntax("one document is expected, not \(documents.count)"))
            }
            return documents[0]
        } catch let error as ScenarioError {
            throw error
        } catch {
            throw describe(error, file: file)
        }
    }

    /// What has to be refused before a parser sees the text: long lines, deep brackets, aliases.
    private static func checkLines(_ text: String, file: String) throws(ScenarioError) {
        var depth = 0
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.utf8.count > longestLine { throw .file(file, line: index + 1, .longLine(limit: longestLine)) }
            var quote: Character?
            var atStart = true
            var marks = 0
            for character in line {
                if let open = quote {
                    if character == open { quote = nil }
                    continue
                }
                switch character {
                case "\"", "'": if atStart { quote = character }; atStart = false
                case "#" where atStart: break
                case "[", "{": depth += 1; atStart = true
                case "]", "}": depth = max(0, depth - 1); atStart = false
                case "*", "&":
                    if atStart { throw .file(file, line: index + 1, .alias) }
                case "-", "?", ":", ",":
                    if atStart { marks += 1 }
                    atStart = true
                case " ", "\t": break
                default: atStart = false
                }
                if depth > deepest || marks > deepest { throw .file(file, line: index + 1, .deep(limit: deepest)) }
                if character == "#" && atStart { break }
            }
        }
    }

    private static func describe(_ error: any Error, file: String) -> ScenarioError {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return .file(file, line: mark.line, .syntax(problem))
        case .duplicatedKeysInMapping(let keys, let context):
            return .file(file, line: context.mark.line, .syntax("the key \(keys.first ?? "") is there twice"))
        case .some, nil:
            let first = String(describing: error).split(separator: "\n").first.map(String.init) ?? "not YAML"
            return .file(file, line: 1, .syntax(first))
        }
    }
}
