// SPDX-License-Identifier: GPL-2.0

/// The legal words of one role as a small automaton over letters like "token EX". A state is named by what has just been
/// asked for. Nondeterministic, so that a trace that begins in the middle starts in every state at once.
struct WordAutomaton: Sendable {
    typealias State = String

    let role: String
    /// Where a trace starts that saw the array being created or assembled.
    let start: State
    /// The states in which nothing is under way: a trace may end there.
    let rest: Set<State>
    private let steps: [State: [(letter: String, next: State)]]

    /// `lines` are "state: letter -> state | letter -> state".
    init(role: String, start: State, rest: Set<State>, _ lines: [String]) {
        self.role = role
        self.start = start
        self.rest = rest
        var steps: [State: [(letter: String, next: State)]] = [:]
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 1)
            precondition(parts.count == 2, "\(line): a line is STATE: LETTER -> STATE | ...")
            for arrow in parts[1].split(separator: "|") {
                let ends = arrow.split(separator: ">", maxSplits: 1)
                precondition(ends.count == 2 && ends[0].hasSuffix("-"), "\(line): an arrow is LETTER -> STATE")
                steps[Self.trim(parts[0]), default: []].append((Self.trim(ends[0].dropLast()), Self.trim(ends[1])))
            }
        }
        self.steps = steps
    }

    private static func trim(_ text: Substring) -> String {
        var text = text
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }

    var states: Set<State> {
        Set(steps.keys).union(steps.values.joined().map(\.next)).union(rest).union([start])
    }

    /// The states reached from any of `states` by a letter; empty when the letter is not legal in any of them.
    func after(_ letter: String, from states: Set<State>) -> Set<State> {
        Set(states.flatMap { state in (steps[state] ?? []).filter { $0.letter == letter }.map(\.next) })
    }

    /// The letters that would have been legal, for the message.
    func expected(in states: Set<State>) -> [String] {
        Array(Set(states.flatMap { (steps[$0] ?? []).map(\.letter) })).sorted()
    }

    /// Whether the role ever asks for this letter.
    func knows(_ letter: String) -> Bool { steps.values.joined().contains { $0.letter == letter } }
}
