// SPDX-License-Identifier: GPL-2.0
import ProcedureModel

/// Which hidden steps a record proves: those that lie on every way through a thread's code from one of its events to
/// the next.
///
/// A run that shows the record's events is, for each thread, a way through its code that passes these events in their
/// order; what all such ways have in common has happened, whichever run it was. The state is not looked at, so a step
/// can be certain for a reason that is not seen here.
struct CertainSteps {
    /// Names of steps, by their numbers.
    typealias Bits = SIMD4<UInt64>
    static let limit = 256

    private let machine: Machine
    private let names: StepNames
    private let isVisible: (Int) -> Bool
    /// By step that shows an event: which can be the thread's next such steps, and what lies on every way there.
    private var known: [Int: [(step: Int, between: Bits)]] = [:]

    init(_ machine: Machine, names: StepNames, isVisible: @escaping (Int) -> Bool) {
        precondition(names.names.count <= Self.limit, "a model with more steps than CertainSteps can number")
        (self.machine, self.names, self.isVisible) = (machine, names, isVisible)
    }

    /// What a thread must have done that showed these events.
    ///
    /// - Parameter fits: whether an event can be shown by a step.
    mutating func steps(thread: Int, events: [Int32], fits: (Int32, Int) -> Bool) -> Set<String> {
        guard let first = events.first else { return [] }
        var places: [Int: Bits] = [:]
        func add(_ step: Int, _ bits: Bits, _ list: inout [Int: Bits]) {
            list[step] = list[step].map { $0 & bits } ?? bits
        }
        for next in ways(from: [machine.steps(ofThread: thread).lowerBound]) where fits(first, next.step) {
            add(next.step, next.between, &places)
        }
        for event in events.dropFirst() {
            var later: [Int: Bits] = [:]
            for (step, before) in places {
                for next in ways(behind: step) where fits(event, next.step) {
                    add(next.step, before | next.between, &later)
                }
            }
            places = later
        }
        guard let one = places.values.first else { return [] }
        return texts(places.values.reduce(one) { $0 & $1 })
    }

    /// Steps that some two events of a thread can prove, if they come right after one another.
    mutating func provable(threads: Range<Int>) -> Set<String> {
        var sum = Bits()
        for thread in threads {
            let steps = machine.steps(ofThread: thread)
            for next in ways(from: [steps.lowerBound]) { sum |= next.between }
            for step in steps where isVisible(step) {
                for next in ways(behind: step) { sum |= next.between }
            }
        }
        return texts(sum)
    }

    private func texts(_ bits: Bits) -> Set<String> {
        Set(names.names.indices.filter { bits[$0 >> 6] & 1 << UInt64($0 & 63) != 0 }.map { names.names[$0] })
    }

    private mutating func ways(behind step: Int) -> [(step: Int, between: Bits)] {
        if let ways = known[step] { return ways }
        let ways = ways(from: machine.followers(ofStep: step))
        known[step] = ways
        return ways
    }

    private func ways(from first: [Int]) -> [(step: Int, between: Bits)] {
        var before: [Int: Bits] = [:]
        var open = first
        for step in first { before[step] = Bits() }
        while let step = open.popLast() {
            guard var bits = before[step], !isVisible(step) else { continue }
            let number = names.numbers[step]
            if number >= 0 { bits[number >> 6] |= 1 << UInt64(number & 63) }
            for next in machine.followers(ofStep: step) {
                let common = before[next].map { $0 & bits } ?? bits
                if before[next] != common {
                    before[next] = common
                    open.append(next)
                }
            }
        }
        return before.filter { isVisible($0.key) }.map { (step: $0.key, between: $0.value) }
    }
}
