// SPDX-License-Identifier: GPL-2.0

/// Which steps can change places with which others, whatever the state: for whoever looks for one order among many.
///
/// Only hidden steps are compared with each other. Visible ones, whose order is given, count as changing nothing but
/// the position of their thread.
public struct Independence: Sendable {
    /// Whose steps can notice a step, or be noticed by it.
    public enum Scope: UInt8, Sendable, Comparable {
        case thread, node, cluster
        public static func < (left: Scope, right: Scope) -> Bool { left.rawValue < right.rawValue }
    }

    /// By step.
    public let scopes: [Scope]
    /// By step: a wait for one thing, and then nothing else happens. Once it can end it may as well end at once: that
    /// the thread has gone on can be noticed by nobody.
    public let endsAtOnce: [Bool]
    /// By step: until its next visible step the thread does nothing that a step of another thread of the node with a
    /// scope of no more than the node can notice.
    public let keepsToItself: [Bool]

    init(_ machine: Machine, isVisible: (Int) -> Bool) {
        let accesses = Accesses(machine.code, machine.layout, nodes: machine.program.nodes)
        let threads = machine.code.threads
        var positions = accesses.none
        for field in machine.layout.pc { positions.write(field) }
        /// Without the positions of threads: who wakes or starts another is looked at by itself.
        func content(_ access: Access) -> Access {
            var access = access
            for word in access.reads.indices {
                access.reads[word] &= ~positions.writes[word]
                access.writes[word] &= ~positions.writes[word]
            }
            return access
        }
        var steps: [Access] = []
        var all = threads.map { _ in accesses.none }
        for (number, thread) in threads.enumerated() {
            for position in 0..<thread.count {
                let isHidden = position > 0 && !isVisible(thread.first + position)
                let access = isHidden ? accesses.step(thread: number, position: position).access : accesses.none
                steps.append(content(access))
                steps[thread.first + position].positions = access.positions
                if isHidden { all[number].add(steps[thread.first + position]) }
            }
        }
        func others(_ number: Int, where isCounted: (CompiledThread) -> Bool) -> Access {
            var sum = accesses.none
            for (other, thread) in threads.enumerated() where other != number && isCounted(thread) {
                sum.add(all[other])
            }
            return sum
        }
        func meets(_ access: Access, _ number: Int, _ others: Access) -> Bool {
            !access.commutes(with: others) || others.positions.contains(number) || !access.positions.isEmpty
        }
        var scopes = [Scope](repeating: .thread, count: steps.count)
        var endsAtOnce = [Bool](repeating: false, count: steps.count)
        for (number, thread) in threads.enumerated() {
            let near = others(number) { $0.node == thread.node }
            let far = others(number) { $0.node != thread.node }
            for position in 1..<max(1, thread.count) {
                let step = thread.first + position
                if isVisible(step) { continue }
                if meets(steps[step], number, far) {
                    scopes[step] = .cluster
                } else if meets(steps[step], number, near) || Self.isAboutThreads(machine.code, thread, position) {
                    scopes[step] = .node
                }
                let instruction = machine.code.instructions[step]
                if instruction.operation == .wait, instruction.count == 1 {
                    let alternative = machine.code.alternatives[Int(instruction.subject)]
                    endsAtOnce[step] =
                        !alternative.isTimeout
                        && !machine.code.instructions[thread.first + Int(alternative.target)].isSilent
                        && !far.positions.contains(number) && !near.positions.contains(number)
                }
            }
        }
        self.scopes = scopes
        self.endsAtOnce = endsAtOnce
        keepsToItself = Self.keepingToThemselves(machine, steps, scopes, isVisible: isVisible)
    }

    /// A step that wakes, starts or ends a thread, or sleeps: what it does to positions is for its node to see. A queue
    /// and the threads that sleep on it belong to one node.
    private static func isAboutThreads(_ code: Code, _ thread: CompiledThread, _ position: Int) -> Bool {
        var position = position
        var seen: Set<Int> = []
        var open = [position]
        while let next = open.popLast() {
            guard seen.insert(next).inserted else { continue }
            position = next
            let instruction = code.instructions[thread.first + position]
            switch instruction.operation {
            case .wake, .start, .end, .waitEvent, .asleep: return true
            case .branch: open += [Int(instruction.next), Int(instruction.other)]
            case .choose:
                let range = Int(instruction.subject)..<Int(instruction.subject) + Int(instruction.count)
                open += code.targets[range].map(Int.init)
            case .wait:
                let range = Int(instruction.subject)..<Int(instruction.subject) + Int(instruction.count)
                open += code.alternatives[range].map { Int($0.target) }
            default: open.append(Int(instruction.next))
            }
            open = open.filter { code.instructions[thread.first + $0].isSilent }
        }
        return false
    }

    private static func keepingToThemselves(
        _ machine: Machine, _ steps: [Access], _ scopes: [Scope], isVisible: (Int) -> Bool
    ) -> [Bool] {
        let threads = machine.code.threads
        var keeps = [Bool](repeating: true, count: steps.count)
        var before = [[Int]](repeating: [], count: steps.count)
        var open: [Int] = []
        for (number, thread) in threads.enumerated() {
            var near = Access(words: machine.layout.words)
            for (other, neighbour) in threads.enumerated() where other != number && neighbour.node == thread.node {
                for step in neighbour.first..<neighbour.first + neighbour.count where scopes[step] <= .node {
                    near.add(steps[step])
                }
            }
            for position in 1..<max(1, thread.count) {
                let step = thread.first + position
                if isVisible(step) { continue }
                if !steps[step].commutes(with: near) || near.positions.contains(number)
                    || !steps[step].positions.isEmpty || isAboutThreads(machine.code, thread, position)
                {
                    keeps[step] = false
                    open.append(step)
                }
                for next in machine.followers(ofStep: step) { before[next].append(step) }
            }
        }
        while let step = open.popLast() {
            for earlier in before[step] where keeps[earlier] {
                keeps[earlier] = false
                open.append(earlier)
            }
        }
        return keeps
    }
}

extension Machine {
    /// - Parameter isVisible: of a step's number.
    public func independence(isVisible: (Int) -> Bool) -> Independence { Independence(self, isVisible: isVisible) }
}
