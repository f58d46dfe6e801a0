// SPDX-License-Identifier: GPL-2.0
import Foundation

@testable import Scenarios

/// The project's own scenario files.
let scenarioDirectory = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "kernel-tests/scenarios")

func parse(_ text: String) throws(ScenarioError) -> Scenario {
    try ScenarioReader.parse(Array(text.utf8), name: "test", file: "test.yaml")
}

/// A scenario of two nodes whose steps are `steps`, each line indented as under "steps:".
func scenario(steps: String, expect: String = "", variants: String = "", known: String = "") throws -> Scenario {
    try parse(
        "summary: a test\ndisks: 3\nsteps:\n\(steps)\n"
            + (expect.isEmpty ? "" : "expect:\n\(expect)\n") + (variants.isEmpty ? "" : "variants:\n\(variants)\n")
            + (known.isEmpty ? "" : "known:\n\(known)\n"))
}

/// The problem and the line of what `text` is refused for.
func mistake(_ text: String) -> (line: Int, problem: ScenarioError.Problem)? {
    do {
        _ = try parse(text)
        return nil
    } catch .file(_, let line, let problem) {
        return (line, problem)
    } catch {
        return nil
    }
}
