// SPDX-License-Identifier: GPL-2.0

/// A system whose states and steps the checker explores. Three requirements; the rest have defaults.
///
///     struct Counter: TransitionSystem {
///         let stateWords = 1
///         func initialStates(into successors: inout Successors) { successors.add(step: 0)[0] = 0 }
///         func successors(of state: StateView, into successors: inout Successors) {
///             if state[0] < 3 { successors.add(step: 0)[0] = state[0] + 1 }
///         }
///     }
///     let result = Search(Counter()).run()        // deadlocks at 3: no step, and 3 is not declared final
///
/// A state is a fixed number of 64-bit words, packed by the system as it likes: two states are the same state exactly
/// if all their words are equal, so unused bits must be zero.
public protocol TransitionSystem: Sendable {
    /// 64-bit words of a state, 1 or more.
    var stateWords: Int { get }
    /// Writes the states that a run can start in.
    func initialStates(into successors: inout Successors)
    /// Writes every state that one step leads to, in the same order each time that it is asked.
    func successors(of state: StateView, into successors: inout Successors)

    /// What should hold. None by default: then only deadlocks are looked for.
    var properties: [Property] { get }
    /// Whether a run may end here; a state without successors in which it may not is a deadlock. False by default.
    func isFinal(_ state: StateView) -> Bool
    /// False if it is quickly seen that no invariant is broken in a state, so that they need not be asked one by one.
    /// True by default.
    func mayBreakInvariant(_ state: StateView) -> Bool
    /// Steps are numbered 0 ..< stepCount. Coverage is counted for each. 1 by default.
    var stepCount: Int { get }
    /// Who takes a step (a thread, a process), 0 ..< actorCount: counterexamples change actors as rarely as possible.
    func actor(ofStep step: Int) -> Int
    var actorCount: Int { get }
    /// Puts in what happened between the states of a run, if steps of the system stand for several. As it is by
    /// default.
    func expanded(_ run: Counterexample) -> Counterexample
    /// Replaces a state by the representative of its symmetry class; nil (the default) if there is no symmetry to use.
    var canonicalize: (@Sendable (UnsafeMutablePointer<UInt64>) -> Void)? { get }
}

extension TransitionSystem {
    public var properties: [Property] { [] }
    public func isFinal(_ state: StateView) -> Bool { false }
    public func mayBreakInvariant(_ state: StateView) -> Bool { true }
    public var stepCount: Int { 1 }
    public func actor(ofStep step: Int) -> Int { 0 }
    public var actorCount: Int { 1 }
    public var canonicalize: (@Sendable (UnsafeMutablePointer<UInt64>) -> Void)? { nil }
    public func expanded(_ run: Counterexample) -> Counterexample { run }
}

/// A state to look at: valid only during the call that was given it.
public struct StateView {
    public let words: UnsafePointer<UInt64>
    @inlinable public init(_ words: UnsafePointer<UInt64>) { self.words = words }
    @inlinable public subscript(index: Int) -> UInt64 { words[index] }
    /// A copy that outlives the call.
    public func copy(count: Int) -> [UInt64] { Array(UnsafeBufferPointer(start: words, count: count)) }
}

/// What should hold of a system.
public struct Property: Sendable {
    public enum Kind: Sendable, Equatable {
        /// True in every reachable state.
        case invariant
        /// True in at least one reachable state: guards against a model in which nothing happens.
        case reachable
        /// From every reachable state a state in which it is true can be reached (AG EF).
        case progress
    }
    public let name: String
    public let kind: Kind
    public let holds: @Sendable (StateView) -> Bool

    public init(_ kind: Kind, _ name: String, _ holds: @escaping @Sendable (StateView) -> Bool) {
        self.kind = kind
        self.name = name
        self.holds = holds
    }
}

/// Where a system writes the states that a step leads to. Reused from state to state, so that writing one costs no
/// allocation.
public struct Successors: ~Copyable {
    let stateWords: Int
    private var capacity = 64
    private var storage: UnsafeMutablePointer<UInt64>
    private var stepNumbers: UnsafeMutablePointer<Int32>
    /// States written, those that were set aside included.
    private(set) var total = 0
    private var first = 0
    /// States written since the last `removeAll` or `setAside`.
    public var count: Int { total &- first }
    /// Steps that were taken on the way to the states written and lead to none of them: counted as fired.
    public private(set) var passed: [Int32] = []
    /// Whatever the system wants to find again when it is asked for the next state's successors.
    public var workspace: AnyObject?

    public init(stateWords: Int) {
        self.stateWords = stateWords
        storage = .allocate(capacity: 64 * stateWords)
        stepNumbers = .allocate(capacity: 64)
    }

    deinit {
        storage.deallocate()
        stepNumbers.deallocate()
    }

    /// Room for one more state, its words not yet set; write all of them before the next call.
    public mutating func add(step: Int) -> UnsafeMutablePointer<UInt64> {
        if total == capacity { grow() }
        stepNumbers[total] = Int32(truncatingIfNeeded: step)
        total &+= 1
        return storage + (total &- 1) &* stateWords
    }

    /// Takes the last state back: a step that turned out to be impossible.
    public mutating func removeLast() { total -= 1 }

    public mutating func removeAll() {
        (total, first) = (0, 0)
        if !passed.isEmpty { passed.removeAll(keepingCapacity: true) }
    }

    /// What was written stays, but the system does not see it any more: it is asked for another state's successors.
    mutating func setAside() { first = total }
    /// As `words` and `step`, counted from the first that was set aside.
    func wordsOfAll(_ index: Int) -> UnsafeMutablePointer<UInt64> { storage + index &* stateWords }
    func stepOfAll(_ index: Int) -> Int { Int(stepNumbers[index]) }

    /// Notes a step on the way to what is written.
    public mutating func pass(step: Int) { passed.append(Int32(truncatingIfNeeded: step)) }

    public func words(_ index: Int) -> UnsafeMutablePointer<UInt64> { storage + (first + index) * stateWords }
    public func step(_ index: Int) -> Int { Int(stepNumbers[first + index]) }
    /// Renames a state's step once it is known which one it was.
    public func setStep(_ index: Int, to step: Int) { stepNumbers[first + index] = Int32(truncatingIfNeeded: step) }

    private mutating func grow() {
        let bigger = UnsafeMutablePointer<UInt64>.allocate(capacity: capacity * 2 * stateWords)
        bigger.update(from: storage, count: total * stateWords)
        storage.deallocate()
        storage = bigger
        let longer = UnsafeMutablePointer<Int32>.allocate(capacity: capacity * 2)
        longer.update(from: stepNumbers, count: total)
        stepNumbers.deallocate()
        stepNumbers = longer
        capacity *= 2
    }
}
