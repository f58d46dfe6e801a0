// SPDX-License-Identifier: GPL-2.0
import Comparison
import Foundation
import Scenarios
import Testing

@testable import mdlab

/// What `mdlab coverage` makes of folders, and of the steps of scenarios.
@Suite struct CoverageCommandTests {
    private static let empty = Result { try Coverage() }

    @Test(arguments: [nil, "", "{}", "{\"scenario\": \"smo"])
    func aRunThatCannotBeReadIsSaidAndNotCounted(description: String?) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "mdlab-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try description.map { try Data($0.utf8).write(to: folder.appending(path: "run.json")) }
        var said: [String] = []
        var coverage = try Self.empty.get()
        let exit = try CoverageCommand.collect([folder.path, folder.path], into: &coverage, states: 10) {
            said.append($0)
        }
        #expect(coverage.runs == 0 && coverage.taken.isEmpty && coverage.left.isEmpty)
        #expect(said.count == 2 && said.allSatisfy { $0.contains(folder.lastPathComponent) })
        #expect(exit == Exit.usage || exit == Exit.untestable)
    }

    @Test func withoutARunThatCountsNothingCouldBeTested() throws {
        var coverage = try Self.empty.get()
        #expect(try CoverageCommand.collect([], into: &coverage, states: 10) { _ in } == 125)
        #expect(coverage.runs == 0)
    }

    @Test(arguments: [["run", "--states", "0"], ["run", "--reach", "0"], []])
    func aCommandLineThatSaysNothingIsRefused(_ arguments: [String]) {
        #expect(throws: (any Error).self) { try CoverageCommand.parse(arguments) }
    }

    @Test func runsThatAreLeftOutAreSaid() throws {
        var coverage = try Self.empty.get()
        coverage.leave("runs/one", of: "async")
        coverage.leave("runs/two", of: "async")
        let plan = try CoveragePlan(coverage, candidates: [], limit: 1, standard: [])
        let text = CoverageWording.report(coverage, plan, unprovable: [], listsPairs: false)
        #expect(text.contains("0 of \(coverage.steps.count) steps"))
        #expect(text.contains("--json names them): 2 of async"))
        let document = CoverageDocument(coverage, plan, unprovable: [])
        #expect(document.left.map(\.reason) == ["is of async", "is of async"])
        let file = FileManager.default.temporaryDirectory.appending(path: "mdlab-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try document.write(to: file)
        #expect(try JSONDecoder().decode(CoverageDocument.self, from: Data(contentsOf: file)) == document)
    }

    // MARK: - Steps of scenarios

    private static func phases(_ name: String) throws -> [String] {
        let instance = try #require(ScenarioFiles.locate().catalogue().instances.first { $0.name == name })
        return ScenarioCalls.script(of: instance).phases.map { phase in
            phase.map { "\($0.operation.rawValue)\($0.node + 1)" }.joined(separator: " ")
        }
    }

    @Test(arguments: [
        ("smoke", ["update1"]),
        ("fail-device", ["update2", "update1"]),
        ("add-device-missing", ["add1 refuse2"]),
        ("add-spare", ["add1 confirm2"]),
        ("grow-size", ["grow1"]),
        ("remove-while-resyncing", ["update1", "resync1 update2 remove1"]),
        ("stop-while-resyncing", ["resync1 stop1 resync2 stop2", "assemble1", "assemble2", "resync2"]),
        ("concurrent-updates", ["update1 update2", "update2 update1"]),
    ])
    func theStepsOfAScenarioBecomeCalls(_ name: String, _ calls: [String]) throws {
        #expect(try Self.phases(name) == ["assemble1", "assemble2"] + calls)
    }

    /// The dead node and who sends meanwhile are one phase.
    @Test func aCrashGoesOnBesideWhatFollows() throws {
        #expect(try Self.phases("node-dies") == ["assemble1", "assemble2 assemble3", "crash3 update1", "update2"])
    }
}
