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
    private func trial(_ workload: String) -> MutationTrial {
        var trial = MutationTrial()
        trial.workloads = [MutationWorkload(workload)]
        return trial
    }

    /// On what is small and quick: every workload of a mutation trial is right without a fault, or its faults tell
    /// nothing.
    @Test func aTrialOnAModelThatIsWrongIsRefused() throws {
        #expect(throws: MutationError.theReferenceFails(workloads: ["add,sysfs-remove/": .fails(.deadlock)])) {
            try trial("add,sysfs-remove/").run(procedures: ["unlock_comm"])
        }
    }

    /// A fault that nothing notices is settled by its reason only.
    @Test func aDroppedReasonIsMissed() throws {
        var trial = trial("grow/")
        let name = "unlock_comm: swap: mutex_unlock(recv_mutex) with ret = dlm_lock_sync(token, NL)"
        let before = try trial.run(procedures: ["unlock_comm"])
        #expect(before.filter { !$0.fate.isSettled }.isEmpty)
        #expect(trial.staleReasons(before, procedures: ["unlock_comm"]).isEmpty)
        trial.reasons[name] = nil
        let after = try trial.run(procedures: ["unlock_comm"])
        #expect(after.filter { !$0.fate.isSettled }.map(\.name) == [name])
    }

    /// One for a fault that is noticed, one for a fault that there is not.
    @Test func aReasonThatIsNotNeededIsStale() throws {
        var trial = trial("grow/")
        trial.reasons["unlock_comm: drop: SEND_LOCK = 0"] = .init(text: "it is")
        trial.reasons["unlock_comm: drop: SEND_LICK = 0"] = .init(text: "it is")
        let outcomes = try trial.run(procedures: ["unlock_comm"])
        #expect(
            trial.staleReasons(outcomes, procedures: ["unlock_comm"]) == [
                "unlock_comm: drop: SEND_LICK = 0", "unlock_comm: drop: SEND_LOCK = 0",
            ])
    }

    /// Two that do the same are taken out together; a step that is noticed alone backs nothing.
    @Test func whatIsSaidToBackAStepIsTakenOutWithIt() throws {
        var trial = trial("grow/")
        let swap = "unlock_comm: swap: mutex_unlock(recv_mutex) with ret = dlm_lock_sync(token, NL)"
        func fate(_ backup: String) throws -> MutationTrial.Fate? {
            trial.reasons[swap] = .init(text: "the other does the same", backup: backup)
            return try trial.run(procedures: ["unlock_comm"]).first { $0.name == swap }?.fate
        }
        for backup in ["unlock_comm: drop: SEND_LOCK = 0", "unlock_comm: drop: nothing"] {
            let found = try fate(backup)
            #expect(found == .notBacked(by: backup))
        }
    }

    /// A thread's own note in another order is nothing that anyone could see.
    @Test func whatChangesNothingIsEquivalent() throws {
        var trial = trial("grow/")
        trial.reasons = [:]
        let outcomes = try trial.run(procedures: ["lock_comm"])
        let fate = outcomes.first { $0.change == "swap: md_wakeup_thread() with set_bit = 1" }?.fate
        guard case .equivalent(let states) = fate else { Issue.record("\(String(describing: fate))"); return }
        #expect(states > 100)
    }
}
