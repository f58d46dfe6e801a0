// SPDX-License-Identifier: GPL-2.0
import ModelChecker

/// What a program does apart from where its threads are: the values that its variables, locks and mutexes take
/// together, and how they change from one step to the next. Two programs with the same threads and names that have the
/// same are told apart by nothing but their text.
public struct VisibleBehaviour: Hashable, Sendable {
    /// Different values of all variables, locks and mutexes.
    public let states: Int
    /// Different steps from one of them to another.
    public let changes: Int
    /// The sum of the hashes of both: two different behaviours have the same with odds of 1 in 2^64.
    let digest: UInt64
}

extension Machine {
    /// Explores the program. Nil if a bound is reached before the end.
    public func visibleBehaviour(bounds: Bounds = Bounds()) -> VisibleBehaviour? {
        let recorder = VisibleRecorder(self)
        guard Search(recorder, bounds: bounds).run().verdict == .holds else { return nil }
        let digest = (recorder.states.reduce(0, &+) &* 3) &+ recorder.changes.reduce(0, &+)
        return VisibleBehaviour(states: recorder.states.count, changes: recorder.changes.count, digest: digest)
    }

    /// In an order that does not depend on the text of the procedures.
    fileprivate var visibleFields: [Field] {
        func sorted(_ fields: [String: Field]) -> [Field] { fields.sorted { $0.key < $1.key }.map(\.value) }
        let locks = (layout.granted + layout.requested + layout.rank).flatMap { $0 }
        return sorted(layout.shared) + layout.node.flatMap(sorted) + layout.mutexes.flatMap(sorted) + locks
    }
}

/// A machine that notes what it meets and forgives everything. For a search with one worker.
private final class VisibleRecorder: TransitionSystem, @unchecked Sendable {
    private let machine: Machine
    private let fields: [Field]
    private(set) var states: Set<UInt64> = []
    private(set) var changes: Set<UInt64> = []
    let stateWords: Int
    let stepCount: Int

    init(_ machine: Machine) {
        self.machine = machine
        fields = machine.visibleFields.filter { $0.bits > 0 }
        stateWords = machine.stateWords
        stepCount = machine.stepCount
    }

    private func hash(_ words: UnsafePointer<UInt64>) -> UInt64 {
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
        for field in fields { hash = Self.mix(hash, UInt64(field.read(words))) }
        return hash
    }

    private static func mix(_ hash: UInt64, _ value: UInt64) -> UInt64 {
        let product = (hash ^ value).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
        return product.high ^ product.low &+ 0x9E37_79B9_7F4A_7C15
    }

    func initialStates(into successors: inout Successors) { machine.initialStates(into: &successors) }

    func successors(of state: StateView, into successors: inout Successors) {
        machine.successors(of: state, into: &successors)
        let from = hash(state.words)
        states.insert(from)
        for item in 0..<successors.count {
            let target = hash(UnsafePointer(successors.words(item)))
            if target != from { changes.insert(Self.mix(Self.mix(from, target), from)) }
        }
    }

    /// Nothing that this search meets is a failure.
    func isFinal(_ state: StateView) -> Bool { true }
}
