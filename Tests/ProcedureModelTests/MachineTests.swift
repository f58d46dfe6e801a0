// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import ModelChecker
import ProcedureModel
import Testing

/// A program of threads "t1", "t2", ... on each node, one for each body.
func program(nodes: Int = 1, _ bodies: [[Statement]], setUp: (inout Program) -> Void = { _ in }) -> Program {
    var program = Program(name: "test", nodes: nodes)
    program.perNode = [.init("x", values: 8), .init("y", values: 8)]
    program.mutexes = ["a", "b"]
    program.queues = ["q"]
    program.locks = [.init("lock")]
    for (index, body) in bodies.enumerated() {
        program.procedures.append(
            Procedure("body\(index + 1)", locals: ["got": 4]) { body })
        program.threads.append(.init("t\(index + 1)", procedure: "body\(index + 1)", runsOn: Set(0..<nodes)))
    }
    setUp(&program)
    return program
}

func verdict(_ program: Program) throws -> Verdict { try Search(Machine(program)).run().verdict }

@Suite struct WaitTests {
    @Test func mutexesTakenInOppositeOrderDeadlock() throws {
        func both(_ first: String, _ second: String) -> [Statement] {
            [mutex_lock(first), mutex_lock(second), mutex_unlock(second), mutex_unlock(first)]
        }
        #expect(try verdict(program([both("a", "b"), both("b", "a")])) == .fails(.deadlock))
        #expect(try verdict(program([both("a", "b"), both("a", "b")])) == .holds)
    }

    @Test func aSleeperLooksAgainOnlyWhenWoken() throws {
        let sleeper = [wait_event("q", .v("x") == 1)]
        #expect(try verdict(program([sleeper, [assign("x", 1)]])) == .fails(.deadlock))
        #expect(try verdict(program([sleeper, [assign("x", 1), wake_up("q")]])) == .holds)
        // Woken before the condition is true: it sleeps again.
        #expect(try verdict(program([sleeper, [wake_up("q"), assign("x", 1)]])) == .fails(.deadlock))
    }

    @Test func aWaitThatCannotLoseItsWakeUpGoesOn() throws {
        #expect(try verdict(program([[wait(.v("x") == 1)], [assign("x", 1)]])) == .holds)
        #expect(try verdict(program([[wait(.v("x") == 1)], [assign("x", 2)]])) == .fails(.deadlock))
    }

    @Test func aDaemonMayRestButNotAnywhere() throws {
        let daemon = [
            loop {
                wait(.v("x") == 1, idle: true); assign("x", 0)
            }
        ]
        #expect(try verdict(program([daemon, [assign("x", 1)]])) == .holds)
        let stuck = [
            loop {
                wait(.v("x") == 1, idle: true); wait(.v("y") == 1)
            }
        ]
        #expect(try verdict(program([stuck, [assign("x", 1)]])) == .fails(.deadlock))
    }

    @Test func runningInCirclesIsFoundWhenAsked() throws {
        let spinning = [loop { wait(.v("x") == 1, idle: true) }]
        #expect(try verdict(program([spinning, [assign("x", 1)]])) == .holds)
        let asked = try verdict(program([spinning, [assign("x", 1)]]) { $0.mustComeToRest = true })
        #expect(asked == .fails(.noProgress("the system comes to rest")))
        let ending = [
            loop {
                wait(.v("x") == 1, idle: true); assign("x", 0)
            }
        ]
        #expect(try verdict(program([ending, [assign("x", 1)]]) { $0.mustComeToRest = true }) == .holds)
    }

    @Test func theFirstPossibleAlternativeIsTakenWithItsEffects() throws {
        let body = [
            wait {
                until(.v("x") == 7) { assign("y", 1) }
                until(.v("x") == 0) { assign("y", 2) }
                until(.always) { assign("y", 3) }
            }
        ]
        let result = try verdict(program([body]) { $0.rules = [.init(.atEnd, "second", .v("y") == 2)] })
        #expect(result == .holds)
    }

    @Test func aTimeoutComesOnlyWhenNothingElseCanHappen() throws {
        let waiter = [
            wait {
                until(.v("x") == 1) { assign("y", 1) }
                onTimeout { assign("y", 2) }
            }
        ]
        let slow = [assign("x", 2), assign("x", 3), assign("x", 1)]
        let inTime = try verdict(program([waiter, slow]) { $0.rules = [.init(.atEnd, "in time", .v("y") == 1)] })
        #expect(inTime == .holds)
        let never = try verdict(program([waiter]) { $0.rules = [.init(.atEnd, "given up", .v("y") == 2)] })
        #expect(never == .holds)
    }

    @Test func aSleeperWithATimeLimitWakesByItself() throws {
        let body = [
            wait_event("q") {
                until(.v("x") == 1); onTimeout { assign("y", 1) }
            }
        ]
        #expect(try verdict(program([body]) { $0.rules = [.init(.atEnd, "awake", .v("y") == 1)] }) == .holds)
    }
}

@Suite struct StepTests {
    @Test func stepsOfThreadsInterleaveUnlessTheyAreAtomic() throws {
        func increment(_ isAtomic: Bool) -> [Statement] {
            let steps = [assign("got", .v("x")), assign("x", .v("got") + 1)]
            return isAtomic ? [.atomic(steps)] : steps
        }
        let both = Program.Rule(.atEnd, "both counted", .v("x") == 2)
        let lost = try verdict(program([increment(false), increment(false)]) { $0.rules = [both] })
        #expect(lost == .fails(.invariant("both counted")))
        #expect(try verdict(program([increment(true), increment(true)]) { $0.rules = [both] }) == .holds)
    }

    @Test func anEmptyProcedureEnds() throws {
        let result = try Search(Machine(program([[], [assign("x", 1)]]))).run()
        #expect(result.verdict == .holds)
        #expect(result.states == 6)
    }

    @Test func everyBranchOfAChoiceIsTaken() throws {
        let choice = choose([[assign("x", 1)], [assign("x", 2)], []])
        let rules = (0...2).map { Program.Rule(.sometimes, "\($0)", Expression.v("y") == 1 && .v("x") == $0) }
        #expect(try verdict(program([[choice, assign("y", 1)]]) { $0.rules = rules }) == .holds)
        let inside = try verdict(program([[.atomic([assign("y", 1), choice])]]) { $0.rules = rules })
        #expect(inside == .holds)
        let four = rules + [Program.Rule(.sometimes, "3", .v("x") == 3)]
        #expect(try verdict(program([[choice]]) { $0.rules = Array(four.suffix(1)) }) == .fails(.unreachable("3")))
    }

    @Test func callsPassConstantsAndGiveValuesBack() throws {
        let twice = Procedure("twice", parameters: ["value", "variable"], locals: ["inner": 8]) {
            assign("inner", .v("$value"))
            when_(.v("$value") == 3) {
                assign("$variable", .v("inner") + 2)
            } else: {
                assign("$variable", 7)
            }
            return_(.v("inner"))
        }
        let body = [call("twice", "value" <- 3, "variable" <- "y", result: "got"), assign("x", .v("got"))]
        let result = try verdict(
            program([body]) {
                $0.procedures.append(twice)
                $0.rules = [.init(.atEnd, "both", .v("x") == 3 && .v("y") == 5)]
            })
        #expect(result == .holds)
    }

    @Test func aRequirementThatIsFalseIsNamed() throws {
        let result = try verdict(program([[assign("x", 1), require(.v("x") == 0, "x stays 0")]]))
        #expect(result == .fails(.invariant("x stays 0")))
        #expect(
            try verdict(program([[mutex_unlock("a")]]))
                == .fails(.invariant("mutex_unlock of a mutex that is not held")))
    }

    @Test func aThreadIsStartedAndItsEndIsSeen() throws {
        let starter = [start("t2"), wait(!.running("t2")), assign("y", .v("x"))]
        let result = try verdict(
            program([starter, [assign("x", 1)]]) {
                $0.threads[1].runsOn = []
                $0.rules = [.init(.atEnd, "waited", .v("y") == 1)]
            })
        #expect(result == .holds)
    }

    @Test func tryLockSaysWhetherItGotTheMutex() throws {
        let body = [mutex_trylock("a", result: "got"), when_(.v("got") == 0) { assign("y", 1) }]
        let result = try verdict(
            program([body, body]) {
                $0.rules = [.init(.sometimes, "refused", .v("y") == 1), .init(.sometimes, "held", .locked("a"))]
            })
        #expect(result == .holds)
    }

    @Test func stacksAndTextsNameTheKernelFunctions() throws {
        let inner = Procedure("inner", parameters: ["res"]) {
            Statement.convert("$res", .ex, noQueue: false, result: nil)
        }
        let machine = try Machine(
            program([[call("inner", "res" <- "lock"), wait(.v("x") == 1)]]) { $0.procedures.append(inner) })
        let result = Search(machine).run()
        let run = try #require(result.counterexample)
        #expect(machine.place(ofStep: run.steps[0]).stack == ["inner(lock)", "body1()"])
        #expect(machine.text(ofStep: run.steps[0]) == "dlm_lock(lock, EX)")
        #expect(machine.situation(atEndOf: run).contains("node1 t1: wait(x == 1) <- body1()"))
        #expect(machine.situation(atEndOf: run).contains("lock: node1 EX"))
    }
}

@Suite struct NodeTests {
    /// A node that is gone takes no step any more, holds no mutex and knows nothing; its locks are left.
    @Test func aCrashLeavesNothingButLocks() throws {
        let body: [Statement] = [
            mutex_lock("a"), assign("y", 3), .convert("lock", .ex, noQueue: false, result: nil), wait(.v("x") == 1),
        ]
        let program = program(nodes: 2, [body]) { program in
            program.threads[0].existsOn = [0]
            program.procedures.append(
                Procedure("end") {
                    wait(.granted("lock", .ex))
                    crash()
                    assign("x", 2)
                })
            program.threads.append(.init("fate", procedure: "end", runsOn: [0], existsOn: [0]))
            program.rules = [
                .init(
                    .atEnd, "gone",
                    .on(0, .v("x") == 2 && .v("y") == 0 && .granted("lock", .ex)) && !.on(0, .locked("a")))
            ]
        }
        #expect(try verdict(program) == .holds)
    }

    @Test func aNodeCanBeAbsentAndALockHeldFromTheBeginning() throws {
        let program = program(nodes: 2, [[]]) { program in
            program.perNode.append(.init("here", initial: 1))
            program.absent = [1]
            program.held = [.init(lock: "lock", node: 0, mode: .pw), .init(lock: "lock", node: 1, mode: .pw)]
            program.rules = [
                .init(
                    .always, "as declared",
                    .on(0, .v("here") == 1 && .granted("lock", .pw)) && .on(1, .v("here") == 0 && .granted("lock", .nl))
                )
            ]
        }
        #expect(try verdict(program) == .holds)
    }

    @Test func marksShowWhatIsExecuted() throws {
        let program = program([
            [assign("x", 1), when_(.v("x") == 1) { assign("y", 1) }, when_(.v("x") == 2) { assign("y", 2) }]
        ])
        let sites = try program.reachedSites()
        // x = 1 and y = 1 are done, and x == 2 is false; x == 1 is never false, and y = 2 is never done.
        #expect(sites == Set([0, 2, 3].map { .init(procedure: "body1", number: $0) }))
    }

    @Test func aRuleIsLeftOutByItsID() throws {
        var program = program([[assign("x", 1), require(.v("x") == 0, "I1.x", "whatever the sentence says")]])
        program.rules.append(.init(.atEnd, "I12.rest.x", "another one", .v("x") == 0))
        #expect(program.ruleNames.map { "\($0.id)" } == ["I12.rest.x", "I1.x"])
        // I12 is not within I1, and a part of a word is no part.
        for other: RuleID in ["I1.y", "I", "I12.res", "", "I1.x.y"] {
            let isFound = program.removeRules(other)
            #expect(!isFound, "\(other)")
        }
        let isFound = program.removeRules("I1")
        #expect(isFound && program.ruleNames.map { "\($0.id)" } == ["I12.rest.x"])
        #expect(try verdict(program) == .fails(.invariant("another one")))
        let isFoundToo = program.removeRules("I12.rest")
        #expect(isFoundToo)
        #expect(try verdict(program) == .holds)
    }
}

@Suite struct LockTests {
    private func take(_ mode: LockMode, noQueue: Bool = false) -> Statement {
        .convert("lock", mode, noQueue: noQueue, result: "got")
    }

    @Test func conflictingModesExcludeEachOther() throws {
        let body = [take(.ex), wait(!.converting("lock")), assign("x", 1), assign("x", 0), take(.nl)]
        let rule = Program.Rule(.always, "one at a time", !(.on(0, .v("x") == 1) && .on(1, .v("x") == 1)))
        #expect(try verdict(program(nodes: 2, [body]) { $0.rules = [rule] }) == .holds)
        let shared = [take(.pr), wait(!.converting("lock")), assign("x", 1), assign("x", 0), take(.nl)]
        #expect(try verdict(program(nodes: 2, [shared]) { $0.rules = [rule] }) == .fails(.invariant("one at a time")))
    }

    /// conversion_deadlock_detect of fs/dlm/lock.c: who asks last is refused with -EDEADLK and keeps what it has.
    @Test func upgradingWhileOthersHoldTheSameIsRefused() throws {
        let upgrade = [take(.cr), wait(!.converting("lock")), take(.ex), wait(!.converting("lock"))]
        let goesOn = upgrade + [assign("x", .v("got")), take(.nl)]
        let refused = Program.Rule(.sometimes, "refused", .on(0, .v("x") == 3))
        #expect(try verdict(program(nodes: 2, [goesOn]) { $0.rules = [refused] }) == .holds)
        let keeps = upgrade + [when_(.v("got") == 3) { wait(.v("x") == 1) }, take(.nl)]
        let result = try Search(Machine(program(nodes: 2, [keeps]))).run()
        #expect(result.verdict == .fails(.deadlock))
        let last = try Machine(program(nodes: 2, [keeps])).situation(atEndOf: #require(result.counterexample))
        #expect(last.contains("lock: node1 CR -> EX, node2 CR") || last.contains("lock: node1 CR, node2 CR -> EX"))
        #expect(try verdict(program(nodes: 1, [goesOn])) == .holds)
    }

    /// grant_pending_locks of fs/dlm/lock.c sends BASTs to whoever is in the way of a conversion that still waits.
    @Test func whoGetsInTheWayOfAWaiterIsTold() throws {
        let program = program(nodes: 3, []) { program in
            program.locks = [.init("lock", blockedSets: "x")]
            program.procedures = [
                Procedure("holder") { Statement.convert("lock", .cr, noQueue: false, result: nil) },
                Procedure("waiter") {
                    wait(.on(0, .granted("lock", .cr)))
                    Statement.convert("lock", .ex, noQueue: false, result: nil)
                    wait(!.converting("lock"))
                },
                Procedure("late") {
                    wait(.on(1, .converting("lock")))
                    Statement.convert("lock", .cr, noQueue: false, result: nil)
                },
            ]
            program.threads = ["holder", "waiter", "late"].enumerated().map {
                .init($1, procedure: $1, runsOn: [$0], existsOn: [$0])
            }
            program.rules = [.init(.sometimes, "told", .on(2, .v("x") == 1 && .granted("lock", .cr)))]
        }
        #expect(try Search(Machine(program)).run().reached == ["told"])
    }

    @Test func noQueueIsRefusedAtOnce() throws {
        let body = [take(.ex, noQueue: true), assign("x", .v("got"))]
        let rules = [
            Program.Rule(.sometimes, "refused", .on(0, .v("x") == 2)),
            Program.Rule(.always, "never waits", !.on(0, .converting("lock"))),
        ]
        #expect(try verdict(program(nodes: 2, [body]) { $0.rules = rules }) == .holds)
    }

    @Test func aSecondConversionWhileOneWaitsIsBusy() throws {
        let body = [take(.ex), take(.ex), assign("x", .v("got"))]
        let busy = Program.Rule(.sometimes, "busy", .any([.on(0, .v("x") == 1), .on(1, .v("x") == 1)]))
        let result = try Search(Machine(program(nodes: 2, [body]) { $0.rules = [busy] })).run()
        #expect(result.reached == ["busy"])
    }

    @Test func theHolderInTheWayIsTold() throws {
        let holder = [take(.pr), wait(.v("x") == 1), take(.nl)]
        let program = program(nodes: 2, [holder]) { program in
            program.locks = [.init("lock", blockedSets: "x")]
            program.threads[0].existsOn = [0]
            program.procedures.append(
                Procedure("other") {
                    Statement.convert("lock", .ex, noQueue: false, result: nil)
                    wait(!.converting("lock"))
                })
            program.threads.append(.init("t2", procedure: "other", runsOn: [1], existsOn: [1]))
        }
        // If the other node asks first, nobody is told, and the holder waits for ever: that is the only way to fail.
        let result = try Search(Machine(program)).run()
        #expect(result.verdict == .fails(.deadlock))
        let told = Program.Rule(
            .sometimes, "given up", .on(0, .granted("lock", .nl)) && .on(1, .granted("lock", .ex)) && .on(0, .v("x")))
        var withRule = program
        withRule.rules = [told]
        #expect(try Search(Machine(withRule)).run().reached == ["given up"])
    }

    @Test func aCancelledConversionLetsTheNextOneIn() throws {
        // Node 1 holds PR, node 2 waits for EX and gives up, node 3's CR stands behind it in the queue.
        let program = program(nodes: 3, []) { program in
            program.procedures = [
                Procedure("holder") { Statement.convert("lock", .ex, noQueue: false, result: nil) },
                Procedure("quitter") {
                    wait(.on(0, .granted("lock", .ex)))
                    Statement.convert("lock", .ex, noQueue: false, result: nil)
                    assign("x", 1)
                    Statement.cancel("lock")
                },
                Procedure("third") {
                    wait(.on(1, .v("x") == 1))
                    Statement.convert("lock", .cr, noQueue: false, result: nil)
                    wait(.on(0, .v("y") == 1))
                },
            ]
            program.threads = [
                .init("holder", procedure: "holder", runsOn: [0], existsOn: [0]),
                .init("quitter", procedure: "quitter", runsOn: [1], existsOn: [1]),
                .init("third", procedure: "third", runsOn: [2], existsOn: [2]),
            ]
            program.rules = [.init(.sometimes, "queued", .on(2, .converting("lock")))]
        }
        let result = try Search(Machine(program)).run()
        #expect(result.verdict == .fails(.deadlock))
        #expect(result.reached == ["queued"])
        let last = try Machine(program).situation(atEndOf: #require(result.counterexample))
        #expect(last.contains("lock: node1 EX, node2 NL, node3 NL -> CR"))
    }
}
