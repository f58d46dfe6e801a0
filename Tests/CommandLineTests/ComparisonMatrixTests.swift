// SPDX-License-Identifier: GPL-2.0
import Foundation
import MDClusterModel
import RunRecord
import Testing

@testable import mdlab

@Suite struct ComparisonMatrixTests {
    private let unchanged = ComparisonMatrix.Kernel(name: "6.1", own: "v5.11")
    private let stock = ComparisonMatrix.Kernel(name: "6.1 stock", own: "v5.11")
    private let async = ComparisonMatrix.Kernel(name: "6.1 async", own: "async")

    private func entry(_ scenario: String, _ answer: ComparisonMatrix.Answer) -> ComparisonMatrix.Entry {
        .init(scenario: scenario, folder: "runs/\(scenario)", answer: answer)
    }

    private func matrix(_ reasons: String = "v5.11 v4.12: told by a hang only\n") throws -> ComparisonMatrix {
        var matrix = ComparisonMatrix(
            models: ["v5.11", "async", "v4.12"],
            notShown: try NotShown.read(reasons, variants: ["v5.11", "async", "v4.12"]))
        for scenario in ["smoke", "grow-size"] {
            matrix.add(unchanged, model: "v5.11", entry(scenario, .conforms))
            matrix.add(unchanged, model: "v4.12", entry(scenario, .conforms))
        }
        matrix.add(unchanged, model: "async", entry("grow-size", .conforms))
        matrix.add(unchanged, model: "async", entry("smoke", .differs("node1 md0_cluster_rec: enter md_reload_sb(0)")))
        matrix.add(async, model: "v5.11", entry("smoke", .differs("node1 md0_cluster_rec: dlm_lock_start(ack, NL)")))
        matrix.add(async, model: "async", entry("smoke", .conforms))
        matrix.add(async, model: "v4.12", entry("smoke", .notDecided("lost events")))
        return matrix
    }

    @Test func theTableSaysWhatEachPairIs() throws {
        #expect(
            try matrix().text == """
                kernel \\ model  v5.11         async         v4.12
                6.1             [conforms 2]  differs       conforms 2
                6.1 async       differs       [conforms 1]  ? 1

                [ ] is the kernel's own model, with all records; others are compared until one record differs; '?': not decided

                told apart by
                  6.1
                    smoke: node1 md0_cluster_rec: enter md_reload_sb(0)  [async]
                  6.1 async
                    smoke: node1 md0_cluster_rec: dlm_lock_start(ack, NL)  [v5.11]

                not decided
                  kernel async, model v4.12: smoke: lost events

                not told apart by these records
                  kernel v5.11, model v4.12: told by a hang only

                4 pairs of variants: 2 told apart, 1 not, 1 not decided; own models: 3 of 3 records conform

                """)
        #expect(try MatrixWording.alarms(matrix()).isEmpty)
    }

    /// One record that differs is enough to tell a pair apart, and an undecided one is never counted as conforming.
    @Test func aCellCountsEachAnswer() throws {
        var matrix = try matrix()
        #expect(matrix.cell(unchanged, "async").text == "differs")
        #expect(matrix.cell(async, "v4.12").text == "? 1")
        #expect(matrix.cell(async, "no such").text == "-")
        matrix.add(async, model: "async", entry("fail-device", .hangsToo))
        #expect(matrix.cell(async, "async").ownText == "[conforms 2]")
        matrix.add(async, model: "async", entry("fail-device", .notDecided("lost events")))
        #expect(matrix.cell(async, "async").ownText == "[conforms 2, ? 1]")
        #expect(matrix.undecided.count == 1)
        #expect(
            MatrixWording.alarms(matrix) == [
                "", "not known to conform to their own model", "  6.1 async, fail-device: not decided: lost events",
                "    mdlab compare --variant async runs/fail-device",
            ])
    }

    /// The other rows' answers do not hide it, and the command that shows it is there.
    @Test func aKernelThatDiffersFromItsOwnModelIsAnAlarm() throws {
        var matrix = try matrix()
        matrix.add(async, model: "async", entry("fail-device", .differs("node2 mdadm: enter lock_comm(1)")))
        matrix.add(async, model: "async", entry("grow-size", .conforms))
        #expect(matrix.falseAlarms.map(\.entry.scenario) == ["fail-device"])
        #expect(matrix.cell(async, "async").ownText == "[differs 1/3]")
        #expect(matrix.text.hasSuffix("own models: 4 of 5 records conform\n"))
        #expect(
            MatrixWording.alarms(matrix) == [
                "", "kernels that do not conform to their own model",
                "  6.1 async, fail-device: differs: node2 mdadm: enter lock_comm(1)",
                "    mdlab compare --variant async runs/fail-device",
            ])
    }

    // MARK: - Reasons

    @Test func aReasonForAPairThatIsToldApartIsStale() throws {
        let reasons = "# comment\nv5.11 v4.12: open\nv5.11 async: was so once\n* v5.11: all of them told\n"
        let matrix = try matrix(reasons)
        #expect(matrix.stale.map(\.reason.line) == [3, 4])
        #expect(
            matrix.text.contains(
                """

                stale in kernel-tests/not-shown: strike out
                  line 3, v5.11 async: told apart by smoke: node1 md0_cluster_rec: enter md_reload_sb(0)
                  line 4, * v5.11: told apart by smoke: node1 md0_cluster_rec: dlm_lock_start(ack, NL)

                """))
    }

    /// Without a record of either there is nothing to say, and one open pair is enough for a reason that is given for
    /// several.
    @Test func aReasonIsNotStaleWithoutRecordsOrWithAnOpenPair() throws {
        #expect(try matrix("v4.12 async: no such kernel here\nv5.11 *: one is open\n").stale.isEmpty)
    }

    @Test func aPairWithoutAReasonSaysSo() throws {
        #expect(
            try matrix("").text.contains("  kernel v5.11, model v4.12: kernel-tests/not-shown has no reason\n"))
    }

    /// A kernel and the same code built by the distribution are one variant: what one row tells need not be told by the
    /// other.
    @Test func rowsOfOneVariantTellTogether() throws {
        var matrix = try matrix()
        matrix.add(stock, model: "v4.12", entry("deadlock-v4.12", .differs("node2 mdadm: enter md_wakeup_thread()")))
        #expect(matrix.open.isEmpty)
        #expect(matrix.stale.map(\.reason.line) == [1])
    }

    @Test(arguments: [
        ("nonsense\n", NotShownError.notALine(line: 1, "nonsense")),
        ("# a\n\nasync: x\n", .notALine(line: 3, "async: x")),
        ("async v5.11 v4.12: x\n", .notALine(line: 1, "async v5.11 v4.12: x")),
        ("async v5.11:  \n", .notALine(line: 1, "async v5.11:  ")),
        (": x\n", .notALine(line: 1, ": x")),
        ("async v5.12: x\n", .noVariant(line: 1, "v5.12")),
        ("async v5.11: x\n\0\u{FF}\n", .notALine(line: 2, "\0\u{FF}")),
    ])
    func garbageAmongTheReasonsIsRefused(_ text: String, _ error: NotShownError) {
        #expect(throws: error) { try NotShown.read(text, variants: ["async", "v5.11", "v4.12"]) }
        #expect(error.line.contains("not-shown:"))
        #expect(error.exitCode == Exit.usage)
    }

    @Test func theReasonsOfTheProjectNameVariantsOfTheModel() throws {
        let text = try String(contentsOf: ScenarioFiles.locate().notShown, encoding: .utf8)
        let reasons = try NotShown.read(text, variants: Variants.all.map(\.name))
        #expect(reasons.map { "\($0.kernel) \($0.model)" } == ["v5.11 remove-eaten", "newdisk-nack v6.11"])
    }

    // MARK: - What is compared

    @Test func ownModelsComeFirstWithEachRecordForItself() {
        let items = MatrixItem.all([unchanged, async, unchanged], models: ["v5.11", "async"])
        #expect(
            items == [
                .init(kernel: unchanged, model: "v5.11", records: [0]),
                .init(kernel: unchanged, model: "v5.11", records: [2]),
                .init(kernel: async, model: "async", records: [1]),
                .init(kernel: unchanged, model: "async", records: [0, 2]),
                .init(kernel: async, model: "v5.11", records: [1]),
            ])
        #expect(MatrixItem.all([async], models: ["v4.12"]).map(\.model) == ["v4.12"])
        #expect(MatrixItem.all([], models: ["v4.12"]).isEmpty)
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
