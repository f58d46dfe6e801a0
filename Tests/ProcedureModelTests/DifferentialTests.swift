// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import ModelChecker
import Testing

@testable import ProcedureModel

/// Small random programs: the reduced search must answer as the full one does.
@Suite struct DifferentialTests {
    /// The same numbers everywhere.
    private struct Random: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) &* 0x9E37_79B9_7F4A_7C15
        }
        mutating func below(_ limit: Int) -> Int { Int(next() >> 32) % limit }
        mutating func pick<T>(_ list: [T]) -> T { list[below(list.count)] }
    }

    private static let modes: [LockMode] = [.nl, .cr, .pr, .ex]

    private static func condition(_ random: inout Random) -> Expression {
        switch random.below(8) {
        case 0: .v("x") == random.below(3)
        case 1: .v("y") == random.below(2)
        case 2: .v("shared") == random.below(2)
        case 3: .converting("lock")
        case 4: .granted("lock", random.pick(modes))
        case 5: .locked("a")
        case 6: .v("told") == 1
        default: .on(random.below(2), .v("y")) == random.below(2)
        }
    }

    private static func statement(_ random: inout Random, depth: Int) -> [Statement] {
        func block(_ random: inout Random) -> [Statement] {
            (0..<random.below(3)).flatMap { _ in statement(&random, depth: depth + 1) }
        }
        switch random.below(depth < 2 ? 18 : 13) {
        case 0, 1: return [assign("x", random.below(3))]
        case 2: return [assign("y", random.below(2))]
        case 3: return [assign("shared", random.below(2))]
        case 4: return [assign("got", .v(random.pick(["x", "shared"])))]
        case 5: return [.convert("lock", random.pick(modes), noQueue: random.below(4) == 0, result: "got")]
        case 6:
            return [.convert("lock", random.pick(modes), noQueue: false, result: "got"), wait(!.converting("lock"))]
        case 7: return [mutex_lock("a"), assign("y", random.below(2)), mutex_unlock("a")]
        case 8: return random.below(6) == 0 ? [mutex_unlock("a")] : [assign("told", 1)]
        case 9: return [wake_up("q")]
        case 10: return [wait_event("q", condition(&random))]
        case 11:
            return [mutex_trylock("a", result: "got"), .ifElse(.v("got") == 1, [mutex_unlock("a")], [])]
        case 12: return [.cancel("lock")]
        case 13: return [.ifElse(condition(&random), block(&random), block(&random))]
        case 14: return [choose([block(&random), block(&random)])]
        case 15:
            return [.atomic([assign("y", random.below(2)), assign("x", random.below(3)), wake_up("q")])]
        case 16: return [require(!(condition(&random) && condition(&random)), "a requirement")]
        default:
            return [
                wait {
                    until(condition(&random)) { assign("told", 0) }
                    until(condition(&random))
                    onTimeout { assign("y", 1) }
                }
            ]
        }
    }

    private static func program(seed: UInt64) -> Program {
        var random = Random(state: seed &* 77 &+ 5)
        var program = Program(name: "random \(seed)", nodes: 2 + random.below(2))
        program.shared = [.init("shared")]
        program.perNode = [.init("x", values: 3), .init("y"), .init("told")]
        program.mutexes = ["a"]
        program.queues = ["q"]
        program.locks = [.init("lock", blockedSets: random.below(2) == 0 ? "told" : nil)]
        for index in 0..<2 {
            let body = (0..<2 + random.below(3)).flatMap { _ in statement(&random, depth: 0) }
            program.procedures.append(Procedure("body\(index)", locals: ["got": 4]) { body })
            // Sometimes the nodes are alike, so that symmetry has something to do.
            let nodes = index == 1 && random.below(2) == 0 ? [random.below(2)] : Array(0..<program.nodes)
            program.threads.append(
                .init("t\(index)", procedure: "body\(index)", runsOn: Set(nodes), existsOn: Set(nodes)))
        }
        if random.below(2) == 0 {
            program.procedures.append(
                Procedure("daemon") {
                    loop {
                        wait(idle: true) { until(.v("told") == 1) { assign("told", 0) } }
                        Statement.convert("lock", .nl, noQueue: false, result: nil)
                    }
                })
            program.threads.append(.init("daemon", procedure: "daemon", runsOn: Set(0..<program.nodes)))
        }
        switch random.below(5) {
        case 0: program.rules = [.init(.always, "always", !(.on(0, .v("x") == 2) && .on(1, .v("x") == 1)))]
        case 1: program.rules = [.init(.always, "always", !(.on(1, .v("x") == 2) && .on(0, .granted("lock", .ex))))]
        case 2: program.rules = [.init(.atEnd, "at the end", .on(0, .v("x")).equals(.on(1, .v("x"))))]
        case 3: program.rules = [.init(.sometimes, "once", .on(0, .v("x") == 2) && .on(0, .v("y") == 1))]
        default: break
        }
        return program
    }

    private static func verdict(_ machine: Machine?) -> Verdict? {
        machine.map { Search($0, bounds: Bounds(states: 100_000)).run().verdict }
    }

    private static func isFailure(_ verdict: Verdict) -> Bool {
        if case .fails = verdict { return true }
        return false
    }

    /// What came of comparing searches of some programs.
    private struct ModelComparison {
        var compared = 0
        var failing = 0
        var differences: [String] = []
    }

    /// Which of several faults is nearest depends on what counts as a step, so what is compared is whether there is
    /// one: with the rule, and without it, where only deadlocks and requirements are left.
    private static func compare(
        _ seeds: Range<UInt64>, symmetries: [Bool] = [false, true], stopsAtFirst: Bool = false,
        seeing: (Accesses) -> Accesses = { $0 }
    ) -> ModelComparison {
        var result = ModelComparison()
        for seed in seeds {
            let program = Self.program(seed: seed)
            var bare = program
            bare.rules = []
            for program in program.rules.isEmpty ? [bare] : [program, bare] {
                guard let full = verdict(try? Machine(program)) else { continue }
                if case .undecided = full { continue }
                result.compared += 1
                if isFailure(full) { result.failing += 1 }
                for symmetry in symmetries {
                    let machine = try? Machine(program, symmetry: symmetry, reduction: true, seeing: seeing)
                    let reduced = verdict(machine)
                    guard reduced.map(isFailure) != isFailure(full) else { continue }
                    result.differences.append(
                        "seed \(seed), symmetry \(symmetry): \(full), reduced \(String(describing: reduced))")
                    if stopsAtFirst { return result }
                }
            }
        }
        return result
    }

    @Test(arguments: 0..<6) func reducedAndFullSearchesAgree(part: Int) {
        let result = Self.compare(UInt64(part) * 40..<UInt64(part) * 40 + 40)
        #expect(result.differences.isEmpty)
        // Both kinds were there, or nothing was compared.
        #expect(result.failing > 0 && result.failing < result.compared)
    }

    /// Mistakes in what the reduction takes for what a step touches. Each must be noticed by the comparison.
    enum Mistake: CaseIterable {
        /// No assignment is known to change what another node reads.
        case assignmentsWriteNothing
        /// What a wait waits for is not known.
        case waitsReadNothing
        /// A conversion is not known to touch what others have of the lock.
        case conversionsTouchNothing

        func hides(_ operation: Instruction.Operation) -> Bool {
            switch self {
            case .assignmentsWriteNothing: operation == .assign
            case .waitsReadNothing: operation == .wait || operation == .waitEvent
            case .conversionsTouchNothing: operation == .convert
            }
        }
    }

    @Test(arguments: Mistake.allCases) func aWrongDependencyIsNoticed(_ mistake: Mistake) {
        let result = Self.compare(0..<240, symmetries: [false], stopsAtFirst: true) { accesses in
            var wrong = accesses
            for (number, instruction) in accesses.code.instructions.enumerated()
            where mistake.hides(instruction.operation) {
                wrong.instructions[number] = accesses.none
            }
            return wrong
        }
        #expect(result.differences.count == 1)
    }

    /// A counterexample of a reduced search shows every step, and each is one that the program can take.
    @Test func reducedCounterexamplesAreRuns() throws {
        var shown = 0
        for seed in 0..<120 as Range<UInt64> {
            let program = Self.program(seed: seed)
            guard program.nodes == 2, let plain = try? Machine(program) else { continue }
            let reduced = try Machine(program, reduction: true)
            guard let run = Search(reduced, bounds: Bounds(states: 100_000)).run().counterexample else { continue }
            shown += 1
            #expect(run.states.first == Search(plain).firstState)
            for (number, step) in run.steps.enumerated() {
                #expect(
                    leads(
                        plain, from: run.states[number], to: run.states[number + 1], thread: plain.actor(ofStep: step)),
                    "seed \(seed), step \(number + 1)")
            }
        }
        #expect(shown > 10)
    }

    /// Whether steps of one thread lead from a state to another; steps that nobody notices count as one when reduced.
    private func leads(_ machine: Machine, from begin: [UInt64], to end: [UInt64], thread: Int) -> Bool {
        var states = [begin]
        var next = 0
        var successors = Successors(stateWords: machine.stateWords)
        while next < states.count, next < 200 {
            successors.removeAll()
            states[next].withUnsafeBufferPointer {
                if let base = $0.baseAddress { machine.successors(of: StateView(base), into: &successors) }
            }
            for item in 0..<successors.count where machine.actor(ofStep: successors.step(item)) == thread {
                let state = StateView(successors.words(item)).copy(count: machine.stateWords)
                if state == end { return true }
                if !states.contains(state) { states.append(state) }
            }
            next += 1
        }
        return false
    }
}

extension Search {
    fileprivate var firstState: [UInt64] {
        var successors = Successors(stateWords: system.stateWords)
        system.initialStates(into: &successors)
        return StateView(successors.words(0)).copy(count: system.stateWords)
    }
}
