// SPDX-License-Identifier: GPL-2.0
import ProcedureModel

/// A kind of event that a trace can show, and the step of the model that stands for it.
public enum TraceMark: Hashable, Sendable {
    /// A call of a function, and its return.
    case enter(String)
    case returned(String)
    /// DLM's tracepoints.
    case lockStart, lockEnd, ast, bast, unlockStart, unlockEnd
    /// The thread goes on without the answer to its lock request (WAIT_DLM_LOCK_TIMEOUT).
    case lockTimeout
    /// The node died.
    case death

    /// The procedure that stands for it in the model: a step is known by the innermost procedure of its place.
    var procedure: String {
        switch self {
        case .enter(let function): "enter \(function)"
        case .returned(let function): "return \(function)"
        case .lockStart: "dlm_lock_start"
        case .lockEnd: "dlm_lock_end"
        case .ast: "dlm_ast"
        case .bast: "dlm_bast"
        case .unlockStart: "dlm_unlock_start"
        case .unlockEnd: "dlm_unlock_end"
        case .lockTimeout: "dlm_lock_sync timeout"
        case .death: "node is gone"
        }
    }

    /// What is compared of it, in this order.
    var parameters: [String] {
        switch self {
        case .enter(let function): ObservedProgram.arguments[function] ?? []
        case .returned: ["value"]
        case .lockStart: ["res", "mode", "kind"]
        case .lockEnd, .unlockEnd, .ast: ["res", "status"]
        case .unlockStart: ["res", "kind"]
        case .bast, .lockTimeout: ["res"]
        case .death: []
        }
    }

    /// DLM's own, which every record shows.
    public var isOfDLM: Bool {
        switch self {
        case .lockStart, .lockEnd, .ast, .bast, .unlockStart, .unlockEnd, .lockTimeout: true
        case .enter, .returned, .death: false
        }
    }

    static let all: [TraceMark] = {
        let functions = ObservedProgram.arguments.keys.sorted()
        return functions.map { .enter($0) } + functions.map { .returned($0) }
            + [.lockStart, .ast, .bast, .unlockStart, .death, .lockEnd, .lockTimeout]
    }()

    private static let byProcedure = Dictionary(uniqueKeysWithValues: all.map { ($0.procedure, $0) })

    /// nil for a procedure that stands for no event.
    public init?(procedure: String) {
        guard let mark = Self.byProcedure[procedure] else { return nil }
        self = mark
    }
}

extension TraceMark: CustomStringConvertible {
    /// "enter lock_comm"
    public var description: String { procedure }
}

/// An event of a trace as the model has it, or a step of the model as a trace has it: what the comparison compares.
public struct TraceLabel: Hashable, Sendable {
    public var mark: TraceMark
    /// nil: the event does not have it, and any value fits.
    public var arguments: [Argument.Value?]

    public init(_ mark: TraceMark, _ arguments: [Argument.Value?] = []) {
        (self.mark, self.arguments) = (mark, arguments)
    }

    /// The label of a step; nil for a step that stands for no event.
    public init?(_ place: Place) {
        guard let frame = place.calls.first, let mark = TraceMark(procedure: frame.procedure) else { return nil }
        self.init(mark, frame.arguments.map(\.value))
    }

    /// Whether an event is what a step shows.
    public func fits(_ step: TraceLabel) -> Bool {
        mark == step.mark && arguments.count == step.arguments.count
            && zip(arguments, step.arguments).allSatisfy { $0 == nil || $0 == $1 }
    }

    /// The values of the arguments with their names, in words; "*" for one that the event does not have.
    public var namedArguments: [(name: String, value: String)] {
        let names = mark.parameters
        return arguments.enumerated().map { place, value in
            let name = place < names.count ? names[place] : "\(place)"
            return (name, value.map { Argument(name: name, value: $0).description } ?? "*")
        }
    }
}

extension TraceLabel: CustomStringConvertible {
    /// "dlm_lock_start(token, EX, -)"
    public var description: String { "\(mark)(\(namedArguments.map(\.value).joined(separator: ", ")))" }
}
