// SPDX-License-Identifier: GPL-2.0
import Foundation

/// What tools found in lines of source, as SARIF 2.1.0 (OASIS): what code review pages show beside the lines.
public struct SARIF: Sendable, Equatable {
    public struct Finding: Sendable, Equatable {
        public var tool: String
        /// Relative to the root of the source.
        public var file: String
        /// From 1.
        public var line: Int
        public var text: String
        public init(tool: String, file: String, line: Int, text: String) {
            (self.tool, self.file, self.line, self.text) = (tool, file, line, text)
        }
    }

    private struct Log: Encodable {
        var schema = "https://json.schemastore.org/sarif-2.1.0.json"
        var version = "2.1.0"
        var runs: [Run]
        enum CodingKeys: String, CodingKey {
            case schema = "$schema"
            case version, runs
        }
    }
    private struct Run: Encodable {
        var tool: Tool
        var results: [Result]
    }
    private struct Tool: Encodable {
        var driver: Driver
        struct Driver: Encodable { var name: String }
    }
    private struct Result: Encodable {
        var ruleId: String
        var level = "warning"
        var message: Text
        var locations: [Location]
        struct Text: Encodable { var text: String }
        struct Location: Encodable { var physicalLocation: Place }
        struct Place: Encodable {
            var artifactLocation: Artifact
            var region: Region
        }
        struct Artifact: Encodable { var uri: String }
        struct Region: Encodable { var startLine: Int }
    }

    /// - Returns: one run for each tool, in the order of their names; a document without runs if nothing was found.
    public static func text(_ findings: [Finding]) throws -> String {
        let tools = Dictionary(grouping: findings, by: \.tool).sorted { $0.key < $1.key }
        let runs = tools.map { tool, findings in
            Run(
                tool: Tool(driver: .init(name: tool)),
                results: findings.map { finding in
                    Result(
                        ruleId: tool, message: .init(text: finding.text),
                        locations: [
                            .init(
                                physicalLocation: .init(
                                    artifactLocation: .init(uri: finding.file),
                                    region: .init(startLine: max(1, finding.line))))
                        ])
                })
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(Log(runs: runs)), as: UTF8.self) + "\n"
    }
}
