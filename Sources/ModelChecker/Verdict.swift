// SPDX-License-Identifier: GPL-2.0

/// Where a search has to stop, whatever is left.
public struct Bounds: Sendable {
    public var states: Int
    /// Steps from an initial state.
    public var depth: Int
    public var seconds: Double
    /// Bytes of the state store.
    public var bytes: Int

    public init(states: Int = 1 << 30, depth: Int = .max, seconds: Double = .infinity, bytes: Int = 4 << 30) {
        self.states = states
        self.depth = depth
        self.seconds = seconds
        self.bytes = bytes
    }
}

/// The three answers. A bound that was reached never looks like a property that holds.
public enum Verdict: Sendable, Equatable {
    /// Every reachable state was seen, and everything holds.
    case holds
    case fails(Failure)
    case undecided(Reason)

    public enum Failure: Sendable, Equatable {
        /// A state without successors in which no run may end.
        case deadlock
        case invariant(String)
        /// No reachable state has it.
        case unreachable(String)
        /// From the counterexample's last state no state that has it can be reached any more.
        case noProgress(String)
    }

    /// Why there is no answer.
    public enum Reason: Sendable, Equatable {
        case states(Int)
        case depth(Int)
        case seconds(Double)
        case memory(bytes: Int)
        case interrupted
    }
}

/// A run that shows a failure.
public struct Counterexample: Sendable, Equatable {
    /// Steps taken; states has one more element than steps.
    public var steps: [Int]
    /// Each state's words, the first being an initial state.
    public var states: [[UInt64]]
    /// How often the run goes on with another actor.
    public var actorSwitches: Int
    /// Whether no run with as few steps has fewer switches of actor; false when that would have cost too much to find
    /// out.
    public var fewestSwitches: Bool

    public init(steps: [Int], states: [[UInt64]], actorSwitches: Int, fewestSwitches: Bool) {
        self.steps = steps
        self.states = states
        self.actorSwitches = actorSwitches
        self.fewestSwitches = fewestSwitches
    }
}

/// What was done at a step number.
public struct StepCoverage: Sendable, Equatable {
    /// Transitions taken.
    public var fired: UInt64 = 0
    /// Transitions that led to a state not seen before.
    public var found: UInt64 = 0

    public init(fired: UInt64 = 0, found: UInt64 = 0) {
        self.fired = fired
        self.found = found
    }
}

/// What a search has found out.
public struct SearchResult: Sendable {
    public var verdict: Verdict
    public var states: Int
    public var transitions: UInt64
    /// Layers of the breadth-first search below the initial states.
    public var depth: Int
    public var seconds: Double
    /// Bytes of the state store, table included.
    public var bytes: Int
    public var coverage: [StepCoverage]
    /// Names of the `.reachable` properties that were seen to hold.
    public var reached: Set<String>
    public var counterexample: Counterexample?

    public var bytesPerState: Double { states == 0 ? 0 : Double(bytes) / Double(states) }
}

/// What is told while a search runs.
public struct Progress: Sendable {
    public var states: Int
    public var transitions: UInt64
    public var depth: Int
    public var seconds: Double
    public var bytes: Int
}
