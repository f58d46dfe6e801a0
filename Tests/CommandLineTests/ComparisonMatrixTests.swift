// SPDX-License-Identifier: GPL-2.0
import Foundation
import MDClusterModel
import RunRecord
import Testing

@testable import mdlab

@Suite struct ComparisonMatrixTests {
    private let unchanged = ComparisonMatrix.Kernel(name: "6.1", own: "v5.11")
    private let async = ComparisonMatrix.Kernel(name: "6.1 async", own: "async")

    private func matrix() -> ComparisonMatrix {
        var matrix = ComparisonMatrix(
            models: ["v5.11", "async", "v4.12"], notShown: ["v4.12": "told by a hang only", "cr-cw": "not asked"])
        for scenario in ["smoke", "grow-size"] {
            matrix.add(unchanged, model: "v5.11", scenario: scenario, .conforms)
            matrix.add(unchanged, model: "v4.12", scenario: scenario, .conforms)
        }
        matrix.add(
            unchanged, model: "async", scenario: "smoke", .differs("node1 md0_cluster_rec: enter md_reload_sb(0)"))
        matrix.add(unchanged, model: "async", scenario: "grow-size", .conforms)
        matrix.add(async, model: "v5.11", scenario: "smoke", .differs("node1 md0_cluster_rec: dlm_lock_start(ack, NL)"))
        matrix.add(async, model: "async", scenario: "smoke", .conforms)
        matrix.add(async, model: "v4.12", scenario: "smoke", .notDecided("lost events"))
        return matrix
    }

    @Test func theTableSaysWhatEachPairIs() {
        #expect(
            matrix().text == """
                kernel \\ model  v5.11         async         v4.12
                6.1             [conforms 2]  differs 1/2   conforms 2
                6.1 async       differs 1/1   [conforms 1]  ? 1

                [ ] is the kernel's own model; 'differs 3/8': 3 of 8 records tell the two apart; 'hangs': conforms until a hang, undecided there;
                '?': not decided

                told apart by
                  6.1, model async: smoke: node1 md0_cluster_rec: enter md_reload_sb(0)
                  6.1 async, model v5.11: smoke: node1 md0_cluster_rec: dlm_lock_start(ack, NL)

                not decided
                  6.1 async, model v4.12: not decided: lost events

                not told apart by these records
                  6.1: v4.12

                what would tell them apart
                  v4.12: told by a hang only

                """)
    }

    /// One record that differs is enough to tell a pair apart, and an undecided one is never counted as conforming.
    @Test func aCellCountsEachAnswer() {
        let matrix = matrix()
        #expect(matrix.cell(unchanged, "async").text == "differs 1/2")
        #expect(matrix.cell(async, "v4.12").text == "? 1")
        #expect(matrix.cell(async, "no such").text == "-")
        #expect(matrix.falseAlarms.isEmpty)
        var more = matrix
        more.add(async, model: "async", scenario: "smoke", .conformsUntilHang)
        #expect(more.cell(async, "async").text == "conforms 1, hangs 1")
        more.add(async, model: "async", scenario: "smoke", .hangsToo)
        #expect(more.cell(async, "async").text == "conforms 2, hangs 1")
    }

    @Test func aKernelThatDiffersFromItsOwnModelIsAnAlarm() {
        var matrix = matrix()
        matrix.add(async, model: "async", scenario: "fail-device", .differs("node2 mdadm: enter lock_comm(1)"))
        #expect(matrix.falseAlarms.count == 1)
        #expect(matrix.falseAlarms.first?.kernel == "6.1 async")
        #expect(matrix.falseAlarms.first?.scenario == "fail-device")
    }

    @Test func theReasonsOfTheProjectNameVariantsOfTheModel() throws {
        let text = try String(contentsOf: ScenarioFiles.locate().notShown, encoding: .utf8)
        let reasons = ComparisonMatrix.reasons(in: text)
        #expect(reasons.count == 10)
        #expect(Set(reasons.keys).isSubset(of: Set(Variants.all.map(\.name))))
        #expect(ComparisonMatrix.reasons(in: "# a: b\nnonsense\nasync: x: y\n") == ["async": "x: y"])
    }

    @Test func aRecordIsNamedByWhatRan() {
        var run = RunDescription(
            toolVersion: "", scenario: "smoke", started: .distantPast, nodes: 2, kernelRelease: "6.12.117+deb12-amd64",
            start: .warm, accelerator: "tcg")
        #expect(ComparableRecord.kernel(run, own: "v6.11") == .init(name: "6.12", own: "v6.11"))
        run.modules = [.init(name: "md-mod", buildID: "", stock: true)]
        #expect(ComparableRecord.kernel(run, own: "v6.11") == .init(name: "6.12 stock", own: "v6.11"))
        run.modules[0].stock = false
        run.variant = "async"
        #expect(ComparableRecord.kernel(run, own: "async") == .init(name: "6.12 async", own: "async"))
    }

    @Test func recordsAreFoundBelowAFolder() throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "mdlab-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        for name in ["b/run", "a", ".hidden/run"] {
            try FileManager.default.createDirectory(
                at: root.appending(path: name), withIntermediateDirectories: true)
            try Data("{}".utf8).write(to: root.appending(path: name + "/run.json"))
        }
        let found = try RunFolders.find(in: [root.path])
        #expect(found.map(\.lastPathComponent) == ["a", "run"])
        #expect(throws: (any Error).self) { try RunFolders.find(in: [root.path + "/nothing"]) }
    }
}
