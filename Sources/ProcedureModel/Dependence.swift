// SPDX-License-Identifier: GPL-2.0

/// Which steps of different threads touch something common: for whoever counts which orders of steps have been seen.
///
/// Two steps meet if one writes what the other reads or writes (a variable, a mutex, a DLM resource), or if one wakes
/// or starts the thread that is to take the other. The order of steps that do not meet makes no difference. That a
/// thread looks whether another one still runs is left out: it would meet every step of it.
public struct Dependence: Sendable {
    private let steps: [Accesses.Step]
    private let threads: [Int]
    private let firsts: [Int]

    init(_ machine: Machine, seeing: (Accesses) -> Accesses) {
        let accesses = seeing(Accesses(machine.code, machine.layout, nodes: machine.program.nodes))
        var positions = accesses.none
        for field in machine.layout.pc { positions.write(field) }
        var steps: [Accesses.Step] = []
        for (number, thread) in machine.code.threads.enumerated() {
            for position in 0..<thread.count {
                var step =
                    position == 0
                    ? Accesses.Step(access: accesses.none, besides: accesses.none)
                    : accesses.step(thread: number, position: position)
                for word in step.access.reads.indices {
                    step.access.reads[word] &= ~positions.writes[word]
                    step.access.writes[word] &= ~positions.writes[word]
                }
                steps.append(step)
            }
        }
        self.steps = steps
        threads = machine.code.threads.indices.flatMap {
            Array(repeating: $0, count: machine.code.threads[$0].count)
        }
        firsts = machine.code.threads.map(\.first)
    }

    /// Whether two steps, by their numbers, are of different threads and meet.
    public func meet(_ first: Int, _ second: Int) -> Bool {
        if threads[first] == threads[second] { return false }
        return !steps[first].access.commutes(with: steps[second].access) || moves(first, second)
            || moves(second, first)
    }

    /// Who sleeps stands behind the wait_event that it is about to look at again: see `Machine.pending(atStep:)`.
    private func moves(_ step: Int, _ other: Int) -> Bool {
        let thread = threads[other]
        let position = other - firsts[thread]
        return steps[step].moves.contains { $0.thread == thread && (position...position + 1).contains($0.from) }
    }
}

extension Machine {
    public func dependence() -> Dependence { Dependence(self) { $0 } }

    /// The step that a thread at a step is about to take: who sleeps in wait_event looks at its condition again.
    public func pending(atStep step: Int) -> Int {
        code.instructions[step].operation == .asleep ? step - 1 : step
    }

    /// The steps of a thread's code. It begins with the first.
    public func steps(ofThread thread: Int) -> Range<Int> {
        let code = code.threads[thread]
        return code.first + 1..<code.first + max(1, code.count)
    }

    /// The node of the thread that takes a step, from 0.
    public func node(ofStep step: Int) -> Int { code.threads[actors[step]].node }
}
