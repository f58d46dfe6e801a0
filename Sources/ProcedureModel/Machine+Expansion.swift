// SPDX-License-Identifier: GPL-2.0
import ModelChecker

extension Machine {
    /// With reduction a step of a run stands for a node's local steps and the one behind them: they are put in.
    public func expanded(_ run: Counterexample) -> Counterexample {
        guard isReduced, let first = run.states.first else { return run }
        var result = Counterexample(steps: [], states: [first], actorSwitches: 0, fewestSwitches: false)
        for (number, step) in run.steps.enumerated() {
            for (step, state) in way(from: run.states[number], to: run.states[number + 1], by: step) {
                if let last = result.steps.last, actor(ofStep: last) != actor(ofStep: step) {
                    result.actorSwitches += 1
                }
                result.steps.append(step)
                result.states.append(state)
            }
        }
        return result
    }

    /// A shortest way of one node, the last step being the one that is named.
    private func way(from begin: [UInt64], to end: [UInt64], by last: Int) -> [(step: Int, state: [UInt64])] {
        let node = nodesOfThreads[actor(ofStep: last)]
        var found: [(state: [UInt64], step: Int, before: Int)] = [(begin, -1, -1)]
        var seen: Set<[UInt64]> = [begin]
        var one = Successors(stateWords: stateWords)
        var next = 0
        while next < found.count {
            let state = found[next].state
            let goal = state.withUnsafeBufferPointer { buffer -> Int? in
                guard let words = buffer.baseAddress else { return nil }
                let isTimeout = !canMove(node, words)
                for thread in firstThreads[node]..<firstThreads[node + 1] {
                    let pc = pcs[thread].read(words)
                    guard pc != 0 else { continue }
                    one.removeAll()
                    step(thread, pc, words, &one, timeouts: isTimeout)
                    for item in 0..<one.count {
                        let after = StateView(one.words(item)).copy(count: stateWords)
                        let isEnd = one.step(item) == last && after == end
                        if isEnd || seen.insert(after).inserted { found.append((after, one.step(item), next)) }
                        if isEnd { return found.count - 1 }
                    }
                }
                return nil
            }
            if var place = goal {
                var way: [(step: Int, state: [UInt64])] = []
                while found[place].before >= 0 {
                    way.append((found[place].step, found[place].state))
                    place = found[place].before
                }
                return way.reversed()
            }
            next += 1
        }
        return [(last, end)]
    }
}
