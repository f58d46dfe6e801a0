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

    let instructions: UnsafeMutablePointer<Instruction>
    let alternatives: UnsafeMutablePointer<CompiledAlternative>
    let targets: UnsafeMutablePointer<Int32>
    let effects: UnsafeMutablePointer<Effect>
    let tests: UnsafeMutablePointer<Test>
    let clauses: UnsafeMutablePointer<Clause>
    let conditions: UnsafeMutablePointer<Condition>
    let pcs: UnsafeMutablePointer<Field>
    let firsts: UnsafeMutablePointer<Int>
    let nodesOfThreads: UnsafeMutablePointer<Int>
    let ownersOfThreads: UnsafeMutablePointer<Int>
    /// [lock * nodes + node]
    let granted: UnsafeMutablePointer<Field>
    let requested: UnsafeMutablePointer<Field>
    let rank: UnsafeMutablePointer<Field>
    let blockedSets: UnsafeMutablePointer<Field>
    /// [lock * 8 + mode]
    let compatible: UnsafeMutablePointer<UInt32>
    let broken: Field
    /// What the reduction needs to know; nil without it.
    let reduction: ReductionTables?
    /// Whether steps that only their own node can notice are taken together with the one behind them.
    public var isReduced: Bool { reduction != nil }
    /// Conditions of rules that must be true once.
    let wanted: [Int]
    let nodeCount: Int
    let lockCount: Int
    /// By node: its first thread; one more at the end.
    let firstThreads: [Int]
    let threadCount: Int
    /// Conditions that break a rule that holds always.
    let breaking: [Int]
    /// By instruction: who takes it.
    let actors: [Int]
    let initial: [UInt64]
    /// Rules and the numbers of the conditions that break them (or, for `sometimes`, that they are).
    let rules: [(rule: Program.Rule, condition: Int)]
    var initialWords: [UInt64] { initial }

    let symmetry: NodeSymmetry?

    /// With symmetry, states that differ only by the names of nodes that run the same code count as one. With
    /// reduction, steps that no other thread can notice are taken together with the one before.
    public convenience init(
        _ program: Program, symmetry: Bool = false, reduction: Bool = false
    ) throws(ProgramError) {
        try self.init(program, symmetry: symmetry, reduction: reduction, seeing: { $0 })
    }

    /// What `seeing` makes of what instructions touch is what the reduction goes by: tests put mistakes into it.
    init(
        _ program: Program, symmetry: Bool, reduction: Bool, seeing: (Accesses) -> Accesses
    ) throws(ProgramError) {
        self.program = program
        var (code, layout) = try Compiler.compile(program)
        // What breaks a rule is compiled: rules are long lists of implications, and what breaks one is short.
        var rules: [(Program.Rule, Int)] = []
        for rule in program.rules {
            let condition = rule.kind == .sometimes ? rule.condition : !rule.condition
            rules.append(
                (
                    rule,
                    try Compiler.condition(condition, program: program, layout: layout, code: &code, name: rule.name)
                ))
        }
        if reduction, !program.mustComeToRest {
            let seen = rules.filter { $0.0.kind != .atEnd }.map { $0.1 }
            self.reduction = ReductionTables(&code, layout, nodes: program.nodes, rules: seen, seeing: seeing)
        } else {
            self.reduction = nil
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
        compatible = Self.copy(
            code.locks.flatMap { $0.compatible + Array(repeating: 0, count: 8 - $0.compatible.count) })
        broken = layout.broken
        nodeCount = program.nodes
        lockCount = code.locks.count
        firstThreads = (0...program.nodes).map { node in code.threads.filter { $0.node < node }.count }
        wanted = rules.filter { $0.0.kind == .sometimes }.map { $0.1 }
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

    static func copy<Element>(_ array: [Element]) -> UnsafeMutablePointer<Element> {
        let pointer = UnsafeMutablePointer<Element>.allocate(capacity: max(1, array.count))
        pointer.initialize(from: array, count: array.count)
        return pointer
    }

    static func owner(of thread: Int, _ threads: [CompiledThread]) -> Int {
        guard thread >= 0 else { return 0 }
        return (threads.firstIndex { $0.node == threads[thread].node }).map { thread - $0 + 1 } ?? 0
    }

    static func initialState(_ program: Program, _ code: Code, _ layout: Layout) -> [UInt64] {
        var words = [UInt64](repeating: 0, count: layout.words)
        words.withUnsafeMutableBufferPointer { buffer in
            guard let words = buffer.baseAddress else { return }
            for variable in program.shared { layout.shared[variable.name]?.write(words, variable.initial) }
            for node in 0..<program.nodes where !program.absent.contains(node) {
                for variable in program.perNode { layout.node[node][variable.name]?.write(words, variable.initial) }
                for (number, lock) in program.locks.enumerated() {
                    let held = program.held.first { $0.lock == lock.name && $0.node == node }
                    let mode = held?.mode ?? lock.initial
                    let place = code.locks[number].modes.firstIndex(of: mode.rawValue) ?? 0
                    code.locks[number].granted[node].write(words, place)
                }
            }
            for (number, thread) in code.threads.enumerated() where thread.runs { layout.pc[number].write(words, 1) }
        }
        return words
    }

    func makeProperties(_ rules: [(Program.Rule, Int)]) -> [Property] {
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
            list.append(
                Property(.progress, "the system comes to rest") { [unowned self] in isFinal($0) && !canStep($0) })
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
        if let reduction {
            blocks(of: words, reduction, into: &successors)
            return
        }
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

    func canStep(_ state: StateView) -> Bool {
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
}
