// SPDX-License-Identifier: GPL-2.0
import ModelChecker

/// What one thread does between two switches of thread.
public struct FoldedSteps: Sendable, Equatable {
    /// Of the run's steps, from 1.
    public var numbers: ClosedRange<Int>
    /// "node1 md0_raid1"
    public var thread: String
    /// The steps that another thread may notice: locks, waits, wake-ups, assignments. The last step, if there is none.
    public var texts: [String]
    /// Tests and jumps that are not among `texts`.
    public var hidden: Int
}

extension Machine {
    /// A run as a list of what each thread did until another one went on.
    public func folded(_ run: Counterexample) -> [FoldedSteps] {
        var list: [FoldedSteps] = []
        var last: Int?
        for (number, step) in run.steps.enumerated() {
            let thread = actor(ofStep: step)
            if thread != last {
                list.append(
                    FoldedSteps(
                        numbers: number + 1...number + 1, thread: name(ofThread: thread), texts: [], hidden: 0))
            }
            last = thread
            let place = list.count - 1
            list[place].numbers = list[place].numbers.lowerBound...number + 1
            let isLast = number + 1 == run.steps.count || actor(ofStep: run.steps[number + 1]) != thread
            if isNoticed(step) || isLast && list[place].texts.isEmpty {
                list[place].texts.append(text(of: run, at: number))
            } else {
                list[place].hidden += 1
            }
        }
        return list
    }

    private func isNoticed(_ step: Int) -> Bool {
        switch code.instructions[step].operation {
        case .branch, .jump, .choose, .require, .end: false
        case .assign, .wait, .waitEvent, .asleep, .wake, .lock, .tryLock, .unlock, .convert, .cancel, .start: true
        }
    }
}
