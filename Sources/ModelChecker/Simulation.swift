// SPDX-License-Identifier: GPL-2.0

/// Random runs from the initial states: no proof, but it reaches depths that no exhaustive search does. The same seed
/// gives the same runs.
public struct Simulation: Sendable {
    public let system: any TransitionSystem
    public var seed: UInt64
    public var runs: Int
    /// Steps after which a run is given up and the next begins.
    public var depth: Int

    public init(_ system: any TransitionSystem, seed: UInt64 = 1, runs: Int = 1000, depth: Int = 10_000) {
        self.system = system
        self.seed = seed
        self.runs = runs
        self.depth = depth
    }

    public struct Result: Sendable {
        /// What the first bad run shows; nil if none did.
        public var failure: Verdict.Failure?
        public var counterexample: Counterexample?
        public var runs: Int
        public var steps: UInt64
        public var longestRun: Int
        public var coverage: [UInt64]
    }

    public func run() -> Result {
        var random = SplitMix(state: seed)
        var result = Result(
            runs: 0, steps: 0, longestRun: 0, coverage: Array(repeating: 0, count: system.stepCount))
        let invariants = system.properties.filter { $0.kind == .invariant }
        let count = system.stateWords
        var successors = Successors(stateWords: count)
        var state = [UInt64](repeating: 0, count: count)
        for _ in 0..<runs {
            result.runs += 1
            var run = Counterexample(steps: [], states: [], actorSwitches: 0, fewestSwitches: false)
            successors.removeAll()
            system.initialStates(into: &successors)
            while true {
                let isStart = run.states.isEmpty
                let last = run.steps.last.map { system.actor(ofStep: $0) }
                if successors.count == 0 {
                    let isFinal = state.withUnsafeBufferPointer { words in
                        words.baseAddress.map { system.isFinal(StateView($0)) } ?? true
                    }
                    if !isFinal { result.failure = .deadlock }
                    break
                }
                let choice = Int(random.next() % UInt64(successors.count))
                state = StateView(successors.words(choice)).copy(count: count)
                run.states.append(state)
                if !isStart {
                    let step = successors.step(choice)
                    run.steps.append(step)
                    if let last, system.actor(ofStep: step) != last { run.actorSwitches += 1 }
                    result.coverage[step] += 1
                    result.steps += 1
                }
                successors.removeAll()
                let broken = state.withUnsafeBufferPointer { words -> String? in
                    guard let base = words.baseAddress else { return nil }
                    system.successors(of: StateView(base), into: &successors)
                    return invariants.first { !$0.holds(StateView(base)) }?.name
                }
                if let broken {
                    result.failure = .invariant(broken)
                    break
                }
                if run.steps.count >= depth { break }
            }
            result.longestRun = max(result.longestRun, run.steps.count)
            if result.failure != nil {
                result.counterexample = run
                break
            }
        }
        return result
    }
}

/// The generator of Steele, Lea and Flood: small, and the same everywhere.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
