// SPDX-License-Identifier: GPL-2.0
import ModelChecker

/// Executes a program: a transition system whose steps are the program's instructions.
///
/// The compiled code is a flat table that is only read, so any number of threads may execute it at once.
public final class Machine: TransitionSystem, @unchecked Sendable {
    public let program: Program
    public let stateWords: Int
    /// Bits in use; the state is the next whole number of words.
    public let stateBits: Int
    public private(set) var properties: [Property] = []
    public var threads: [CompiledThread] { code.threads }
    let code: Code
    let layout: Layout

    private let instructions: UnsafeMutablePointer<Instruction>
    private let alternatives: UnsafeMutablePointer<CompiledAlternative>
    private let targets: UnsafeMutablePointer<Int32>
    private let effects: UnsafeMutablePointer<Effect>
    private let tests: UnsafeMutablePointer<Test>
    private let clauses: UnsafeMutablePointer<Clause>
    private let conditions: UnsafeMutablePointer<Condition>
    private let pcs: UnsafeMutablePointer<Field>
    private let firsts: UnsafeMutablePointer<Int>
    private let nodesOfThreads: UnsafeMutablePointer<Int>
    private let ownersOfThreads: UnsafeMutablePointer<Int>
    /// [lock * nodes + node]
    private let granted: UnsafeMutablePointer<Field>
    private let requested: UnsafeMutablePointer<Field>
    private let rank: UnsafeMutablePointer<Field>
    private let blockedSets: UnsafeMutablePointer<Field>
    /// [lock * 8 + mode]
    private let compatible: UnsafeMutablePointer<UInt32>
    private let broken: Field
    private let nodeCount: Int
    private let threadCount: Int
    /// Conditions that break a rule that holds always.
    private let breaking: [Int]
    /// By instruction: who takes it.
    private let actors: [Int]
    private let initial: [UInt64]
    /// Rules and the numbers of the conditions that break them (or, for `sometimes`, that they are).
    let rules: [(rule: Program.Rule, condition: Int)]
    var initialWords: [UInt64] { initial }

    private let symmetry: NodeSymmetry?

    /// With symmetry, states that differ only by the names of nodes that run the same code count as one. With reduction,
    /// steps that no other thread can notice are taken together with the one before.
    public init(_ program: Program, symmetry: Bool = false, reduction: Bool = false) throws(ProgramError) {
        self.program = program
        var (code, layout) = try Compiler.compile(program)
        // What breaks a rule is compiled: rules are long lists of implications, and what breaks one is short.
        var rules: [(Program.Rule, Int)] = []
        for rule in program.rules {
            let condition = rule.kind == .sometimes ? rule.condition : !rule.condition
            rules.append((
                rule, try Compiler.condition(condition, program: program, layout: layout, code: &code, name: rule.name)
            ))
        }
        if reduction {
            let always = rules.filter { $0.0.kind != .atEnd }.map { $0.1 }
            for step in Reduction.mergeable(code, layout, nodes: program.nodes, rules: always) {
                code.instructions[step].isSilent = true
            }
        }
        self.code = code
        self.layout = layout
        stateWords = layout.words
        stateBits = layout.bits
        instructions = Self.copy(code.instructions)
        alternatives = Self.copy(code.alternatives)
        targets = Self.copy(code.targets)
        effects = Self.copy(code.effects)
        tests = Self.copy(code.tests)
        clauses = Self.copy(code.clauses)
        conditions = Self.copy(code.conditions)
        pcs = Self.copy(layout.pc)
        firsts = Self.copy(code.threads.map(\.first))
        threadCount = code.threads.count
        actors = code.threads.enumerated().flatMap { Array(repeating: $0.offset, count: $0.element.count) }
        nodesOfThreads = Self.copy(code.threads.map(\.node))
        ownersOfThreads = Self.copy(code.threads.indices.map { Self.owner(of: $0, code.threads) })
        granted = Self.copy(layout.granted.flatMap { $0 })
        requested = Self.copy(layout.requested.flatMap { $0 })
        rank = Self.copy(layout.rank.flatMap { $0 })
        blockedSets = Self.copy(code.locks.flatMap(\.blockedSets))
        compatible = Self.copy(code.locks.flatMap { $0.compatible + Array(repeating: 0, count: 8 - $0.compatible.count) })
        broken = layout.broken
        nodeCount = program.nodes
        breaking = rules.filter { $0.0.kind == .always }.map { $0.1 }
        self.symmetry = symmetry ? NodeSymmetry(program: program, code: code, layout: layout) : nil
        initial = Self.initialState(program, code, layout)
        self.rules = rules.map { (rule: $0.0, condition: $0.1) }
        properties = makeProperties(rules)
    }

    deinit {
        instructions.deallocate()
        alternatives.deallocate()
        targets.deallocate()
        effects.deallocate()
        tests.deallocate()
        clauses.deallocate()
        conditions.deallocate()
        pcs.deallocate()
        firsts.deallocate()
        nodesOfThreads.deallocate()
        ownersOfThreads.deallocate()
        granted.deallocate()
        requested.deallocate()
        rank.deallocate()
        blockedSets.deallocate()
        compatible.deallocate()
    }

    private static func copy<Element>(_ array: [Element]) -> UnsafeMutablePointer<Element> {
        let pointer = UnsafeMutablePointer<Element>.allocate(capacity: max(1, array.count))
        pointer.initialize(from: array, count: array.count)
        return pointer
    }

    static func owner(of thread: Int, _ threads: [CompiledThread]) -> Int {
        guard thread >= 0 else { return 0 }
        return (threads.firstIndex { $0.node == threads[thread].node }).map { thread - $0 + 1 } ?? 0
    }

    private static func initialState(_ program: Program, _ code: Code, _ layout: Layout) -> [UInt64] {
        var words = [UInt64](repeating: 0, count: layout.words)
        words.withUnsafeMutableBufferPointer { buffer in
            guard let words = buffer.baseAddress else { return }
            for variable in program.shared { layout.shared[variable.name]?.write(words, variable.initial) }
            for node in 0..<program.nodes {
                for variable in program.perNode { layout.node[node][variable.name]?.write(words, variable.initial) }
                for (number, lock) in program.locks.enumerated() {
                    let place = code.locks[number].modes.firstIndex(of: lock.initial.rawValue) ?? 0
                    code.locks[number].granted[node].write(words, place)
                }
            }
            for (number, thread) in code.threads.enumerated() where thread.runs { layout.pc[number].write(words, 1) }
        }
        return words
    }

    private func makeProperties(_ rules: [(Program.Rule, Int)]) -> [Property] {
        var list: [Property] = []
        let broken = broken
        for (number, name) in code.ruleNames.enumerated() {
            list.append(Property(.invariant, name) { broken.read($0.words) != number + 1 })
        }
        for (rule, condition) in rules {
            switch rule.kind {
            case .always:
                list.append(Property(.invariant, rule.name) { [unowned self] in !holds(condition, $0.words) })
            case .atEnd:
                list.append(
                    Property(.invariant, rule.name) { [unowned self] state in
                        !isFinal(state) || !holds(condition, state.words) || canStep(state)
                    })
            case .sometimes:
                list.append(Property(.reachable, rule.name) { [unowned self] in holds(condition, $0.words) })
            }
        }
        if program.mustComeToRest {
            list.append(Property(.progress, "the system comes to rest") { [unowned self] in isFinal($0) && !canStep($0) })
        }
        return list
    }

    // MARK: TransitionSystem

    /// Whether some nodes are alike, and treated so.
    public var usesSymmetry: Bool { symmetry != nil }
    public var canonicalize: (@Sendable (UnsafeMutablePointer<UInt64>) -> Void)? {
        guard let symmetry else { return nil }
        let count = stateWords
        return { symmetry.canonicalize($0, count: count) }
    }

    public var stepCount: Int { code.instructions.count }
    public var actorCount: Int { threadCount }
    public func actor(ofStep step: Int) -> Int { actors[step] }

    public func initialStates(into successors: inout Successors) {
        successors.add(step: 0).update(from: initial, count: stateWords)
    }

    public func successors(of state: StateView, into successors: inout Successors) {
        let words = state.words
        for thread in 0..<threadCount {
            let pc = pcs[thread].read(words)
            if pc != 0 { step(thread, pc, words, &successors, timeouts: false) }
        }
        guard successors.count == 0 else { return }
        for thread in 0..<threadCount {
            let pc = pcs[thread].read(words)
            if pc != 0 { step(thread, pc, words, &successors, timeouts: true) }
        }
    }

    /// Every thread has ended or is a daemon at rest.
    public func isFinal(_ state: StateView) -> Bool {
        for thread in 0..<threadCount {
            let pc = pcs[thread].read(state.words)
            if pc != 0, !instructions[firsts[thread] + pc].isIdle { return false }
        }
        return true
    }

    /// A quick look before the properties are asked one by one.
    public func mayBreakInvariant(_ state: StateView) -> Bool {
        if broken.read(state.words) != 0 || isFinal(state) { return true }
        for condition in breaking where holds(condition, state.words) { return true }
        return false
    }

    private func canStep(_ state: StateView) -> Bool {
        var successors = Successors(stateWords: stateWords)
        self.successors(of: state, into: &successors)
        return successors.count > 0
    }

    /// Whether an alternative of a wait is true.
    func canWake(at wait: Int, in state: [UInt64]) -> Bool {
        state.withUnsafeBufferPointer { words in
            guard let base = words.baseAddress else { return false }
            let first = Int(instructions[wait].subject)
            return (first..<first + Int(instructions[wait].count)).contains {
                !alternatives[$0].isTimeout && holds(Int(alternatives[$0].condition), base)
            }
        }
    }

    // MARK: Conditions

    @inline(__always) private func holds(_ condition: Int, _ words: UnsafePointer<UInt64>) -> Bool {
        let list = conditions[condition]
        for clause in Int(list.first)..<Int(list.first + list.count) {
            let first = Int(clauses[clause].first)
            var test = first
            let end = first + Int(clauses[clause].count)
            while test < end, passes(test, words) { test += 1 }
            if test == end { return true }
        }
        return false
    }

    @inline(__always) private func passes(_ number: Int, _ words: UnsafePointer<UInt64>) -> Bool {
        let test = tests + number
        switch test.pointee.kind {
        case .masked: return words[Int(test.pointee.word)] & test.pointee.mask == test.pointee.value
        case .notMasked: return words[Int(test.pointee.word)] & test.pointee.mask != test.pointee.value
        case .less: return test.pointee.field.read(words) < Int(test.pointee.value)
        case .notLess: return test.pointee.field.read(words) >= Int(test.pointee.value)
        case .fieldsEqual: return test.pointee.field.read(words) == test.pointee.other.read(words)
        case .fieldsDiffer: return test.pointee.field.read(words) != test.pointee.other.read(words)
        case .inSet: return code.sets[Int(test.pointee.value)][test.pointee.field.read(words)]
        case .notInSet: return !code.sets[Int(test.pointee.value)][test.pointee.field.read(words)]
        case .never: return false
        }
    }

    // MARK: Steps

    private func step(
        _ thread: Int, _ pc: Int, _ words: UnsafePointer<UInt64>, _ successors: inout Successors, timeouts: Bool
    ) {
        let number = firsts[thread] + pc
        let instruction = instructions + number
        switch instruction.pointee.operation {
        case .wait, .waitEvent:
            let first = Int(instruction.pointee.subject)
            for item in first..<first + Int(instruction.pointee.count)
            where alternatives[item].isTimeout == timeouts && holds(Int(alternatives[item].condition), words) {
                let next = successors.add(step: number)
                next.update(from: words, count: stateWords)
                settle(thread, Int(alternatives[item].target), next, successors.count - 1, number, &successors)
                return
            }
            if instruction.pointee.operation == .waitEvent, !timeouts {
                let next = successors.add(step: number)
                next.update(from: words, count: stateWords)
                pcs[thread].write(next, pc + 1)
            }
        case .asleep:
            // Only a waker moves it on; a wait with a time limit may also wake by itself when nothing else can happen.
            guard timeouts else { return }
            let wait = instructions[number - 1]
            let first = Int(wait.subject)
            for item in first..<first + Int(wait.count)
            where alternatives[item].isTimeout && holds(Int(alternatives[item].condition), words) {
                let next = successors.add(step: number)
                next.update(from: words, count: stateWords)
                settle(thread, Int(alternatives[item].target), next, successors.count - 1, number, &successors)
                return
            }
        case .lock:
            if timeouts || instruction.pointee.field.read(words) != 0 { return }
            fire(thread, pc, words, number, &successors)
        default:
            if !timeouts { fire(thread, pc, words, number, &successors) }
        }
    }

    private func fire(
        _ thread: Int, _ pc: Int, _ words: UnsafePointer<UInt64>, _ number: Int, _ successors: inout Successors
    ) {
        let next = successors.add(step: number)
        next.update(from: words, count: stateWords)
        let place = successors.count - 1
        if let target = execute(thread, pc, next, place, number, &successors) {
            settle(thread, target, next, place, number, &successors)
        }
    }

    /// Goes on through the silent instructions that follow, then stores the position.
    private func settle(
        _ thread: Int, _ start: Int, _ words: UnsafeMutablePointer<UInt64>, _ place: Int, _ step: Int,
        _ successors: inout Successors
    ) {
        var pc = start
        var words = words
        var budget = 10_000
        while instructions[firsts[thread] + pc].isSilent, budget > 0 {
            budget -= 1
            guard let next = execute(thread, pc, words, place, step, &successors) else { return }
            pc = next
            words = successors.words(place)
        }
        pcs[thread].write(words, pc)
    }

    /// Does an instruction to the state in place; where the thread goes on, or nil if that is settled.
    private func execute(
        _ thread: Int, _ pc: Int, _ words: UnsafeMutablePointer<UInt64>, _ place: Int, _ step: Int,
        _ successors: inout Successors
    ) -> Int? {
        let instruction = instructions + (firsts[thread] + pc)
        let next = Int(instruction.pointee.next)
        switch instruction.pointee.operation {
        case .jump: return next
        case .assign:
            let first = Int(instruction.pointee.subject)
            for item in first..<first + Int(instruction.pointee.count) { apply(effects + item, words) }
            return next
        case .branch: return holds(Int(instruction.pointee.subject), words) ? next : Int(instruction.pointee.other)
        case .lock:
            instruction.pointee.field.write(words, ownersOfThreads[thread])
            return next
        case .tryLock:
            let isFree = instruction.pointee.field.read(words) == 0
            if isFree { instruction.pointee.field.write(words, ownersOfThreads[thread]) }
            instruction.pointee.result.write(words, isFree ? 1 : 0)
            return next
        case .unlock:
            if instruction.pointee.field.read(words) == 0, broken.read(words) == 0 { broken.write(words, 1) }
            instruction.pointee.field.write(words, 0)
            return next
        case .wake:
            wake(Int(instruction.pointee.subject), words)
            return next
        case .convert:
            let result = convert(instruction, node: nodesOfThreads[thread], words)
            if instruction.pointee.result.bits > 0 { instruction.pointee.result.write(words, result) }
            return next
        case .cancel:
            cancel(Int(instruction.pointee.subject), node: nodesOfThreads[thread], words)
            return next
        case .require:
            if broken.read(words) == 0, !holds(Int(instruction.pointee.subject), words) {
                broken.write(words, Int(instruction.pointee.detail) + 1)
            }
            return next
        case .start:
            pcs[Int(instruction.pointee.subject)].write(words, 1)
            return next
        case .choose:
            let first = Int(instruction.pointee.subject)
            let count = Int(instruction.pointee.count)
            let saved = StateView(UnsafePointer(words)).copy(count: stateWords)
            for item in 1..<max(1, count) {
                let other = successors.add(step: step)
                other.update(from: saved, count: stateWords)
                settle(thread, Int(targets[first + item]), other, successors.count - 1, step, &successors)
            }
            settle(thread, Int(targets[first]), successors.words(place), place, step, &successors)
            return nil
        case .end:
            layout.locals[thread].write(words, 0)
            pcs[thread].write(words, 0)
            return nil
        case .wait, .waitEvent, .asleep: return pc
        }
    }

    @inline(__always) private func apply(_ effect: UnsafeMutablePointer<Effect>, _ words: UnsafeMutablePointer<UInt64>) {
        switch effect.pointee.kind {
        case .constant: effect.pointee.target.write(words, Int(effect.pointee.value))
        case .copy:
            let value = effect.pointee.source.read(words) + Int(effect.pointee.value)
            effect.pointee.target.write(words, value % max(1, Int(effect.pointee.modulus)))
        case .condition: effect.pointee.target.write(words, holds(Int(effect.pointee.value), words) ? 1 : 0)
        }
    }

    private func wake(_ queue: Int, _ words: UnsafeMutablePointer<UInt64>) {
        for thread in 0..<threadCount {
            let pc = pcs[thread].read(words)
            let instruction = instructions + (firsts[thread] + pc)
            if instruction.pointee.operation == .asleep, instruction.pointee.subject == Int32(queue) {
                pcs[thread].write(words, pc - 1)
            }
        }
    }

    // MARK: DLM (fs/dlm/lock.c)

    /// A new conversion is granted at once if it goes with the granted modes of all other locks, waiting ones included.
    private func convert(
        _ instruction: UnsafeMutablePointer<Instruction>, node: Int, _ words: UnsafeMutablePointer<UInt64>
    ) -> Int {
        let lock = Int(instruction.pointee.subject)
        let mode = Int(instruction.pointee.detail)
        let first = lock * nodeCount
        if requested[first + node].read(words) != 0 { return 1 }
        if isGrantable(lock, mode, node, words) {
            granted[first + node].write(words, mode)
            grantWaiting(lock, words)
            return 0
        }
        if instruction.pointee.noQueue { return 2 }
        var waiting = 0
        for other in 0..<nodeCount where other != node {
            if requested[first + other].read(words) != 0 { waiting += 1 }
            let isInTheWay = compatible[lock * 8 + mode] >> UInt32(granted[first + other].read(words)) & 1 == 0
            if isInTheWay, blockedSets[first + other].bits > 0 { blockedSets[first + other].write(words, 1) }
        }
        requested[first + node].write(words, mode + 1)
        rank[first + node].write(words, waiting)
        return 0
    }

    private func isGrantable(_ lock: Int, _ mode: Int, _ node: Int, _ words: UnsafeMutablePointer<UInt64>) -> Bool {
        let goesWith = compatible[lock * 8 + mode]
        for other in 0..<nodeCount where other != node {
            if goesWith >> UInt32(granted[lock * nodeCount + other].read(words)) & 1 == 0 { return false }
        }
        return true
    }

    /// Once queued, conversions are granted in order: the first that cannot be stops those behind it.
    private func grantWaiting(_ lock: Int, _ words: UnsafeMutablePointer<UInt64>) {
        while true {
            var first = -1
            for node in 0..<nodeCount {
                let place = lock * nodeCount + node
                if requested[place].read(words) != 0, rank[place].read(words) == 0 { first = node }
            }
            guard first >= 0 else { return }
            let mode = requested[lock * nodeCount + first].read(words) - 1
            guard isGrantable(lock, mode, first, words) else { return }
            granted[lock * nodeCount + first].write(words, mode)
            leaveQueue(lock, first, words)
        }
    }

    private func leaveQueue(_ lock: Int, _ node: Int, _ words: UnsafeMutablePointer<UInt64>) {
        let first = lock * nodeCount
        let old = rank[first + node].read(words)
        requested[first + node].write(words, 0)
        rank[first + node].write(words, 0)
        for other in 0..<nodeCount where requested[first + other].read(words) != 0 {
            let place = rank[first + other].read(words)
            if place > old { rank[first + other].write(words, place - 1) }
        }
    }

    private func cancel(_ lock: Int, node: Int, _ words: UnsafeMutablePointer<UInt64>) {
        guard requested[lock * nodeCount + node].read(words) != 0 else { return }
        leaveQueue(lock, node, words)
        grantWaiting(lock, words)
    }
}
