// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import ProtocolTrace

/// What one role does next with its locks: it asks for something, or NOQUEUE is refused.
enum LockLetter: Hashable, CustomStringConvertible {
    case asked(LockRequest)
    case refused(LockResource)

    /// "token EX", "ack NL (new)", "message unlock", "resync cancel", "no-new-dev refused", as the tables of this check
    /// have them; nil for anything else.
    init?(_ text: String) {
        let words = text.split(separator: " ").map(String.init)
        guard words.count >= 2 else { return nil }
        let resource = LockResource(rawValue: words[0])
        switch (words[1], words.count) {
        case ("unlock", 2): self = .asked(.unlock(resource))
        case ("cancel", 2): self = .asked(.cancel(resource))
        case ("refused", 2): self = .refused(resource)
        case ("NL", 3) where words[2] == "(new)": self = .asked(.create(resource))
        case (let mode, 2):
            guard let mode = LockMode(name: mode) else { return nil }
            self = .asked(.convert(resource, mode))
        default: return nil
        }
    }

    var description: String {
        switch self {
        case .asked(let request): request.description
        case .refused(let resource): "\(resource) refused"
        }
    }
}

/// The legal words of one role as a small automaton over letters like "token EX". A state is named by what has just
/// been asked for. Nondeterministic, so that a trace that begins in the middle starts in every state at once.
struct WordAutomaton: Sendable {
    typealias State = String

    let role: String
    /// Where a trace starts that saw the array being created or assembled.
    let start: State
    /// The states in which nothing is under way: a trace may end there.
    let rest: Set<State>
    private let steps: [State: [(letter: LockLetter, next: State)]]

    /// `lines` are "state: letter -> state | letter -> state".
    init(role: String, start: State, rest: Set<State>, _ lines: [String]) {
        self.role = role
        self.start = start
        self.rest = rest
        var steps: [State: [(letter: LockLetter, next: State)]] = [:]
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 1)
            precondition(parts.count == 2, "\(line): a line is STATE: LETTER -> STATE | ...")
            for arrow in parts[1].split(separator: "|") {
                let ends = arrow.split(separator: ">", maxSplits: 1)
                guard ends.count == 2, ends[0].hasSuffix("-"), let letter = LockLetter(Self.trim(ends[0].dropLast()))
                else { preconditionFailure("\(line): an arrow is LETTER -> STATE") }
                steps[Self.trim(parts[0]), default: []].append((letter, Self.trim(ends[1])))
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
    func after(_ letter: LockLetter, from states: Set<State>) -> Set<State> {
        Set(states.flatMap { state in (steps[state] ?? []).filter { $0.letter == letter }.map(\.next) })
    }

    /// The letters that would have been legal, for the message.
    func expected(in states: Set<State>) -> [String] {
        Set(states.flatMap { (steps[$0] ?? []).map(\.letter.description) }).sorted()
    }

    /// Whether the role ever asks for this letter.
    func knows(_ letter: LockLetter) -> Bool { steps.values.joined().contains { $0.letter == letter } }
}
