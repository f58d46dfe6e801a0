// SPDX-License-Identifier: GPL-2.0
@testable import MDClusterModel
import ModelChecker
import ProcedureModel
import Testing

@Suite struct MutationTrialTests {
    private func trial(_ workloads: String...) -> MutationTrial {
        var trial = MutationTrial()
        trial.workloads = trial.workloads.filter { workloads.contains($0.text) }
        #expect(trial.workloads.count == workloads.count)
        return trial
    }

    @Test func aDroppedReleaseOfTheTokenIsNoticed() throws {
        let outcomes = try trial("fail/").run(procedures: ["unlock_comm"])
        let fates = Dictionary(uniqueKeysWithValues: outcomes.map { ($0.change, $0.fate) })
        for change in [
            "drop: ret = dlm_lock_sync(token, NL)", "drop: mutex_unlock(recv_mutex)", "drop: SEND_LOCK = 0",
        ] {
            guard case .killed = fates[change] else {
                Issue.record("\(change): \(String(describing: fates[change]))"); continue
            }
        }
    }

    @Test func whatNoWorkloadDoesIsNotReached() throws {
        let outcomes = try trial("fail/").run(procedures: ["leave"])
        #expect(!outcomes.isEmpty)
        #expect(outcomes.contains { $0.fate == .notReached })
        for outcome in outcomes {
            if case .killed = outcome.fate { Issue.record("\(outcome.name) was noticed by a workload without leave()") }
        }
    }
}

@Suite struct HarmlessMutantTests {
    @Test func everyReasonIsForAMutantThatThereIs() throws {
        #expect(try MutationTrial().unusedReasons().isEmpty)
    }

    /// On what is small and quick: every workload of a mutation trial is right without a fault, or its faults tell nothing.
    @Test func aTrialOnAModelThatIsWrongIsRefused() throws {
        var trial = MutationTrial()
        trial.workloads = [MutationWorkload("add,sysfs-remove/")]
        #expect(throws: MutationError.theReferenceFails(workloads: ["add,sysfs-remove/": .fails(.deadlock)])) {
            try trial.run(procedures: ["unlock_comm"])
        }
    }
}
