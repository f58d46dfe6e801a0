// SPDX-License-Identifier: GPL-2.0
import Foundation
import RunRecord
import TestRecords
import Testing

@testable import HTMLReport

/// Pages in a browser, by scripts/check-page: no error, nothing wider than the screen, keys, mouse, paper, axe-core.
@Suite struct BrowserTests {
    private static let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "scripts/check-page")

    private static func run(_ arguments: [String]) throws -> (status: Int32, text: String) {
        let process = Process()
        process.executableURL = script
        process.arguments = arguments
        let pipe = Pipe()
        (process.standardOutput, process.standardError) = (pipe, pipe)
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }

    /// Why no browser can be had here, if so: 4 is what the script ends with then.
    private static let isMissing: Bool = (try? run(["/nowhere"]).status) == 4

    @Test(.disabled(if: isMissing, "no chromium, or no playwright and axe-playwright-python from PyPI"))
    func aPageIsGoodInABrowser() throws {
        let folder = try TemporaryFolder()
        let verdict = Verdict(
            scenario: "smoke", variant: nil, kernelRelease: "6.1.0", word: .xfail, reason: "it hangs",
            checks: [
                CheckResult(name: "no-hang", answer: .fails, findings: [Finding("waits", node: "node1", time: 0)])
            ],
            metadataUpdates: [], detectorsOff: ["KASAN": "off"])
        var report = Hostile.document
        report.runs.append(
            ReportRun(
                try TrimmedRun("smoke@no-holding-in-start").recording, verdict: verdict, id: "run2", name: "smoke"))
        let page = folder.url.appending(path: "page.html")
        try Data(ReportPage.html(report).utf8).write(to: page)
        let answer = try Self.run([page.path])
        #expect(answer.status == 0, "\(answer.text)")
    }
}
