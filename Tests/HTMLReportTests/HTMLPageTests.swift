// SPDX-License-Identifier: GPL-2.0
import Foundation
import ProtocolTrace
import RunRecord
import TestRecords
import Testing
import Validation

@testable import HTMLReport

@Suite struct HTMLPageTests {
    private static let templates = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "report")

    private func verdict(_ word: VerdictWord = .pass, reason: String = "", scenario: String = "smoke") -> Verdict {
        Verdict(
            scenario: scenario, variant: nil, kernelRelease: "6.1.0", word: word, reason: reason,
            checks: [.init(name: "no-hang", answer: .holds, findings: [Finding("<b>&\"'")], seen: [])],
            metadataUpdates: [], detectorsOff: ["KASAN": "off"])
    }

    private func page(_ recording: Recording, _ verdict: Verdict, _ validation: ValidationReport? = nil) throws
        -> String
    {
        try HTMLPage(records: [(recording, verdict)], validation: validation, version: "test").text(
            templates: Self.templates)
    }

    /// The JSON of the page, as its script reads it.
    private func data(of page: String) throws -> [String: Any] {
        let from = try #require(page.range(of: "id=\"data\">")).upperBound
        let to = try #require(page.range(of: "</script>", range: from..<page.endIndex)).lowerBound
        let object = try JSONSerialization.jsonObject(with: Data(page[from..<to].utf8))
        let records = try #require((object as? [String: Any])?["records"] as? [[String: Any]])
        return try #require(records.first)
    }

    private func empty(_ scenario: String = "smoke") -> Recording {
        Recording(
            layout: RunLayout(root: URL(filePath: "/nowhere")),
            description: RunDescription(
                toolVersion: "", scenario: scenario, started: Date(timeIntervalSince1970: 0), nodes: 2,
                kernelRelease: "6.1.0", start: .cold, accelerator: "tcg"))
    }

    @Test func whatIsPutInIsTextAndNothingElse() throws {
        let hostile = "</script><img src=x onerror=alert(1)>{{{data}}}&"
        let text = try page(empty(hostile), verdict(.fail, reason: hostile, scenario: hostile))
        #expect(!text.contains("<img") && !text.contains("</script><"))
        #expect(text.contains("&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;"))
        #expect(text.contains("&lt;b&gt;&amp;"))
        // The names in the data are whole, and end no element.
        #expect(try data(of: text)["name"] as? String == "1, \(hostile)")
    }

    @Test func theFirstWordsAreTheWorstVerdict() throws {
        let text = try HTMLPage(
            records: [(empty(), verdict()), (empty(), verdict(.fail, reason: "node1 waits"))], validation: nil,
            version: "test"
        ).text(templates: Self.templates)
        let head = try #require(text.range(of: "<h1>"))
        #expect(text[head.upperBound...].hasPrefix("node1 waits</h1>"))
        #expect(text.contains("No trace of this run can be read"))
    }

    @Test func aRecordedRunIsDrawnWithItsMessages() throws {
        let recording = try TrimmedRun("smoke").recording
        let record = try data(of: page(recording, verdict()))
        let threads = try #require(record["threads"] as? [String])
        let events = try #require(record["events"] as? [[Any]])
        let messages = try #require(record["messages"] as? [[String: Any]])
        #expect(events.count > 100 && messages.count >= 5)
        #expect(threads.contains { $0.hasPrefix("node1 md0_raid1") } && threads.contains { $0.hasPrefix("node2 ") })
        let times = events.compactMap { $0.first as? Int }
        #expect(times == times.sorted() && times.first == 0)
        // Each message that somebody received leads to the receiver's thread, and back when ack is let go.
        let received = messages.filter { !(($0["arrows"] as? [Any])?.isEmpty ?? true) }
        #expect(received.count >= 4)
        for message in received {
            let arrows = try #require(message["arrows"] as? [[String: Any]])
            let (first, second) = (arrows[0], arrows[1])
            #expect(threads[try #require(first["toLane"] as? Int)].contains("cluster_rec"))
            // After it was asked, and before it was granted: the clocks are put right by the messages.
            #expect(try #require(first["at"] as? Int) <= #require(second["at"] as? Int))
            #expect(try #require(second["at"] as? Int) <= #require(second["until"] as? Int))
            #expect(!((message["events"] as? [Int])?.isEmpty ?? true))
        }
    }

    @Test func aHangIsDrawnAsItsCycle() throws {
        let text = try page(try TrimmedRun("smoke@no-holding-in-start").recording, verdict(.xfail))
        let waits = try #require(try data(of: text)["waits"] as? [[String: String]])
        #expect(waits.count >= 2 && text.contains("Who waits for whom"))
        #expect(Set(waits.compactMap { $0["from"] }) == Set(waits.compactMap { $0["to"] }))
    }

    @Test func aValidationComesBeforeItsRuns() throws {
        let report = ValidationReport(
            patches: ["md-cluster: x"], kernel: "6.1.0",
            conclusion: Conclusion(.notDecided, "Not decided: line 5 never ran.", next: ["write a scenario"]),
            stages: [StageResult(.coverage, .notDecided, seconds: 1.25, lines: ["<never>"])], runs: [], baseline: [],
            faults: [],
            changed: [
                .init(
                    file: "drivers/md/md-cluster.c", line: 5, text: "if (a < b)", removed: false, state: .neverRan,
                    count: nil)
            ])
        let text = try page(empty(), verdict(), report)
        #expect(text.contains("<title>NOT DECIDED: md-cluster: x</title>"))
        #expect(text.contains("<li>write a scenario</li>") && text.contains("&lt;never&gt;"))
        #expect(text.contains("<tr class=\"never\">") && text.contains("+ if (a &lt; b)"))
    }

    @Test func nothingIsFetched() throws {
        let text = try page(empty(), verdict())
        for word in ["http://", "https://", "src=\"", "@import", "url(#"] where word != "url(#" {
            // The name of SVG's language is no address.
            #expect(!text.replacing("http://www.w3.org/2000/svg", with: "").contains(word), "\(word)")
        }
    }

    @Test func aMissingTemplateIsNamed() {
        #expect(throws: HTMLPage.Failure.template(path: "/nowhere/page.mustache", reason: "it cannot be read")) {
            try HTMLPage(records: [], validation: nil, version: "").text(templates: URL(filePath: "/nowhere"))
        }
    }
}
