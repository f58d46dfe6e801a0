// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import ModelChecker
import ProcedureModel
import Testing

@Suite struct MistakeTests {
    private func mistake(_ body: [Statement], setUp: (inout Program) -> Void = { _ in }) -> ProgramError? {
        do {
            _ = try Machine(program([body], setUp: setUp))
            return nil
        } catch { return error }
    }

    @Test func undeclaredNamesAreNamedWithTheirPlace() {
        #expect(mistake([mutex_lock("nix")]) == .unknownName("nix", kind: "mutex", procedure: "body1"))
        #expect(mistake([assign("nix", 1)]) == .unknownName("nix", kind: "variable", procedure: "body1"))
        #expect(mistake([wake_up("nix")]) == .unknownName("nix", kind: "wait queue", procedure: "body1"))
        #expect(mistake([start("nix")]) == .unknownName("nix", kind: "thread", procedure: "body1"))
        #expect(mistake([call("nix")]) == .unknownName("nix", kind: "procedure", procedure: "body1"))
        #expect(mistake([Statement.cancel("nix")]) == .unknownName("nix", kind: "lock", procedure: "body1"))
        #expect(
            mistake([assign("x", 1)]) { $0.rules = [.init(.always, "r", .v("nix"))] }
                == .unknownName("nix", kind: "variable", procedure: "r"))
    }

    @Test func waitsThatCannotEndAreRefused() {
        #expect(mistake([wait {}]) == .endlessWait(procedure: "body1"))
        #expect(mistake([wait(.constant(0))]) == .endlessWait(procedure: "body1"))
    }

    @Test func waitingInsideAnAtomicIsRefused() {
        #expect(
            mistake([
                atomic {
                    assign("x", 1); mutex_lock("a")
                }
            ]) == .blockingInAtomic(procedure: "body1"))
        #expect(
            mistake([
                atomic {
                    wait(.v("x") == 0); assign("x", 1)
                }
            ]) == nil)
    }

    @Test func otherMistakesAreNamed() {
        #expect(mistake([leave()]) == .leaveOutsideLoop(procedure: "body1"))
        #expect(mistake([assign("x", 8)]) == .tooManyValues("body1: 8"))
        #expect(mistake([call("body1")]) == .recursion(procedure: "body1"))
        // Wherever the call stands.
        let again = [call("body1")]
        for statement: Statement in [
            .ifElse(.v("x") == 0, again, []), .ifElse(.v("x") == 0, [], again), .loop(again), .atomic(again),
            .choose([[], again]),
            .wait([Statement.Alternative(condition: .v("x") == 0, effects: again)], idle: false),
            .waitEvent(queue: "q", [Statement.Alternative(condition: .v("x") == 0, effects: again)]),
        ] {
            #expect(mistake([statement]) == .recursion(procedure: "body1"), "\(statement)")
        }
        #expect(
            mistake([call("f")]) { $0.procedures.append(Procedure("f", parameters: ["p"]) { assign("x", .v("$p")) }) }
                == .missingArgument("p", procedure: "f"))
    }
}

@Suite struct PrintingTests {
    @Test func aProcedureReadsLikeC() {
        let procedure = Procedure("f", parameters: ["res"], locals: ["ret": 2], source: "file.c: f") {
            mutex_lock("a")
            when_(.v("ret") == 0 && (.v("x") != 1 || !.locked("b"))) {
                call("g", "mode" <- .ex)
            } else: {
                leave()
            }
            wait_event("q", .v("x") == 1)
            Statement.convertTo("$res", .v("$mode"), noQueue: true, result: "ret")
            return_(.v("ret"))
        }
        #expect(
            procedure.description == """
                /* file.c: f */
                f(res)
                {
                \tint ret = 0;

                \tmutex_lock(a);
                \tif (ret == 0 && (x != 1 || !mutex_is_locked(b))) {
                \t\tg(EX);
                \t} else {
                \t\tbreak;
                \t}
                \twait_event(q, x == 1);
                \tret = dlm_lock(res, mode, NOQUEUE);
                \treturn ret;
                }

                """)
    }
}

@Suite struct ChangeTests {
    @Test func statementsAreReplacedWhereverTheyAre() throws {
        var changed = program([[atomic { when_(.v("x") == 0) { assign("y", 1) } }]])
        changed.change("body1") { $0 == assign("y", 1) ? [assign("y", 2)] : [$0] }
        changed.rules = [.init(.atEnd, "changed", .v("y") == 2)]
        #expect(try verdict(changed) == .holds)
    }

    @Test func statementsAreInsertedOnce() throws {
        var changed = program([[assign("x", 1), assign("x", 1)]])
        changed.insert([assign("y", .v("y") + 1)], into: "body1") { $0 == assign("x", 1) }
        changed.rules = [.init(.atEnd, "once", .v("y") == 1)]
        #expect(try verdict(changed) == .holds)
    }
}
