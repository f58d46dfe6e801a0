// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import ProtocolTrace
import RunRecord

/// Check (b): every node's DLM conversions are words that md-cluster.c can say.
public struct WordCheck: Sendable {
    public static let name = "dlm-words"

    /// - Parameter traces: one per node. A pure function: the same traces give the same answer.
    public static func result(_ traces: [NodeTrace]) -> CheckResult {
        var violations: [Finding] = []
        var undecided: [Finding] = []
        var seen: [String] = []
        var joined = false
        for trace in traces {
            let lockspaces = trace.lockspaces
            if trace.events.isEmpty {
                undecided.append(Finding("there is no trace", node: trace.node.description))
            } else if lockspaces.isEmpty {
                seen.append("\(trace.node): no lock of a clustered array: it never joined")
            }
            joined = joined || !lockspaces.isEmpty
            for lockspace in lockspaces {
                let words = NodeWords(trace, lockspace: lockspace)
                violations += words.violations
                undecided += words.undecided
                seen += words.seen
            }
        }
        if !joined { undecided.append(Finding("no trace has a lock of a clustered array")) }
        let answer: CheckAnswer = !violations.isEmpty ? .fails : undecided.isEmpty ? .holds : .notDecided
        return CheckResult(name: name, answer: answer, findings: violations + undecided, seen: seen)
    }
}

/// The words of all roles of one node on one lockspace.
struct NodeWords {
    var violations: [Finding] = []
    var undecided: [Finding] = []
    var seen: [String] = []

    /// DLM gives the number of a freed lkb to the next one, so a number alone is no key.
    private struct BitmapLock: Hashable {
        var lock: UInt32
        var resource: LockResource
    }

    private let trace: NodeTrace
    private let fromStart: Bool
    private var sender: WordRun
    private var receiver: WordRun
    private var resync: WordRun
    private var bitmaps: [BitmapLock: WordRun] = [:]
    /// Operations of threads of which it is not known whether they are the receive thread.
    private var unattributed: [LockOperation] = []

    init(_ trace: NodeTrace, lockspace: UInt32) {
        let operations = trace.operations[lockspace] ?? []
        self.trace = trace
        fromStart = operations.contains { $0.request == .create(.token) }
        sender = WordRun(.sender, fromStart: fromStart)
        receiver = WordRun(.receiver, fromStart: fromStart)
        resync = WordRun(.resync, fromStart: fromStart)
        var losses = trace.losses[...]
        for operation in operations {
            if let loss = losses.first, loss < operation.index {
                losses = losses.drop { $0 < operation.index }
                forget()
            }
            take(operation)
        }
        noteLateCancels(operations)
        let runs = [sender, receiver, resync] + bitmaps.values
        violations += runs.flatMap(\.violations)
        judgeEnd(runs)
        noteUnattributed()
        let messages = operations.count { $0.thread.isReceiveThread == false && $0.request == .convert(.ack, .ex) }
        let passes = operations.count { $0.thread.isReceiveThread == true && $0.request == .convert(.message, .cr) }
        seen.append(
            "\(trace.node): \(count(operations.count, "lock operation")), \(count(messages, "message")) sent, "
                + "\(count(passes, "message")) received, \(count(trace.losses.count, "gap")) in the trace")
    }

    private mutating func forget() {
        sender.forget()
        receiver.forget()
        resync.forget()
        for lock in bitmaps.keys { bitmaps[lock]!.forget() }
    }

    private mutating func take(_ operation: LockOperation) {
        switch operation.resource {
        case .resync:
            resync.take(operation)
        case let resource where resource.isOfMessages:
            guard let isReceiveThread = operation.thread.isReceiveThread else {
                // It is a step of one of the two, and nobody knows of which: what comes next may be either's.
                unattributed.append(operation)
                sender.forget()
                receiver.forget()
                return
            }
            if operation.request == .convert(.noNewDev, .nl), !isReceiveThread {
                takeConfirmation(operation)
            } else if isReceiveThread {
                receiver.take(operation)
            } else {
                sender.take(operation)
            }
        case let resource where resource.bitmapSlot != nil:
            let begun = fromStart || operation.kind == .create
            let key = BitmapLock(lock: operation.lock, resource: resource)
            bitmaps[key, default: WordRun(.bitmap(resource), fromStart: begun)].take(operation)
        default:
            violations.append(
                finding("\(operation.threadName): md-cluster.c has no lock named \(operation.resource)", operation))
        }
    }

    /// new_disk_ack() is legal while the receive thread is in process_add_new_disk.
    private mutating func takeConfirmation(_ operation: LockOperation) {
        if receiver.states.contains(WordAutomaton.reading) { return }
        violations.append(
            finding("\(operation.threadName): no-new-dev NL while no NEWDISK is being handled", operation))
    }

    private func finding(_ text: String, _ operation: LockOperation) -> Finding {
        Finding(
            text, node: operation.node.description, time: Double(operation.time) / 1e9, details: [operation.line])
    }

    private mutating func noteUnattributed() {
        guard let first = unattributed.first else { return }
        let threads = Set(unattributed.map(\.pid)).sorted().map(String.init).joined(separator: ", ")
        undecided.append(
            Finding(
                "\(count(unattributed.count, "lock operation")) of \(threads), whose name and role the trace does not tell: "
                    + "which language they are of is not known", node: trace.node.description,
                time: Double(first.time) / 1e9, details: unattributed.prefix(20).map(\.line)))
    }

    /// After dlm_lock_sync_interruptible gave up, lockres_free asks for the unlock and waits on the same flag that the
    /// ast of the cancelled request sets. When that ast comes second, the memory is freed before the unlock's ast uses
    /// it. The words are those of md-cluster.c all the same, so it is told and not held against the run.
    private mutating func noteLateCancels(_ operations: [LockOperation]) {
        for unlock in operations where unlock.kind == .unlock {
            guard let cancel = operations.last(where: { $0.lock == unlock.lock && $0.index < unlock.index }),
                cancel.kind == .cancel,
                let answer = cancel.answer, answer.index > unlock.index
            else { continue }
            seen.append(
                "\(unlock.node) \(unlock.threadName): the ast of the cancelled \(unlock.resource) came after lockres_free had asked for the "
                    + "unlock, which takes it for its own and frees what the second ast will use")
        }
    }

    /// A trace that stops inside a word: legal when the run was cut there, a question when it was not.
    private mutating func judgeEnd(_ runs: [WordRun]) {
        for run in runs where !run.resting {
            guard let last = run.word.last else { continue }
            let answered = last.answer == nil ? "unanswered" : "answered"
            let text =
                "as \(run.automaton.role): the trace ends inside a word, after \(last.request) of \(last.threadName), \(answered)"
            if let cut = trace.cut {
                seen.append("\(trace.node), \(text) (\(cut))")
            } else {
                undecided.append(Finding(text, node: trace.node.description, details: run.word.map(\.line)))
            }
        }
    }
}
