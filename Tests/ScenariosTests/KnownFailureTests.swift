// SPDX-License-Identifier: GPL-2.0
import Foundation
import RunRecord
import Testing

@testable import Scenarios

/// Recorded verdicts of the unchanged Linux 6.1.192, each of a run that met a fault of docs/findings.md.
@Suite struct KnownFailureTests {
    static let names = ["fail-and-remove", "assemble-while-updating"]

    private static let project = scenarioDirectory.deletingLastPathComponent().deletingLastPathComponent()

    private func scenario(_ name: String) throws -> Scenario {
        try ScenarioReader.read(file: scenarioDirectory.appending(path: name + ".yaml"))
    }

    /// What failed in the recorded run.
    private func failing(_ name: String) throws -> [CheckResult] {
        let file = Self.project.appending(path: "Tests/Fixtures/verdicts/\(name).json")
        let verdict = try JSONDecoder().decode(Verdict.self, from: Data(contentsOf: file))
        #expect(verdict.word == .fail && verdict.variant == nil)
        return verdict.checks.filter { $0.answer == .fails }
    }

    @Test(arguments: names) func theRecordedRunIsExplained(name: String) throws {
        let known = try scenario(name).known
        #expect(known.count == 1)
        #expect(try known[0].explains(failing(name)))
    }

    @Test(arguments: names) func anythingBesideItIsNot(name: String) throws {
        let known = try scenario(name).known[0]
        let recorded = try failing(name)
        for check in recorded.indices {
            var more = recorded
            more[check].findings.append(
                Finding("x", node: "node1", fact: FindingFact(.expected, "degraded", ["is": "3"])))
            #expect(!known.explains(more))
            var less = recorded
            less.remove(at: check)
            #expect(!known.explains(less))
        }
        let hang = CheckResult(name: "no-hang", answer: .fails, findings: recorded[0].findings)
        #expect(!known.explains(recorded + [hang]))
        #expect(!known.explains([]))
    }

    /// The name is what a reader looks for.
    @Test func everyKnownFailureIsAHeadingOfTheFindings() throws {
        let text = try String(contentsOf: Self.project.appending(path: "docs/findings.md"), encoding: .utf8)
        let headings = Set(text.split(separator: "\n").filter { $0.hasPrefix("## ") }.map { $0.dropFirst(3) })
        let files = try FileManager.default.contentsOfDirectory(at: scenarioDirectory, includingPropertiesForKeys: nil)
        let known = try files.filter { $0.pathExtension == "yaml" }.flatMap { try ScenarioReader.read(file: $0).known }
        #expect(known.count >= 2)
        for failure in known { #expect(headings.contains(failure.finding[...]), "\(failure.finding)") }
    }
}
