// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import RunRecord
import VirtualCluster

/// Why a run could not go on. It goes into the record as an event, so that the run can be judged again without the
/// runner.
public enum StepProblem: Error, Sendable, Equatable {
    /// A command ended with another status than the scenario says.
    case status(node: NodeID, command: String, status: Int32, output: String)
    /// A command did not end, or a condition did not come true, within its limit.
    case limit(what: String, seconds: Double, observed: [String])
    /// The watchdog found a wait that cannot end: what it is, then thread by thread.
    case hang([String])
    case nodeDied(NodeID, lastConsoleLines: [String])
    /// A schedule says that the kernel must do this, and it did something else.
    case required(String, instead: [String])
    /// The scenario asks for what cannot be: a step on a node that it has crashed, a program that a node does not have.
    case scenario(String)
    /// The lab failed, and the kernel had no part in it.
    case lab(String)
    case interrupted

    public var ending: RunDescription.Ending {
        switch self {
        case .status, .required: .finished
        case .limit, .hang: .hung
        case .nodeDied: .nodeDied
        case .scenario, .lab: .failed
        case .interrupted: .interrupted
        }
    }

    public var text: String {
        switch self {
        case .status(let node, let command, let status, let output):
            "\(node): \(command) ended with status \(status)" + (output.isEmpty ? "" : ": \(output)")
        case .limit(let what, let seconds, let observed):
            "not within \(Int(seconds.rounded())) s: \(what)"
                + (observed.isEmpty ? "" : " (\(observed.joined(separator: "; ")))")
        case .hang(let lines): "a wait that cannot end: \(lines.first ?? "")"
        case .nodeDied(let node, let lines): "\(node) died" + (lines.last.map { ": \($0)" } ?? "")
        case .required(let text, let instead):
            "the kernel must do this and did not: \(text)" + (instead.first.map { " (instead: \($0))" } ?? "")
        case .scenario(let text): text
        case .lab(let text): text
        case .interrupted: "interrupted"
        }
    }

    /// What the record keeps of the problem, beside its text and who is to blame.
    var facts: [String: String] {
        guard case .status(let node, let command, _, _) = self else { return [:] }
        // "mdadm --stop", not "for d in a b; do mdadm ...": only of a program that is called by itself is it known what
        // it asked.
        let words = command.split(separator: " ")
        guard words.first == "mdadm", !command.contains(where: { ";|&`$(".contains($0) }) else { return [:] }
        return ["program": "mdadm", "node": node.description]
    }

    /// The event kind and the fact "blame" under which the problem is recorded.
    var event: (kind: RunEvent.Kind, blame: Blame) {
        switch self {
        case .status, .required: (.note, .kernel)
        case .limit: (.timeout, .kernel)
        case .hang: (.hang, .kernel)
        case .nodeDied: (.nodeDied, .node)
        case .scenario: (.note, .scenario)
        case .lab: (.note, .lab)
        case .interrupted: (.interrupted, .user)
        }
    }

    /// Who is to blame, if nothing else is known.
    public enum Blame: String, Sendable {
        case kernel, node, scenario, lab, user
        /// A program of the nodes, which the kernel refused nothing.
        case program
        /// The program or the kernel.
        case undecided

        /// The word for a run that nothing else is said against.
        var word: VerdictWord {
            switch self {
            case .scenario: .error
            case .program: .userSpace
            case .kernel, .node, .lab, .user, .undecided: .miss
            }
        }
    }

    /// Turns what a cluster throws into a problem.
    package init(_ error: any Error, doing what: String) {
        switch error {
        case let problem as StepProblem: self = problem
        case is CancellationError: self = .interrupted
        case ClusterFailure.nodeDied(let node, let lines): self = .nodeDied(node, lastConsoleLines: lines)
        case ClusterFailure.commandTimedOut(let node, let argv, let seconds):
            self = .limit(what: "\(node): \(argv.joined(separator: " ")) ends", seconds: seconds, observed: [])
        case ClusterFailure.interrupted: self = .interrupted
        case ClusterFailure.refused(let node, let action, let reason):
            self = .scenario("\(node): \(action): \(reason)")
        default: self = .lab("\(what): \(error)")
        }
    }
}
