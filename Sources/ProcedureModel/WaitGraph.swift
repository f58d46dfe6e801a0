// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import ModelChecker

/// One thread waits for what another one holds.
public struct WaitEdge: Hashable, Sendable {
    public var waiter: Int
    public var holder: Int
    public var reason: Reason

    /// What the holder has to give up or to do.
    public enum Reason: Hashable, Sendable, CustomStringConvertible {
        case mutex(String)
        /// A DLM lock: the mode that is asked for, and the one in which the holder has it.
        case lock(String, LockMode, held: LockMode)
        /// A thread has to end.
        case end(of: String)
        /// A variable has to get another value.
        case variable(String, Expression)

        /// "reconfig_mutex", "token EX (held in EX)", "the end of md0_raid1", "SEND_LOCK == 0".
        public var description: String {
            switch self {
            case .mutex(let name): name
            case .lock(let name, let mode, let held): "\(name) \(mode) (held in \(held))"
            case .end(let thread): "the end of \(thread)"
            case .variable(_, let condition): "\(condition)"
            }
        }
    }

    public init(waiter: Int, holder: Int, reason: Reason) {
        self.waiter = waiter
        self.holder = holder
        self.reason = reason
    }

    fileprivate var isForItself: Bool { if case .variable = reason { waiter == holder } else { false } }

    /// The edges of a circle, in order; empty if there is none. The circle with the lowest thread is given first.
    public static func cycle(in edges: [WaitEdge]) -> [WaitEdge] {
        func path(from thread: Int, to goal: Int, _ visited: Set<Int>) -> [WaitEdge]? {
            for edge in edges where edge.waiter == thread {
                if edge.holder == goal { return [edge] }
                if visited.contains(edge.holder) { continue }
                if let rest = path(from: edge.holder, to: goal, visited.union([edge.holder])) { return [edge] + rest }
            }
            return nil
        }
        for thread in Set(edges.map(\.waiter)).sorted() {
            if let cycle = path(from: thread, to: thread, [thread]) { return cycle }
        }
        return []
    }
}

extension Machine {
    /// Who waits for whom in the last state of a run. Who holds a mutex is in the state; who holds a DLM lock or has
    /// set a bit is whoever did so last in the run, unless the lock is declared to be given up by a certain thread.
    public func waits(atEndOf run: Counterexample) -> [WaitEdge] { allWaits(atEndOf: run).filter { !$0.isForItself } }

    /// Threads that wait for a variable that nobody but they themselves changed last: there is nobody to wait for.
    package func waitsForThemselves(atEndOf run: Counterexample) -> [WaitEdge] {
        allWaits(atEndOf: run).filter(\.isForItself)
    }

    private func allWaits(atEndOf run: Counterexample) -> [WaitEdge] {
        guard let state = run.states.last else { return [] }
        var edges: [WaitEdge] = []
        for thread in threads.indices {
            guard let number = instruction(ofThread: thread, in: state) else { continue }
            let instruction = code.instructions[number]
            if instruction.isIdle { continue }
            switch instruction.operation {
            case .lock:
                if let owner = owner(of: instruction.field, node: threads[thread].node, in: state) {
                    let name =
                        program.mutexes.first { layout.mutexes[threads[thread].node][$0] == instruction.field }
                        ?? "mutex"
                    edges.append(WaitEdge(waiter: thread, holder: owner, reason: .mutex(name)))
                }
            case .wait, .asleep:
                let wait = instruction.operation == .asleep ? number - 1 : number
                for expression in code.waits[wait] ?? [] {
                    edges += holders(of: expression, for: thread, node: threads[thread].node, run)
                }
            default: continue
            }
        }
        var seen = Set<WaitEdge>()
        return edges.filter { seen.insert($0).inserted }
    }

    /// Threads that sleep although what they wait for is true: nobody woke them.
    package func lostWakeUps(in state: [UInt64]) -> [Int] {
        threads.indices.filter { thread in
            guard let number = instruction(ofThread: thread, in: state) else { return false }
            return code.instructions[number].operation == .asleep && canWake(at: number - 1, in: state)
        }
    }

    /// Whether a thread is a daemon that waits for something to do, or does not run.
    public func isAtRest(_ thread: Int, in state: [UInt64]) -> Bool {
        instruction(ofThread: thread, in: state).map { code.instructions[$0].isIdle } ?? true
    }

    func owner(of field: Field, node: Int, in state: [UInt64]) -> Int? {
        let number = value(of: field, in: state)
        guard number > 0, let first = threads.firstIndex(where: { $0.node == node }) else { return nil }
        return first + number - 1
    }

    /// Who keeps an expression from becoming true.
    private func holders(of expression: Expression, for thread: Int, node: Int, _ run: Counterexample) -> [WaitEdge] {
        guard let state = run.states.last else { return [] }
        switch expression {
        case .and(let left, let right), .or(let left, let right):
            return holders(of: left, for: thread, node: node, run) + holders(of: right, for: thread, node: node, run)
        case .not(.converting(let name)):
            guard let lock = code.locks.firstIndex(where: { $0.name == name }) else { return [] }
            let wanted = value(of: layout.requested[lock][node], in: state) - 1
            guard wanted >= 0 else { return [] }
            return (0..<program.nodes).filter { $0 != node }.compactMap { other in
                let granted = value(of: layout.granted[lock][other], in: state)
                guard code.locks[lock].compatible[wanted] >> UInt32(granted) & 1 == 0 else { return nil }
                let declared = program.locks[lock].releasedBy.flatMap { name in
                    threads.firstIndex { $0.node == other && $0.name == name }
                }
                guard let holder = declared ?? lastWriter(of: layout.granted[lock][other], in: run) else { return nil }
                let (asked, held) = (
                    LockMode(rawValue: code.locks[lock].modes[wanted]),
                    LockMode(rawValue: code.locks[lock].modes[granted])
                )
                return WaitEdge(waiter: thread, holder: holder, reason: .lock(name, asked, held: held))
            }
        case .not(.locked(let name)):
            guard let field = layout.mutexes[node][name], let owner = owner(of: field, node: node, in: state) else {
                return []
            }
            return [WaitEdge(waiter: thread, holder: owner, reason: .mutex(name))]
        case .not(.running(let name)):
            guard let other = threads.firstIndex(where: { $0.node == node && $0.name == name }),
                instruction(ofThread: other, in: state) != nil
            else { return [] }
            return [WaitEdge(waiter: thread, holder: other, reason: .end(of: name))]
        case .equal(.variable(let name), .constant), .not(.equal(.variable(let name), .constant)):
            guard let field = layout.node[node][name] ?? layout.shared[name], let first = run.states.first,
                value(of: field, in: state) != value(of: field, in: first), let writer = lastWriter(of: field, in: run)
            else { return [] }
            return [WaitEdge(waiter: thread, holder: writer, reason: .variable(name, expression))]
        default: return []
        }
    }

    private func lastWriter(of field: Field, in run: Counterexample) -> Int? {
        for number in run.steps.indices.reversed()
        where value(of: field, in: run.states[number]) != value(of: field, in: run.states[number + 1]) {
            return actor(ofStep: run.steps[number])
        }
        return nil
    }
}
