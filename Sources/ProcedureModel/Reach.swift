// SPDX-License-Identifier: GPL-2.0
import ModelChecker

extension Program {
    /// A statement that a mutant changes.
    public struct Site: Hashable, Sendable {
        public var procedure: String
        public var number: Int
        public init(procedure: String, number: Int) {
            self.procedure = procedure
            self.number = number
        }
    }

    /// The statements that are executed in some reachable state; of the conditions, those that are false in some.
    ///
    /// A step can execute many statements and a state has room for one mark, so the program is explored again as long
    /// as that shows marks behind those already seen: some five times.
    public func reachedSites(bounds: Bounds = Bounds()) throws(ProgramError) -> Set<Site> {
        var found: Set<Site> = []
        while true {
            var names: [String: Site] = [:]
            var marked = self
            marked.rules = []
            marked.mustComeToRest = false
            for index in procedures.indices {
                let procedure = procedures[index].name
                var count = 0
                marked.procedures[index].body = Self.marked(
                    procedures[index].body, &count,
                    isWanted: { !found.contains(Site(procedure: procedure, number: $0)) },
                    mark: { number in
                        let name = "\(procedure) #\(number)"
                        names[name] = Site(procedure: procedure, number: number)
                        return require(.constant(0), name)
                    })
            }
            let recorder = MarkRecorder(try Machine(marked, symmetry: true))
            _ = Search(recorder, bounds: bounds).run()
            let new = Set(recorder.marks.compactMap { names[$0] })
            if new.isEmpty { return found }
            found.formUnion(new)
        }
    }
}

/// A machine whose broken requirements are noted and forgiven. For a search with one worker.
private final class MarkRecorder: TransitionSystem, @unchecked Sendable {
    private let machine: Machine
    private var seen: [Bool]
    let stateWords: Int
    let stepCount: Int
    let canonicalize: (@Sendable (UnsafeMutablePointer<UInt64>) -> Void)?

    init(_ machine: Machine) {
        self.machine = machine
        seen = Array(repeating: false, count: machine.code.ruleNames.count + 1)
        stateWords = machine.stateWords
        stepCount = machine.stepCount
        canonicalize = machine.canonicalize
    }

    var marks: [String] { seen.indices.filter { seen[$0] }.map { machine.code.ruleNames[$0 - 1] } }

    func initialStates(into successors: inout Successors) { machine.initialStates(into: &successors) }

    func successors(of state: StateView, into successors: inout Successors) {
        machine.successors(of: state, into: &successors)
        for item in 0..<successors.count {
            let words = successors.words(item)
            let mark = machine.broken.read(words)
            if mark != 0 {
                seen[mark] = true
                machine.broken.write(words, 0)
            }
        }
    }

    /// Nothing that this search meets is a failure.
    func isFinal(_ state: StateView) -> Bool { true }
}
