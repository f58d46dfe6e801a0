// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
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
            let lockspaces = LockOperation.arrayLockspaces(in: trace.events).sorted()
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

    init(_ trace: NodeTrace, lockspace: UInt32) {
        let operations = LockOperation.all(in: trace.events, lockspace: lockspace)
        let fromStart = operations.contains { $0.kind == .create && $0.resource == .token }
        var sender = WordRun(.sender, fromStart: fromStart)
        var receiver = WordRun(.receiver, fromStart: fromStart)
        var resync = WordRun(.resync, fromStart: fromStart)
        // DLM gives the number of a freed lkb to the next one, so a number alone is no key.
        struct BitmapLock: Hashable {
            var lock: UInt32
            var resource: LockResource
        }
        var bitmaps: [BitmapLock: WordRun] = [:]
        var strangers: [LockOperation] = []
        var losses = trace.losses[...]

        for operation in operations {
            if let loss = losses.first, loss < operation.index {
                losses = losses.drop { $0 < operation.index }
                sender.forget()
                receiver.forget()
                resync.forget()
                for lock in bitmaps.keys { bitmaps[lock]!.forget() }
            }
            switch operation.resource {
            case .resync:
                resync.take(operation)
            case .noNewDev where operation.role != .recvDaemon && operation.letter == "no-new-dev NL":
                // new_disk_ack() is legal while the receive thread is in process_add_new_disk.
                if !receiver.states.contains("reading") {
                    violations.append(
                        Finding(
                            "\(operation.comm): no-new-dev NL while no NEWDISK is being handled",
                            node: operation.node.description, time: Double(operation.time) / 1e9,
                            details: [operation.line]))
                }
            case .token, .message, .ack, .noNewDev:
                if operation.role == .recvDaemon { receiver.take(operation) } else { sender.take(operation) }
            case let resource where resource.bitmapSlot != nil:
                let begun = fromStart || operation.kind == .create
                let key = BitmapLock(lock: operation.lock, resource: resource)
                bitmaps[key, default: WordRun(.bitmap(resource), fromStart: begun)].take(operation)
            default:
                strangers.append(operation)
            }
        }
        violations += strangers.map {
            Finding(
                "\($0.comm): md-cluster.c has no lock named \($0.resource)", node: $0.node.description,
                time: Double($0.time) / 1e9, details: [$0.line])
        }
        noteLateCancels(operations)
        let runs = [sender, receiver, resync] + bitmaps.values
        violations += runs.flatMap(\.violations)
        judgeEnd(runs, of: trace)
        let messages = operations.count { $0.role != .recvDaemon && $0.letter == "ack EX" }
        let passes = operations.count { $0.role == .recvDaemon && $0.letter == "message CR" }
        seen.append(
            "\(trace.node): \(count(operations.count, "lock operation")), \(count(messages, "message")) sent, "
                + "\(count(passes, "message")) received, \(count(trace.losses.count, "gap")) in the trace")
    }

    /// After dlm_lock_sync_interruptible gave up, lockres_free asks for the unlock and waits on the same flag that the ast of the
    /// cancelled request sets. When that ast comes second, the memory is freed before the unlock's ast uses it. The words are those
    /// of md-cluster.c all the same, so it is told and not held against the run.
    private mutating func noteLateCancels(_ operations: [LockOperation]) {
        for unlock in operations where unlock.kind == .unlock {
            guard let cancel = operations.last(where: { $0.lock == unlock.lock && $0.index < unlock.index }),
                cancel.kind == .cancel,
                let answer = cancel.answer, answer.index > unlock.index
            else { continue }
            seen.append(
                "\(unlock.node) \(unlock.comm): the ast of the cancelled \(unlock.resource) came after lockres_free had asked for the "
                    + "unlock, which takes it for its own and frees what the second ast will use")
        }
    }

    /// A trace that stops inside a word: legal when the run was cut there, a question when it was not.
    private mutating func judgeEnd(_ runs: [WordRun], of trace: NodeTrace) {
        for run in runs where !run.resting {
            guard let last = run.word.last else { continue }
            let answered = last.answer == nil ? "unanswered" : "answered"
            let text =
                "as \(run.automaton.role): the trace ends inside a word, after \(last.letter) of \(last.comm), \(answered)"
            if let cut = trace.cut {
                seen.append("\(trace.node), \(text) (\(cut))")
            } else {
                undecided.append(Finding(text, node: trace.node.description, details: run.word.map(\.line)))
            }
        }
    }
}
