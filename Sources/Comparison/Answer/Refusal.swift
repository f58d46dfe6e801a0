// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import MDClusterModel
import ModelChecker
import ProcedureModel

extension Mismatch {
    /// An argument in which the recorded event is not the one that the model requires.
    public struct Argument: Sendable, Hashable {
        public var name: String
        public var observed: String
        public var required: String
    }

    /// What the model's thread does where the kernel's does something else.
    public struct Refusal: Sendable, Hashable {
        /// The thread's place in the model, innermost function first.
        public var stack: [String]
        /// The guard that holds it there, if it is blocked.
        public var waitsFor: String?
        /// What the guard looks at has these values: "HOLDING_MUTEX_FOR_RECVD is 0".
        public var values: [String]
        /// The events that the model allows this thread instead.
        public var instead: [TraceLabel]
        /// Where one of these is the same step with other arguments: in which.
        public var arguments: [Argument]
    }

    /// What the model says of one event that it does not allow.
    struct Judge {
        let machine: Machine
        let alphabet: Alphabet
        let threads: Int

        /// What the thread can do in a state, hidden steps of its own included.
        func refusal(of event: TraceLabel, by thread: Int, in state: [UInt64]) -> Refusal {
            var instead: [TraceLabel] = []
            var seen: Set<[UInt64]> = [state]
            var open = [state]
            var calls = machine.calls(ofThread: thread, in: state)
            var waitsFor: String?
            var values: [String] = []
            var successors = Successors(stateWords: machine.stateWords)
            while let next = open.popLast(), seen.count < 256 {
                next.withUnsafeBufferPointer { buffer in
                    guard let base = buffer.baseAddress else { return }
                    let view = StateView(base)
                    guard let step = machine.nextStep(ofThread: thread, in: view) else { return }
                    if let label = alphabet.label(ofStep: step) {
                        if !instead.contains(label) { instead.append(label) }
                        return
                    }
                    successors.removeAll()
                    machine.successors(of: view, byThread: thread, into: &successors)
                    if successors.count == 0, waitsFor == nil, let text = machine.guardText(ofStep: step) {
                        waitsFor = text
                        calls = machine.calls(ofThread: thread, in: next) ?? calls
                        values = self.values(of: machine.guardNames(ofStep: step), node: thread / threads, in: next)
                    }
                    for item in 0..<successors.count {
                        let words = StateView(successors.words(item)).copy(count: machine.stateWords)
                        if seen.insert(words).inserted { open.append(words) }
                    }
                }
            }
            let same = instead.lazy.map { self.differences(event, $0) }.filter { !$0.isEmpty }
            return Refusal(
                stack: calls.map(Self.printed) ?? ["not running"], waitsFor: waitsFor, values: values,
                instead: instead.sorted { "\($0)" < "\($1)" },
                arguments: same.min { $0.count < $1.count } ?? [])
        }

        /// Where in a thread's code the event is, the places that it comes to first before the others.
        func places(of event: TraceLabel, by thread: Int, in state: [UInt64]) -> [[String]] {
            var found: [[String]] = []
            var seen = [Bool](repeating: false, count: machine.stepCount)
            var open: [Int] = []
            state.withUnsafeBufferPointer { buffer in
                if let base = buffer.baseAddress, let step = machine.nextStep(ofThread: thread, in: StateView(base)) {
                    open = [step]
                    seen[step] = true
                }
            }
            var next = 0
            while next < open.count {
                let step = open[next]
                next += 1
                if let label = alphabet.label(ofStep: step), event.fits(label) {
                    let stack = Self.printed(machine.place(ofStep: step).calls)
                    if !found.contains(stack) { found.append(stack) }
                }
                for follower in machine.followers(ofStep: step) where !seen[follower] {
                    seen[follower] = true
                    open.append(follower)
                }
            }
            return found
        }

        /// Other threads of the node that the model would let show the event.
        func others(than thread: Int, for event: TraceLabel, in state: [UInt64]) -> [String] {
            let first = thread / threads * threads
            return (first..<first + threads).filter { other in
                other != thread
                    && refusal(of: event, by: other, in: state).instead.contains { event.fits($0) }
            }.map { machine.name(ofThread: $0) }
        }

        /// Of the variables, mutexes and locks that a guard looks at.
        private func values(of names: [String], node: Int, in state: [UInt64]) -> [String] {
            var values: [String] = []
            for name in names {
                if let owner = machine.owner(ofMutex: name, node: node, in: state) {
                    values.append("\(name) is held by \(machine.name(ofThread: owner))")
                } else if let value = machine.value(of: name, node: node, in: state) {
                    values.append("\(name) is \(value)")
                } else if let lock = machine.lockText(named: name, in: state) {
                    values.append(lock)
                }
            }
            return values.enumerated().filter { values.firstIndex(of: $0.element) == $0.offset }.map(\.element)
        }

        /// In which arguments two labels of the same kind of step differ; empty if they are of different kinds.
        func differences(_ event: TraceLabel, _ step: TraceLabel) -> [Argument] {
            guard event.mark == step.mark, event.arguments.count == step.arguments.count else { return [] }
            return zip(event.namedArguments, step.namedArguments).enumerated().compactMap { place, pair in
                guard let observed = event.arguments[place], observed != step.arguments[place] else { return nil }
                return Argument(name: pair.0.name, observed: pair.0.value, required: pair.1.value)
            }
        }

        /// The functions of the model, without what only stands for an event.
        private static func printed(_ calls: [CallFrame]) -> [String] {
            calls.filter { !Marker.isOne($0.procedure) }.map(\.description)
        }
    }
}
