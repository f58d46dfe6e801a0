// SPDX-License-Identifier: GPL-2.0
import CSource
import ModelExtraction
import Testing

@Suite struct SourceMutantsTests {
    private static let text = """
        static int f(struct mddev *mddev)
        {
            int e = 0;
            if (test_bit(MD_X, &mddev->flags)) {
                md_wakeup_thread(mddev->thread);
                set_bit(MD_RECOVERY_NEEDED, &mddev->recovery);
            }
            while (!mutex_trylock(&mddev->flags))
                pr_info("busy");
            e = dlm_lock_sync(mddev->cluster_info->token_lockres, 5);
            return e;
        }
        """

    private func mutants() throws -> [SourceMutants.Mutant] {
        SourceMutants.all(of: try SourceText.unit(Self.text)).filter { $0.function == "f" }
    }

    @Test func everyKindOfMistakeIsMadeAtItsPlace() throws {
        let mutants = try mutants()
        let names = Set(mutants.map(\.name))
        #expect(names.contains("f: dropped: md_wakeup_thread(mddev->thread);"))
        #expect(names.contains("f: after the next: md_wakeup_thread(mddev->thread);"))
        #expect(names.contains("f: turned: if (test_bit(MD_X, &mddev->flags)) {"))
        #expect(names.contains("f: argument 2: e = dlm_lock_sync(mddev->cluster_info->token_lockres, 5);"))
        #expect(names.contains("f: dropped: pr_info(\"busy\");"))
        #expect(Set(mutants.map(\.change)) == ["dropped", "after the next", "turned", "argument 2"])
    }

    @Test func onlyWhatNobodyNoticesIsTheSame() throws {
        let stock = try SourceText.extraction(Self.text)
        var same: [String] = []
        for mutant in try mutants() {
            let changed = try SourceText.extraction(of: mutant.unit)
            let comparison = SourceComparison(was: stock, now: changed)
            if comparison.verdict == .same { same.append(mutant.name) }
            // What does not depend on the mistake may be taken from the stock.
            let quick = SourceComparison(was: stock, now: stock.changed(mutant.unit, function: "f"))
            #expect(quick.verdict == comparison.verdict && quick.changes == comparison.changes)
        }
        #expect(same == ["f: dropped: pr_info(\"busy\");"])
    }
}
