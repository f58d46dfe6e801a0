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
        public var instead: [String]
        /// Where one of these is the same step with other arguments: in which.
        public var arguments: [Argument]
    }

    /// What the model says of one event that it does not allow.
    struct Judge {
        let machine: Machine
        let alphabet: Alphabet
        let threads: Int

        /// What the thread can do in a state, hidden steps of its own included.
        func refusal(of event: String, by thread: Int, in state: [UInt64]) -> Refusal {
            var instead: [String] = []
            var seen: Set<[UInt64]> = [state]
            var open = [state]
            var stack: [String] = machine.stack(ofThread: thread, in: state) ?? ["not running"]
            var waitsFor: String?
            var values: [String] = []
            var successors = Successors(stateWords: machine.stateWords)
            while let next = open.popLast(), seen.count < 256 {
                next.withUnsafeBufferPointer { buffer in
                    guard let base = buffer.baseAddress else { return }
                    let view = StateView(base)
                    guard let step = machine.nextStep(ofThread: thread, in: view) else { return }
                    if let text = alphabet.text(ofStep: step) {
                        if !instead.contains(text) { instead.append(text) }
                        return
                    }
                    successors.removeAll()
                    machine.successors(of: view, byThread: thread, into: &successors)
                    if successors.count == 0, waitsFor == nil, let text = machine.guardText(ofStep: step) {
                        waitsFor = text
                        stack = machine.stack(ofThread: thread, in: next) ?? stack
                        values = self.values(of: text, node: thread / threads, in: next)
                    }
                    for item in 0..<successors.count {
                        let words = StateView(successors.words(item)).copy(count: machine.stateWords)
                        if seen.insert(words).inserted { open.append(words) }
                    }
                }
            }
            let same = instead.lazy.map { self.differences(event, $0) }.filter { !$0.isEmpty }
            return Refusal(
                stack: stack.filter { !Self.isMarker($0) }, waitsFor: waitsFor, values: values,
                instead: instead.sorted(),
                arguments: same.min { $0.count < $1.count } ?? [])
        }

        /// Where in a thread's code the event is, the places that it comes to first before the others.
        func places(of event: String, by thread: Int, in state: [UInt64]) -> [[String]] {
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
                if let text = alphabet.text(ofStep: step), Alphabet.fits(event, text) {
                    let stack = machine.place(ofStep: step).stack.filter { !Self.isMarker($0) }
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
        func others(than thread: Int, for event: String, in state: [UInt64]) -> [String] {
            let first = thread / threads * threads
            return (first..<first + threads).filter { other in
                other != thread
                    && refusal(of: event, by: other, in: state).instead.contains { Alphabet.fits(event, $0) }
            }.map { machine.name(ofThread: $0) }
        }

        /// Of the variables, mutexes and locks that a guard names.
        private func values(of text: String, node: Int, in state: [UInt64]) -> [String] {
            let words = text.split { !($0.isLetter || $0.isNumber || "_-.>".contains($0)) }.map(String.init)
            let locks = machine.locks(in: state)
            var values: [String] = []
            for word in words {
                if let owner = machine.owner(ofMutex: word, node: node, in: state) {
                    values.append("\(word) is held by \(machine.name(ofThread: owner))")
                } else if let value = machine.value(of: word, node: node, in: state) {
                    values.append("\(word) is \(value)")
                } else if let lock = locks.first(where: { $0.hasPrefix("\(word): ") }) {
                    values.append(lock)
                }
            }
            return values.enumerated().filter { values.firstIndex(of: $0.element) == $0.offset }.map(\.element)
        }

        /// In which arguments two labels of the same kind of step differ; empty if they are of different kinds.
        func differences(_ event: String, _ step: String) -> [Argument] {
            let (left, right) = (Self.parts(event), Self.parts(step))
            guard left.name == right.name, left.values.count == right.values.count else { return [] }
            let names = machine.program.procedure(named: left.name)?.parameters ?? []
            return left.values.indices.compactMap { place in
                let (observed, required) = (left.values[place], right.values[place])
                guard observed != required, observed != "*" else { return nil }
                return Argument(
                    name: place < names.count ? names[place] : "\(place)", observed: observed, required: required)
            }
        }

        private static func parts(_ label: String) -> (name: String, values: [String]) {
            let name = String(label.prefix { $0 != "(" })
            let list = label.dropFirst(name.count + 1).dropLast()
            return (name, list.split(separator: ",").map { String($0.drop { $0 == " " }) })
        }

        private static func isMarker(_ frame: String) -> Bool { Marker.isOne(String(frame.prefix { $0 != "(" })) }
    }
}
