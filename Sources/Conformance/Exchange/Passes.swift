// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace

/// A place in a node's trace.
struct Mark: Sendable, Equatable {
    var index: Int
    /// Nanoseconds of the node's trace clock.
    var time: UInt64
}

/// One `__sendmsg`, from the conversion of `ack` to EX on.
struct Send: Sendable, Equatable {
    var node: NodeID
    var comm: String
    /// nil when the trace has no kprobe on `__sendmsg`.
    var type: MessageType?
    /// `ack` EX asked for: the moment from which the others are told.
    var asked: Mark
    /// `ack` EX granted: everybody has let go of theirs.
    var granted: Mark?
}

/// One run of `md_reload_sb`.
struct Reload: Sendable, Equatable {
    var pid: Int
    var comm: String
    var called: Mark
    /// nil when the trace has no kretprobe, or ended first.
    var returned: Mark?
}

/// One pass of `recv_daemon`, from the conversion of `message` to CR on.
struct Receive: Sendable, Equatable {
    var node: NodeID
    var comm: String
    /// The bast on `ack` that woke the thread.
    var bast: Mark?
    var begun: Mark
    /// `ack` NL asked for by the pass.
    var released: Mark?
    /// `message` NL asked for: the end of the pass.
    var ended: Mark?
    /// The pass converted `no-new-dev` to CR, which only `process_metadata_update` does.
    var isMetadataUpdate: Bool
    /// Runs of md_reload_sb by the receive thread between `begun` and `released`.
    var reloads: [Reload]
    /// Whether mddev_unlock was called by the thread after md_reload_sb; nil when the trace never shows mddev_unlock.
    var unlocked: Bool?
    /// Events were lost inside the pass.
    var hasGap: Bool
}

/// What one node did that concerns messages, in its own order.
struct NodePasses: Sendable, Equatable {
    enum Item: Sendable, Equatable {
        /// The first `ack` CR was granted in join().
        case join(Mark)
        /// `ack` is unlocked by leave().
        case leave(Mark)
        case send(Send)
        case receive(Receive)

        var mark: Mark {
            switch self {
            case .join(let mark), .leave(let mark): mark
            case .send(let send): send.asked
            case .receive(let receive): receive.begun
            }
        }
    }

    var node: NodeID
    var items: [Item]
    /// The trace begins after join(): the node is a member from its first event on.
    var startsJoined: Bool
    var cut: String?
    var clockOffset: Double?
    /// Host seconds at which the node died, if it did.
    var died: Double?
    /// Every run of md_reload_sb on the node, by whatever thread.
    var reloads: [Reload]

    /// Host nanoseconds of an item, when the clock offset is known.
    func hostTime(_ item: Item) -> Double? { hostTime(item.mark) }

    func hostTime(_ mark: Mark) -> Double? { clockOffset.map { Double(mark.time) - $0 * 1e9 } }
}

extension NodePasses {
    init(_ trace: NodeTrace, lockspace: UInt32) {
        let operations = LockOperation.all(in: trace.events, lockspace: lockspace)
        reloads = Self.reloads(in: trace.events)
        node = trace.node
        cut = trace.cut
        clockOffset = trace.clockOffset
        died = trace.died
        startsJoined = !operations.isEmpty && !operations.contains { $0.kind == .create && $0.resource == .ack }
        items = []

        let basts = trace.events.compactMap { event -> Mark? in
            guard case .dlm(let dlm) = event.body, dlm.kind == .bast, dlm.lockspace == lockspace, dlm.resource == .ack,
                dlm.mode == .ex
            else { return nil }
            return Mark(index: event.index, time: event.time)
        }
        let showsUnlock = trace.events.contains { $0.calls("mddev_unlock") }
        var joining = false
        var pass: Receive?
        var passPid = 0

        func close() {
            guard var done = pass else { return }
            done.finish(with: reloads, in: trace, pid: passPid, showsUnlock: showsUnlock)
            items.append(.receive(done))
            pass = nil
        }

        for operation in operations {
            let mark = Mark(index: operation.index, time: operation.time)
            if operation.role == .recvDaemon {
                switch operation.letter {
                case "message CR":
                    close()
                    // The newest bast before the pass: one bast, one pass.
                    let bast = basts.last { $0.index < mark.index }
                    passPid = operation.pid
                    pass = Receive(
                        node: node, comm: operation.comm, bast: bast, begun: mark, isMetadataUpdate: false, reloads: [],
                        unlocked: nil, hasGap: false)
                case "no-new-dev CR": pass?.isMetadataUpdate = true
                case "ack NL": pass?.released = mark
                case "message NL":
                    pass?.ended = mark
                    close()
                default: break
                }
            } else {
                switch operation.letter {
                case "ack NL (new)": joining = true
                case "ack CR" where joining:
                    joining = false
                    if let answer = operation.answer, answer.status == 0 {
                        items.append(.join(Mark(index: answer.index, time: answer.time)))
                    }
                case "ack unlock": items.append(.leave(mark))
                case "ack EX":
                    items.append(.send(Send(operation, in: trace.events)))
                default: break
                }
            }
        }
        close()
        items.sort { $0.mark.index < $1.mark.index }
    }

    /// The kprobes when there are any, else the function tracer, which does not say when the function returned.
    static func reloads(in events: [KernelEvent]) -> [Reload] {
        let name = "md_reload_sb"
        let probed = events.contains { if case .entry(name, _) = $0.body { true } else { false } }
        var reloads: [Reload] = []
        for event in events {
            let mark = Mark(index: event.index, time: event.time)
            switch event.body {
            case .entry(name, _) where probed, .function(name, _) where !probed:
                reloads.append(Reload(pid: event.pid, comm: event.comm, called: mark, returned: nil))
            case .exit(name, _):
                if let number = reloads.lastIndex(where: { $0.pid == event.pid && $0.returned == nil }) {
                    reloads[number].returned = mark
                }
            default:
                continue
            }
        }
        return reloads
    }
}

extension Send {
    init(_ operation: LockOperation, in events: [KernelEvent]) {
        node = operation.node
        comm = operation.comm
        asked = Mark(index: operation.index, time: operation.time)
        granted = operation.granted ? operation.answer.map { Mark(index: $0.index, time: $0.time) } : nil
        // The __sendmsg that this conversion belongs to: the last one that its thread entered before it.
        type = nil
        for event in events[..<operation.position(in: events)].reversed() where event.pid == operation.pid {
            if case .entry("__sendmsg", let arguments) = event.body {
                type = arguments["type"].map { MessageType(rawValue: UInt32(truncatingIfNeeded: $0)) }
                break
            }
            if case .dlm(let dlm) = event.body, dlm.kind == .lockStart, dlm.resource == .token { break }
        }
    }
}

extension LockOperation {
    /// The subscript of the operation's start event in its node's events.
    func position(in events: [KernelEvent]) -> Int {
        var low = 0
        var high = events.count
        while low < high {
            let middle = (low + high) / 2
            if events[middle].index < index { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension KernelEvent {
    /// Whether the event is a call of a function, seen by a kprobe or by the function tracer.
    func calls(_ function: String) -> Bool {
        switch body {
        case .entry(let name, _), .function(let name, _): name == function
        default: false
        }
    }
}

extension Receive {
    /// Adds what the trace shows of the pass beside its conversions.
    mutating func finish(with reloads: [Reload], in trace: NodeTrace, pid: Int, showsUnlock: Bool) {
        let end = released?.index ?? ended?.index ?? trace.events.last?.index ?? begun.index
        let range = begun.index...max(begun.index, end)
        self.reloads = reloads.filter { $0.pid == pid && range.contains($0.called.index) }
        hasGap = trace.hasLoss(in: range)
        guard showsUnlock, let last = self.reloads.last else { return }
        let after = last.returned?.index ?? last.called.index
        unlocked = trace.events.contains {
            $0.pid == pid && $0.index > after && $0.index < end && $0.calls("mddev_unlock")
        }
    }
}
