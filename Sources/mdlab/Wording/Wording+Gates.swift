// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Steering

extension GateError: Worded {
    var exitCode: Int32 {
        switch self {
        case .unknownFunction, .badGate, .refused, .alreadyArmed, .tooManyGates, .unknownGate, .atomicContext:
            Exit.usage
        case .notInstrumented, .neverArrived, .gone, .unreadable: Exit.untestable
        }
    }

    var line: String {
        switch self {
        case .notInstrumented(let node):
            "\(node) has no gates: its md modules must be built with --instrument and be loaded first."
        case .unknownFunction(let name, let node):
            "no instrumented module of \(node) has a function \(name): look for its name in the kernel's drivers/md."
        case .badGate(let gate, let fault): "gate \(Self.quoted(gate.id)): \(Self.text(fault))"
        case .refused(let line, let node):
            "\(node)'s gate module refused \(Self.quoted(line)): build with this mdlab again."
        case .alreadyArmed(let id, let node):
            "gate \(Self.quoted(id)) of \(node) is armed or holds a thread: release it first, or give the new one another name."
        case .tooManyGates(let node): "\(node) has no room for another gate: disarm those that are spent."
        case .unknownGate(let id, let node): "\(node) has no gate \(Self.quoted(id)): arm it first."
        case .atomicContext(let state, let node):
            "gate \(Self.quoted(state.id)): \(node) \(state.thread ?? "a thread") came to the \(Self.place(state)) where it must "
                + "not sleep, and was not held: choose one of its callers."
        case .neverArrived(let state, let node, let seconds, let instead):
            "gate \(Self.quoted(state.id)): no \(state.comm) of \(node) came to the \(Self.place(state)) in "
                + "\(Int(seconds.rounded(.up))) s" + Self.instead(instead, of: state)
                + "; make it come there, or choose a function that it passes."
        case .gone(let state, let node):
            "gate \(Self.quoted(state.id)): \(node) \(state.thread ?? "nobody") is not held at the \(Self.place(state)) any more "
                + "(\(state.stage.rawValue) after \(state.held) ms): give the gate a longer limit."
        case .unreadable(let line):
            "the gate module says \(Self.quoted(line)), which this mdlab does not understand: build with this mdlab again."
        }
    }

    private static func quoted(_ text: String) -> String {
        "'" + text.prefix(80).filter { $0 >= " " || !$0.isASCII } + "'"
    }

    private static func place(_ state: GateState) -> String { "\(state.edge.rawValue) of \(state.function)" }

    /// ": md0_resync-142 was in dlm_lock_sync <- lock_comm", or that there is no such thread.
    private static func instead(_ places: [ThreadPlace], of state: GateState) -> String {
        guard !places.isEmpty else { return ": no such thread was there" }
        let shown = places.prefix(3).map { place in
            let functions = place.stack.prefix(4).map { String($0.prefix { $0 != "+" && $0 != " " }) }
            let passed = state.hits > 0 ? " after \(state.hits) hits" : ""
            return "\(place.comm)-\(place.pid) was "
                + (functions.isEmpty ? "running" : "in " + functions.joined(separator: " <- ")) + passed
        }
        return ": " + shown.joined(separator: ", ")
    }

    private static func text(_ fault: GateFault) -> String {
        switch fault {
        case .id(let id): "\(quoted(id)) is no name for a gate: give 1 to 31 letters without blanks."
        case .function(let name): "\(quoted(name)) is no name of a function: give one of the kernel's drivers/md."
        case .comm(let comm): "\(quoted(comm)) is no beginning of a thread's name: give one such as md0_resync, or *."
        case .limit(let limit): "it cannot hold for \(limit) ms: give 1 to \(Gate.longestLimit)."
        case .skip(let skip): "it cannot let \(skip) hits pass: give 0 or more."
        }
    }
}
