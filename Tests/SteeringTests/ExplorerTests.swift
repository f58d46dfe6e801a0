// SPDX-License-Identifier: GPL-2.0
import Foundation
import RunRecord
import Synchronization
import Testing

@testable import Steering

/// A folder that is gone when the test is over.
private final class Folder {
    let url = FileManager.default.temporaryDirectory.appending(
        path: "mdlab-exploration-\(UInt64.random(in: 0...UInt64.max))")
    deinit { try? FileManager.default.removeItem(at: url) }

    static let subject = ExplorationFolder.Subject(
        scenario: "s", kernelRelease: "6.1", source: "stock", modules: ["a"], file: "steps: []", limit: 1000)
    func open() throws -> ExplorationFolder { try ExplorationFolder(url, subject: Self.subject) }
    var results: URL { url.appending(path: "results.ndjson") }
}

private let points = (0..<6).map { HoldPoint(node: $0 % 2 + 1, comm: "t\($0)", edge: .entry, function: "f\($0)") }

/// A kernel that hangs when the threads of the points 1 and 4 are delayed together; point 1 alone is seen.
private func outcome(_ plan: DelayPlan) -> Reached {
    let delayed = Set(plan.holds)
    if delayed.isSuperset(of: [points[1], points[4]]) {
        return Reached(word: "FAIL", failures: ["no-hang: t1"], messages: [])
    }
    return Reached(word: "PASS", failures: [], messages: delayed.contains(points[1]) ? ["late"] : ["on time"])
}

@Suite struct ExplorerTests {
    /// Explores with a made-up kernel; every run leaves a record.
    private func explore(
        _ folder: ExplorationFolder, lanes: Int = 2, stopAtFailure: Bool = false, atMost: Int = .max
    ) async throws -> [DelayResult] {
        let explorer = try Explorer(folder, points: points)
        let runs = Mutex(0)
        do {
            try await explorer.run(lanes: lanes, until: .now + .seconds(3600), stopAtFailure: stopAtFailure) {
                number, plan in
                guard
                    runs.withLock({
                        $0 += 1; return $0 <= atMost
                    })
                else { throw ExplorationError.noRace(problem: "killed") }
                try FileManager.default.createDirectory(
                    at: folder.record(number).root, withIntermediateDirectories: true)
                return .init(gates: plan.holds.map { _ in "expired" }, reached: outcome(plan), reason: "")
            }
        } catch ExplorationError.noRace {}
        return await explorer.results
    }

    @Test func whatOnlyTwoDelaysReachIsFound() async throws {
        let folder = Folder()
        let results = try await explore(try folder.open(), lanes: 1)
        let failure = try #require(results.first { $0.reached.isFailure })
        #expect(Set(failure.plan.holds) == [points[1], points[4]])
        #expect(results.count == 3 + 6 + 5)
    }

    @Test func onlyTheFirstRecordOfWhatWasReachedIsKept() async throws {
        let folder = Folder()
        let results = try await explore(try folder.open())
        let kept = results.compactMap(\.record)
        #expect(kept.count == 3)
        let there = try FileManager.default.contentsOfDirectory(atPath: folder.url.path + "/runs")
        #expect(Set(there.map { "runs/" + $0 }) == Set(kept))
    }

    @Test func itStopsAtTheFirstFailureWhenAsked() async throws {
        let folder = Folder()
        let results = try await explore(try folder.open(), lanes: 1, stopAtFailure: true)
        #expect(results.last?.reached.isFailure == true && results.count { $0.reached.isFailure } == 1)
        #expect(try await explore(try folder.open(), lanes: 1, stopAtFailure: true).count == results.count)
    }

    @Test(arguments: [1, 4, 9, 12]) func oneThatWasKilledGoesOnWhereItWas(runs: Int) async throws {
        let folder = Folder()
        let first = try await explore(try folder.open(), lanes: 1, atMost: runs)
        #expect(first.count == runs)
        // Half a line and half a record, as a kill leaves them.
        let file = try FileHandle(forWritingTo: folder.results)
        try file.seekToEnd()
        try file.write(contentsOf: Data("{\"gates\":[".utf8))
        try file.close()
        try FileManager.default.createDirectory(
            at: folder.url.appending(path: "runs/9999"), withIntermediateDirectories: true)
        let all = try await explore(try folder.open(), lanes: 1)
        #expect(Array(all.prefix(runs)) == first)
        #expect(all.count == 14)
        #expect(Set(all.filter { !$0.plan.holds.isEmpty }.map(\.plan)).count == 11)
        #expect(try folder.open().results() == all)
        #expect(!FileManager.default.fileExists(atPath: folder.url.path + "/runs/9999"))
    }

    @Test func aLabThatFailsAgainAndAgainEndsIt() async throws {
        struct Broken: Error {}
        let folder = Folder()
        let explorer = try Explorer(try folder.open(), points: points)
        await #expect(throws: ExplorationError.labFailed(times: 3, reason: "Broken()")) {
            try await explorer.run(lanes: 1, until: .now + .seconds(3600), stopAtFailure: false) { _, _ in
                throw Broken()
            }
        }
        #expect(await explorer.results.isEmpty)
    }

    @Test func nothingIsBegunAfterTheTimeIsOver() async throws {
        let folder = Folder()
        let explorer = try Explorer(try folder.open(), points: points)
        try await explorer.run(lanes: 2, until: .now, stopAtFailure: false) { _, _ in throw CancellationError() }
        #expect(await explorer.results.isEmpty)
    }
}

@Suite struct ExplorationFolderTests {
    @Test func anotherSubjectIsRefused() throws {
        let folder = Folder()
        _ = try folder.open()
        var other = Folder.subject
        other.limit = 5
        #expect(throws: ExplorationError.otherSubject(path: folder.url.path, Folder.subject)) {
            try ExplorationFolder(folder.url, subject: other)
        }
    }

    @Test func aFolderWithOtherThingsIsLeftAlone() throws {
        let folder = Folder()
        try FileManager.default.createDirectory(at: folder.url, withIntermediateDirectories: true)
        try Data("mine".utf8).write(to: folder.url.appending(path: "letter"))
        #expect(throws: ExplorationError.notAnExploration(path: folder.url.path)) { try folder.open() }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["letter"])
    }

    @Test(arguments: ["", "{", "null", "{\"format\":2}", "\u{0}\u{1}"]) func aDamagedDescriptionIsAnError(text: String)
        throws
    {
        let folder = Folder()
        _ = try folder.open()
        try Data(text.utf8).write(to: folder.url.appending(path: "exploration.json"))
        #expect(throws: ExplorationError.unreadable(path: folder.url.path + "/exploration.json")) { try folder.open() }
    }

    @Test(arguments: ["x\n", "{}\n", "\u{0}\n", "[1]\n"]) func aDamagedResultIsAnError(text: String) throws {
        let folder = Folder()
        let opened = try folder.open()
        try Data(text.utf8).write(to: folder.results)
        #expect(throws: ExplorationError.unreadable(path: folder.results.path)) { try opened.results() }
    }

    @Test func pointsAreKept() throws {
        let folder = Folder()
        var opened = try folder.open()
        #expect(opened.points == nil)
        try opened.keep(points)
        #expect(try folder.open().points == points)
    }
}
