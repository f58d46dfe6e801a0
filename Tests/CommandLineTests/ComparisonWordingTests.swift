// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import MDClusterModel
#if canImport(FoundationXML)
    import FoundationXML
#endif
import ProtocolTrace
import RunRecord
import TestRecords
import Testing

@testable import Comparison
@testable import KernelTrace
@testable import mdlab

/// A record that is not the model's is told on one screen, and `--json` has all that the screen has.
@Suite struct ComparisonWordingTests {
    struct Report {
        let comparison: ModelComparison
        let run: TrimmedRun

        init(
            _ name: String, variant: String = "v5.11", limit: Int = 400_000,
            _ change: (inout TraceMutation.Traces) -> Void = { _ in }
        )
            throws
        {
            run = try TrimmedRun(name)
            var traces = run.traces
            change(&traces)
            comparison = try ModelComparison(
                traces: traces.map { ($0.node, $0.events) }, offsets: run.description.clockOffsets, probed: Self.probed,
                variant: variant, limit: limit)
        }

        /// The probes that every recorded run had.
        static let probed: Set<String> = {
            let entries = Set(ObservedProgram.arguments.keys).subtracting([
                "md_wakeup_thread", "md_check_recovery", "load_bitmaps", "resync_start_notify",
            ])
            return entries.union(entries.subtracting(["mddev_unlock"]).map { $0 + "__ret" })
        }()

        var seen: Observation { Observation(comparison, EndState(comparison, recording), run.description) }
        var text: String { ComparisonWording.report(comparison, seen, run.description) }
        var recording: Recording { run.recording }

        func document() throws -> ComparisonDocument {
            let file = FileManager.default.temporaryDirectory.appending(path: "comparison-\(UUID().uuidString).json")
            defer { try? FileManager.default.removeItem(at: file) }
            let written = ComparisonDocument(
                comparison, EndState(comparison, recording), [], run: run.description, doubt: ComparisonWording.text)
            try ComparisonDocument.write([written], to: file)
            let read = try JSONDecoder().decode([ComparisonDocument].self, from: Data(contentsOf: file))
            #expect(read == [written])
            return try #require(read.first)
        }
    }

    static let async = Result { try Report("smoke@async") }

    static func fits(_ text: String) -> Bool {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.count <= 40 && lines.allSatisfy { $0.count <= 100 }
    }

    @Test func theAsynchronousKernelsReportHasWhatAMaintainerAsks() throws {
        let report = try Self.async.get()
        let text = report.text
        #expect(Self.fits(text), "\(text)")
        guard case .doesNotConform(let mismatch) = report.comparison.answer else {
            Issue.record("\(text)")
            return
        }
        let document = try report.document()
        #expect(document.answer == "does not conform")
        #expect(document.event?.label == mismatch.event?.label.description)
        for (node, written) in zip(mismatch.nodes, document.nodes) {
            let place = "\(node.node)  \(node.matched) of \(node.of) events conform"
            #expect(text.contains(place))
            #expect((written.matched, written.of) == (node.matched, node.of))
            for event in [(node.last, written.last), (node.next, written.next)] {
                let (known, document) = (try #require(event.0), try #require(event.1))
                let line = "\(Screen.clock(known.time))  \(known.comm)-\(known.pid)  \(known.label)"
                #expect(text.contains(line))
                #expect(document.time == known.time && document.comm == known.comm && document.pid == known.pid)
                #expect(document.label == known.label.description)
            }
            #expect(!written.refusals.isEmpty)
        }
        // The receiving thread gives ack up where the model reads the superblock again.
        let refusals = document.nodes.flatMap(\.refusals)
        #expect(refusals.contains { $0.instead.contains { $0.hasPrefix("enter md_reload_sb(") } })
        #expect(text.contains("required enter md_reload_sb("))
        #expect(text.contains("has it   dlm_lock_sync(ack, NL) <- recv_daemon()"))
        // The sender waits for ack: which guard, and what the lock is instead.
        #expect(text.contains("required wait(!converting(ack))"))
        #expect(
            refusals.contains {
                $0.waitsFor == "wait(!converting(ack))" && $0.values.contains { $0.hasPrefix("ack: ") }
            })
        #expect(document.threads == mismatch.threads && document.locks == mismatch.locks)
        #expect(text.contains("\(document.stepsTaken.count) of \(document.steps) steps of the model"))
        #expect(document.stepsTaken.count > 20)
        #expect(document.messages.values.reduce(0, +) > 0)
    }

    @Test(arguments: [
        ("smoke", TraceMutation.Kind.mode), ("add-device", .dropped),
    ])
    func aChangedRecordsReportFitsAScreen(name: String, kind: TraceMutation.Kind) throws {
        let run = try TrimmedRun(name)
        let words = try Report(name, limit: 1).comparison.words
        var generator = SeededGenerator(seed: 7)
        var reports = 0
        while reports < 1 {
            guard let mutation = TraceMutation(kind, of: run.traces, words: words, first: 12, using: &generator) else {
                continue
            }
            let report = try Report(name) { $0 = mutation.traces }
            guard case .doesNotConform(let mismatch) = report.comparison.answer else { continue }
            reports += 1
            let text = report.text
            #expect(Self.fits(text), "\(mutation.text)\n\(text)")
            let next = try #require(mismatch.event)
            #expect(text.contains("\(next.comm)-\(next.pid)  \(next.label)"), "\(mutation.text)\n\(text)")
            #expect(text.contains("required") || text.contains("has it"))
        }
    }

    @Test func anArgumentThatIsAnotherIsNamed() throws {
        let report = try Report("smoke") { traces in
            for index in traces[0].events.indices {
                guard case .dlm(var dlm) = traces[0].events[index].body, dlm.kind == .lockStart, dlm.mode == .cw else {
                    continue
                }
                dlm.mode = .cr
                traces[0].events[index].body = .dlm(dlm)
            }
        }
        #expect(report.text.contains("required mode CW, observed CR"), "\(report.text)")
        let arguments = try report.document().nodes.flatMap(\.refusals).flatMap(\.arguments)
        #expect(arguments.contains { $0.name == "mode" && $0.observed == "CR" && $0.required == "CW" })
    }

    /// The worst that there can be: everything is long, and there is much of it.
    @Test(arguments: 2...4) func whateverTheMismatchIsItFits(nodes: Int) throws {
        let report = try Self.async.get()
        guard case .doesNotConform(var mismatch) = report.comparison.answer else { return }
        let long = (0..<40).map { "a_long_function_\($0)(argument)" }
        let refusals = (0..<300).map { number in
            Mismatch.Refusal(
                stack: long, waitsFor: "wait_event(\(long.joined(separator: " || ")), \(number))", values: long,
                instead: (long + ["\(number)"]).map { TraceLabel(.enter($0)) },
                arguments: (0..<9).map { .init(name: long[$0], observed: long[$0] + long[0], required: long[$0]) })
        }
        var node = mismatch.nodes[0]
        node.refusals = refusals
        node.places = refusals.map(\.stack)
        node.others = long
        node.next?.label = TraceLabel(.enter(long.joined()))
        mismatch.nodes = Array(repeating: node, count: nodes)
        mismatch.threads = long + long
        mismatch.locks = long
        var seen = report.seen
        (seen.events, seen.functions, seen.values, seen.stockModules) = (long, long, long, long)
        var run = report.run.description
        run.scenario = long.joined(separator: " ")
        let text = Screen.mismatch(report.comparison, mismatch, seen, run)
        let lines = text.split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 100 }, "\(text)")
        #expect(lines.count <= 40, "\(lines.count) lines\n\(text)")
        #expect(text.contains("--json has them"))
        #expect(!Self.fits(text + String(repeating: "\n", count: 40)))
        #expect(!Self.fits(String(repeating: "x", count: 101)))
    }

    @Test func thePictureIsXMLAndHasEachNodesNextEvent() throws {
        let report = try Self.async.get()
        guard case .doesNotConform(let mismatch) = report.comparison.answer else { return }
        let svg = ComparisonPicture.svg(report.comparison)
        #expect(try Self.texts(of: svg).contains { $0.hasPrefix("\(mismatch.nodes[0].node): ") })
        for node in mismatch.nodes {
            let next = try #require(node.next)
            #expect(try Self.texts(of: svg).contains("\(next.comm)-\(next.pid): \(next.label)"))
        }
    }

    /// The contents of all text elements.
    static func texts(of svg: String) throws -> [String] {
        let document = try XMLDocument(xmlString: svg)
        return try document.nodes(forXPath: "//*[local-name()='text']").compactMap(\.stringValue)
    }
}
