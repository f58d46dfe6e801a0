// SPDX-License-Identifier: GPL-2.0
import Foundation
import ModelChecker
import Testing

@Suite struct CheckpointTests {
    private func withFile(_ body: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(
            "mdlab-checkpoint-\(UUID().uuidString)"
        ).path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    @Test(arguments: [1, 2]) func aSearchGoesOnWhereItStopped(workers: Int) throws {
        try withFile { path in
            let system = Counters(count: 3, limit: 9)
            let whole = Search(system, workers: workers).run()
            var first = Search(system, bounds: Bounds(depth: 9), workers: workers)
            first.checkpoint = path
            #expect(try first.runResumable().verdict == .undecided(.depth(9)))
            var second = Search(system, bounds: Bounds(depth: 20), workers: workers)
            second.resume = path
            second.checkpoint = path
            #expect(try second.runResumable().verdict == .undecided(.depth(20)))
            var third = Search(system, workers: workers)
            third.resume = path
            let result = try third.runResumable()
            #expect(result.verdict == whole.verdict)
            #expect(result.states == whole.states)
            #expect(result.transitions == whole.transitions)
            #expect(result.depth == whole.depth)
            #expect(result.coverage == whole.coverage)
            #expect(result.counterexample == whole.counterexample)
        }
    }

    @Test func aSearchThatIsFullInTheMiddleOfALayerLosesNothing() throws {
        try withFile { path in
            let system = Counters(count: 3, limit: 9)
            var first = Search(system, bounds: Bounds(states: 400))
            first.checkpoint = path
            guard case .undecided(.states) = try first.runResumable().verdict else { Issue.record("decided"); return }
            var second = Search(system)
            second.resume = path
            let (result, whole) = (try second.runResumable(), Search(system).run())
            #expect(result.states == whole.states)
            #expect(result.transitions == whole.transitions)
            #expect(result.counterexample == whole.counterexample)
        }
    }

    @Test func badCheckpointsAreRefused() throws {
        try withFile { path in
            var search = Search(Counters(count: 3, limit: 9), bounds: Bounds(depth: 5))
            search.resume = path
            #expect(throws: CheckpointError.cannotRead(path: path)) { try search.runResumable() }
            try Data("garbage, and more of it than a header".utf8).write(to: URL(fileURLWithPath: path))
            #expect(throws: CheckpointError.malformed(path: path)) { try search.runResumable() }

            search.resume = nil
            search.checkpoint = path
            _ = try search.runResumable()
            var other = Search(Counters(count: 3, limit: 8))
            other.resume = path
            #expect(throws: CheckpointError.ofAnotherSearch(path: path)) { try other.runResumable() }
            var twoWorkers = Search(Counters(count: 3, limit: 9), workers: 2)
            twoWorkers.resume = path
            #expect(throws: CheckpointError.ofAnotherSearch(path: path)) { try twoWorkers.runResumable() }
            var small = Search(Counters(count: 3, limit: 9), bounds: Bounds(states: 10))
            small.resume = path
            #expect(throws: CheckpointError.tooLarge(path: path)) { try small.runResumable() }

            let good = try Data(contentsOf: URL(fileURLWithPath: path))
            for length in stride(from: 0, to: good.count, by: 37) {
                try good.prefix(length).write(to: URL(fileURLWithPath: path))
                var cut = Search(Counters(count: 3, limit: 9))
                cut.resume = path
                #expect(throws: CheckpointError.malformed(path: path)) { try cut.runResumable() }
            }
        }
        var nowhere = Search(Counters(count: 3, limit: 9), bounds: Bounds(depth: 3))
        nowhere.checkpoint = "/nonexistent/file"
        #expect(throws: CheckpointError.cannotWrite(path: "/nonexistent/file")) { try nowhere.runResumable() }
    }
}
