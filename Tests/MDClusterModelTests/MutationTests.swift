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

    private func fault(_ change: String) -> MutantIdentity {
        MutantIdentity(procedure: "unlock_comm", change: change)
    }
    /// recv_mutex is let go after the token.
    private var later: MutantIdentity {
        fault("(swap (unlock recv_mutex) (let ret (call dlm_lock_sync (res token) (mode 0))))")
    }

    /// A fault that nothing notices is settled by its reason only.
    @Test func aDroppedReasonIsMissed() throws {
        var trial = trial("grow/")
        let before = try trial.run(procedures: ["unlock_comm"])
        #expect(before.filter { !$0.fate.isSettled }.isEmpty)
        #expect(trial.staleReasons(before, procedures: ["unlock_comm"]).isEmpty)
        trial.reasons[later] = nil
        let after = try trial.run(procedures: ["unlock_comm"])
        #expect(after.filter { !$0.fate.isSettled }.map(\.identity) == [later])
    }

    /// One for a fault that is noticed, one for a fault that there is not.
    @Test func aReasonThatIsNotNeededIsStale() throws {
        var trial = trial("grow/")
        let stale = [fault("(drop (set SEND_LICK 0))"), fault("(drop (set SEND_LOCK 0))")]
        for identity in stale { trial.reasons[identity] = .init(text: "it is") }
        let outcomes = try trial.run(procedures: ["unlock_comm"])
        #expect(trial.staleReasons(outcomes, procedures: ["unlock_comm"]) == stale)
    }

    /// Two that do the same are taken out together; a step that is noticed alone backs nothing.
    @Test func whatIsSaidToBackAStepIsTakenOutWithIt() throws {
        var trial = trial("grow/")
        func fate(_ backup: MutantIdentity) throws -> MutationTrial.Fate? {
            trial.reasons[later] = .init(text: "the other does the same", backup: backup)
            return try trial.run(procedures: ["unlock_comm"]).first { $0.identity == later }?.fate
        }
        for backup in [fault("(drop (set SEND_LOCK 0))"), fault("(drop nothing)")] {
            let found = try fate(backup)
            #expect(found == .notBacked(by: backup))
        }
    }

    /// Rules and comments may be worded anew, and no reason is lost by it.
    @Test func reasonsDoNotDependOnTexts() throws {
        for workload in MutationWorkload.all.prefix(3) {
            var program = try workload.program()
            let before = program.mutants().map(\.identity)
            for index in program.procedures.indices {
                program.procedures[index].source = "elsewhere"
                program.procedures[index].body = program.procedures[index].body.flatMap { statement in
                    statement.replacing { inner in
                        guard case .require(let condition, let rule) = inner else { return [inner] }
                        return [.require(condition, .init(rule.id, "worded anew"))]
                    }
                }
            }
            #expect(program.mutants().map(\.identity) == before)
        }
    }

    /// Of all statements of the model, two have the same structure only where they are the same.
    @Test func noTwoStatementsHaveTheSameStructure() throws {
        var known: [String: Statement] = [:]
        for workload in MutationWorkload.all {
            for procedure in try workload.program().procedures {
                for statement in procedure.body {
                    _ = statement.replacing { inner in
                        if case .require = inner { return [] }
                        let other = known.updateValue(inner, forKey: inner.structure.description)
                        #expect(other == nil || other == inner, "\(inner.structure)")
                        return [inner]
                    }
                }
            }
        }
        #expect(known.count > 200)
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
