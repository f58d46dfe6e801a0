// SPDX-License-Identifier: GPL-2.0
import Comparison
import ModelChecker
import ProcedureModel

/// A place at which a thread of the model can be held: it crosses the entry or return of a function between two of its
/// steps.
struct ModelPoint: Hashable, Sendable {
    var thread: Int
    var edge: Gate.Edge
    var function: String
}

/// The model under a schedule's control: processes begin an operation only when they may, threads are held at gates,
/// and between two actions of the schedule everything else runs until nothing can go on. A driver looks some
/// milliseconds after each action, when a kernel has long come to that point.
struct ControlledModel: Sendable {
    struct ArmedGate: Hashable, Sendable {
        var point: ModelPoint
        var skip: Int
        var isHeld = false
    }

    let machine: Machine
    /// What a node's user space answers is not left to chance: as in the counterexample.
    let answers: [Place: Place?]
    private(set) var state: [UInt64]
    /// By thread: how many operations it has begun, and how many it may begin.
    private(set) var begun: [Int]
    private(set) var allowed: [Int]
    private(set) var gates: [ArmedGate] = []
    /// What was crossed since `crossings` was emptied, in order; only if it is kept.
    var keepsCrossings = false
    var crossings: [ModelPoint] = []
    /// The threads that took a step since it was emptied.
    var moved: Set<Int> = []
    /// Steps that were taken since the last action.
    private(set) var steps = 0

    /// A phase that takes more steps than this runs in circles.
    private static let longestPhase = 20_000

    init(_ machine: Machine, answers: [Place: Place?] = [:]) {
        (self.machine, self.answers) = (machine, answers)
        var successors = Successors(stateWords: machine.stateWords)
        machine.initialStates(into: &successors)
        state = Array(UnsafeBufferPointer(start: successors.words(0), count: machine.stateWords))
        begun = machine.threads.indices.map { _ in 0 }
        allowed = begun
    }

    /// Where each thread is.
    var positions: [Int?] { machine.threads.indices.map { machine.instruction(ofThread: $0, in: state) } }

    /// Whether a thread stands before its next operation.
    func canBegin(_ thread: Int) -> Bool {
        guard machine.isProcess(thread), let at = machine.instruction(ofThread: thread, in: state) else { return false }
        return begun[thread] == allowed[thread] && machine.place(ofStep: at).calls.count > 1
    }

    mutating func begin(_ thread: Int) { allowed[thread] += 1 }
    mutating func arm(_ point: ModelPoint, skip: Int) { gates.append(ArmedGate(point: point, skip: skip)) }
    mutating func release(_ point: ModelPoint) { gates.removeAll { $0.point == point && $0.isHeld } }

    private func isHeld(_ thread: Int) -> Bool {
        if gates.contains(where: { $0.isHeld && $0.point.thread == thread }) { return true }
        guard machine.isProcess(thread), begun[thread] >= allowed[thread] else { return false }
        guard let at = machine.instruction(ofThread: thread, in: state) else { return false }
        return machine.place(ofStep: at).calls.count > 1
    }

    /// Runs until only held threads could go on. False if that does not happen.
    mutating func settle(_ random: inout SplitMix) -> Bool {
        var successors = Successors(stateWords: machine.stateWords)
        steps = 0
        for _ in 0..<Self.longestPhase {
            successors.removeAll()
            state.withUnsafeBufferPointer { words in
                if let base = words.baseAddress { machine.successors(of: StateView(base), into: &successors) }
            }
            let held = machine.threads.indices.map(isHeld)
            let free = (0..<successors.count).filter {
                !held[machine.actor(ofStep: successors.step($0))]
                    && isAnswer(successors.step($0), to: StateView(successors.words($0)))
            }
            guard !free.isEmpty else { return true }
            let chosen = free[random.next(below: free.count)]
            let thread = machine.actor(ofStep: successors.step(chosen))
            let before = machine.instruction(ofThread: thread, in: state)
            state.withUnsafeMutableBufferPointer { buffer in
                buffer.baseAddress?.update(from: successors.words(chosen), count: machine.stateWords)
            }
            moved.insert(thread)
            steps += 1
            crossed(thread, from: before, to: machine.instruction(ofThread: thread, in: state))
        }
        return false
    }

    private func isAnswer(_ step: Int, to after: StateView) -> Bool {
        let thread = machine.actor(ofStep: step)
        guard machine.isConfirmation(thread), let wanted = answers[machine.place(ofStep: step)] else { return true }
        return machine.instruction(ofThread: thread, in: after.copy(count: machine.stateWords)).map {
            machine.place(ofStep: $0)
        } == wanted
    }

    private mutating func crossed(_ thread: Int, from: Int?, to: Int?) {
        let before = from.map { machine.place(ofStep: $0).calls } ?? []
        let after = to.map { machine.place(ofStep: $0).calls } ?? []
        if before == after { return }
        if machine.isProcess(thread), before.count > 1,
            after.suffix(2).first != before.suffix(2).first || after.count < 2
        {
            begun[thread] += 1
        }
        for (edge, function) in Self.edges(before, after) {
            let point = ModelPoint(thread: thread, edge: edge, function: function)
            if keepsCrossings { crossings.append(point) }
            for index in gates.indices where gates[index].point == point && !gates[index].isHeld {
                if gates[index].skip > 0 { gates[index].skip -= 1 } else { gates[index].isHeld = true }
            }
        }
    }

    /// The functions that are left and entered on the way from one stack to another, in order.
    static func edges(_ before: [CallFrame], _ after: [CallFrame]) -> [(Gate.Edge, String)] {
        var common = 0
        while common < min(before.count, after.count),
            before[before.count - 1 - common] == after[after.count - 1 - common]
        {
            common += 1
        }
        let left = before.dropLast(common).compactMap { frame in
            KernelNames.function(frame).map { (Gate.Edge.return, $0) }
        }
        let entered = after.dropLast(common).reversed().compactMap { frame in
            KernelNames.function(frame).map { (Gate.Edge.entry, $0) }
        }
        return left + entered
    }
}

/// Random numbers that are the same each time (Steele, Lea, Flood 2014).
struct SplitMix: Sendable {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next(below bound: Int) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return Int((mixed ^ mixed >> 31) % UInt64(max(bound, 1)))
    }
}
