// SPDX-License-Identifier: GPL-2.0
import Foundation
import ProtocolTrace
import RunRecord
import TestRecords
import Testing
import Validation

@testable import HTMLReport

/// What is in a page, and what cannot get into it.
@Suite struct PageTests {
    /// The JSON of the page, as its script reads it.
    static func data(of page: String) throws -> (texts: [String], runs: [[String: Any]]) {
        let from = try #require(page.firstRange(of: "id=\"data\"")).upperBound
        let begin = try #require(page[from...].firstIndex(of: ">"))
        let end = try #require(page[begin...].firstRange(of: "</script>")).lowerBound
        let object = try JSONSerialization.jsonObject(with: Data(page[page.index(after: begin)..<end].utf8))
        let data = try #require(object as? [String: Any])
        return (try #require(data["texts"] as? [String]), try #require(data["runs"] as? [[String: Any]]))
    }

    /// The page without its own style and script.
    private static func body(of page: String) throws -> Substring {
        let begin = try #require(page.firstRange(of: "</style>")).upperBound
        let end = try #require(page.firstRange(of: "<script type=\"application/json\"")).lowerBound
        return page[begin..<end]
    }

    @Test func whatIsPutInIsTextAndNothingElse() throws {
        let page = try ReportPage.html(Hostile.document)
        let body = try Self.body(of: page)
        #expect(!page.contains("<img") && body.count > 5000)
        // Two scripts, both the page's own: the data and the code.
        #expect(page.unicodeScalars.split(separator: "<").count { $0.starts(with: "script".unicodeScalars) } == 2)
        // Every quotation mark of the text is escaped, that with a combining character too.
        let scalars = Array(body.unicodeScalars)
        for (place, scalar) in scalars.enumerated() where scalar == "\u{301}" {
            #expect(scalars[place - 1] == ";")
        }
        #expect(body.unicodeScalars.contains("\u{301}"))
        for scalar in body.unicodeScalars where scalar != "\n" {
            #expect(!PageEscaping.isHidden(scalar), "U+\(String(scalar.value, radix: 16))")
        }
        // What is no template stays as it is.
        #expect(body.contains("{{{data}}}"))
        let data = try Self.data(of: page)
        #expect(data.texts.contains(Hostile.text))
        #expect((data.runs[0]["lanes"] as? [[String: Any]])?.first?["name"] as? String == Hostile.text)
    }

    @Test func onlyThePagesOwnFilesAndItsDataArePutInAsTheyAre() throws {
        var raw: [String] = []
        for (name, source) in ReportPage.sources {
            for part in source.split(separator: "{{").dropFirst() {
                if part.hasPrefix("{") || part.hasPrefix("&") { raw.append("\(name): \(part.prefix { $0 != "}" })") }
            }
        }
        #expect(raw.sorted() == ["page: {data", "page: {script", "page: {style"])
    }

    @Test func nothingIsFetched() throws {
        let page = try ReportPage.html(ReportDocument(title: "", word: "PASS", sentence: ""))
        for word in ["http:", "https:", " src=", "@import", "fetch(", "XMLHttpRequest", "<link"] {
            #expect(!page.contains(word), "\(word)")
        }
        #expect(page.contains("default-src 'none'"))
    }

    @Test func whatThereIsNotIsLeftOut() throws {
        let page = try Self.body(of: try ReportPage.html(ReportDocument(title: "t", word: "PASS", sentence: "s")))
        for part in ["What to do", "Stages", "Baseline", "The patch", "Counterexamples", "not covered", "Detectors"] {
            #expect(!page.contains(part), "\(part)")
        }
    }

    @Test func theSameDocumentGivesTheSamePage() throws {
        #expect(try ReportPage.html(Hostile.document) == ReportPage.html(Hostile.document))
    }

    @Test func theFirstWordsAreTheVerdictAndWhatToDo() throws {
        var report = ReportDocument(title: "md: x", word: "FAIL", sentence: "node2 acknowledges early: 7 of 7 runs")
        report.advice = ["look at line 5"]
        report.stages = [.init("module", word: "PASS", seconds: 185.2, text: "builds")]
        report.baseline = [
            .init(
                "smoke", unpatched: .init(word: "PASS", sentence: "6 checks hold"),
                patched: .init(word: "FAIL", sentence: "early", run: "nowhere"), meaning: "the patch's")
        ]
        let page = try Self.body(of: try ReportPage.html(report))
        let places = ["FAIL</strong>", "7 of 7 runs", "look at line 5", "3 min 05 s", "6 checks hold"].map {
            page.firstRange(of: $0)?.lowerBound
        }
        #expect(places.allSatisfy { $0 != nil } && places.compactMap { $0 } == places.compactMap { $0 }.sorted())
        // A link to a run that the report does not have leads nowhere, and is not there.
        #expect(!page.contains("#nowhere"))
    }

    @Test func tenThousandEventsAreColumnsOfNumbers() throws {
        var run = ReportRun(id: "run1", name: "many", word: "PASS", reason: "")
        run.timeline.lanes = [.init(node: "node1", kind: .thread, name: "md0_raid1", pid: 7, role: "raid1d")]
        run.timeline.events = (0..<10_000).map {
            .init(
                lane: 0, time: Int64($0) * 1000, index: $0, nodeTime: 9_000_000_000 + UInt64($0) * 1000, cpu: 0,
                name: "dlm_lock_start", detail: "token EX convert lkb \($0 % 7)")
        }
        run.timeline.end = 10_000_000
        var report = ReportDocument(title: "many", word: "PASS", sentence: "")
        report.runs = [run]
        let page = try ReportPage.html(report)
        let data = try Self.data(of: page)
        #expect((data.runs[0]["time"] as? [Int])?.count == 10_000)
        // Each text once; the elements of the page do not grow with the events.
        #expect(data.texts.count == 8)
        #expect(page.utf8.count < 600_000)
        #expect(try Self.body(of: page).utf8.count < 8000)
    }
}
