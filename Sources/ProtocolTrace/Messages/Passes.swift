// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace

/// A place in a node's trace.
package struct Mark: Sendable, Equatable {
    package var index: Int
    /// Nanoseconds of the node's trace clock.
    package var time: UInt64
}

/// One `__sendmsg`, from the conversion of `ack` to EX on.
package struct Send: Sendable, Equatable {
    package var node: NodeID
    package var comm: String
    /// nil when the trace has no kprobe on `__sendmsg`.
    package var type: MessageType?
    /// `ack` EX asked for: the moment from which the others are told.
    package var asked: Mark
    /// `ack` EX granted: everybody has let go of theirs.
    package var granted: Mark?
}

/// One run of `md_reload_sb`.
package struct Reload: Sendable, Equatable {
    package var pid: Int
    package var comm: String
    package var called: Mark
    /// nil when the trace has no kretprobe, or ended first.
    package var returned: Mark?
}

/// One pass of `recv_daemon`, from the conversion of `message` to CR on.
package struct Receive: Sendable, Equatable {
    package var node: NodeID
    package var comm: String
    /// The bast on `ack` that woke the thread.
    package var bast: Mark?
    package var begun: Mark
    /// `ack` NL asked for by the pass.
    package var released: Mark?
    /// `message` NL asked for: the end of the pass.
    package var ended: Mark?
    /// The pass converted `no-new-dev` to CR, which only `process_metadata_update` does.
    package var isMetadataUpdate: Bool
    /// Runs of md_reload_sb by the receive thread between `begun` and `released`.
    package var reloads: [Reload]
    /// Whether mddev_unlock was called by the thread after md_reload_sb; nil when the trace never shows mddev_unlock.
    package var unlocked: Bool?
    /// Events were lost inside the pass.
    package var hasGap: Bool
}

/// What one node did that concerns messages, in its own order.
package struct NodePasses: Sendable, Equatable {
    package enum Item: Sendable, Equatable {
        /// The first `ack` CR was granted in join().
        case join(Mark)
        /// `ack` is unlocked by leave().
        case leave(Mark)
        case send(Send)
        case receive(Receive)

        package var mark: Mark {
            switch self {
            case .join(let mark), .leave(let mark): mark
            case .send(let send): send.asked
            case .receive(let receive): receive.begun
            }
        }
    }

    package var node: NodeID
    package var items: [Item]
    /// The trace begins after join(): the node is a member from its first event on.
    package var startsJoined: Bool
    package var cut: String?
    /// nil also where the clock is too coarse to be compared with another node's.
    package var clockOffset: Double?
    package var clockTick: UInt64?
    /// Host seconds at which the node died, if it did.
    package var died: Double?
    /// Every run of md_reload_sb on the node, by whatever thread.
    package var reloads: [Reload]
    /// Locks of messages that a thread asked for of which the trace does not tell whether it is the receive thread.
    package var unattributed: [LockOperation]

    /// Host nanoseconds of an item, when the clock offset is known.
    package func hostTime(_ item: Item) -> Double? { hostTime(item.mark) }

    package func hostTime(_ mark: Mark) -> Double? { clockOffset.map { Double(mark.time) - $0 * 1e9 } }
}

extension NodePasses {
    package init(_ trace: NodeTrace, lockspace: UInt32) {
        let operations = trace.operations[lockspace] ?? []
        reloads = Self.reloads(in: trace.events)
        node = trace.node
        cut = trace.cut
        clockTick = trace.clockTick
        clockOffset = trace.clockTick == nil ? trace.clockOffset : nil
        died = trace.died
        startsJoined = !operations.isEmpty && !operations.contains { $0.kind == .create && $0.resource == .ack }
        unattributed = operations.filter { $0.resource.isOfMessages && $0.thread.isReceiveThread == nil }
        items = []
        var reader = PassReader(trace, lockspace: lockspace, reloads: reloads)
        for operation in operations {
            switch operation.thread.isReceiveThread {
            case true?: reader.receive(operation)
            case false?: reader.send(operation)
            case nil: continue
            }
        }
        reader.close()
        items = reader.items.sorted { $0.mark.index < $1.mark.index }
    }

    /// The kprobes when there are any, else the function tracer, which does not say when the function returned.
    package static func reloads(in events: [KernelEvent]) -> [Reload] {
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

/// Makes the items of one node out of its lock operations, in their order.
private struct PassReader {
    let trace: NodeTrace
    let reloads: [Reload]
    /// BASTs for EX on `ack`.
    private let basts: [Mark]
    private let showsUnlock: Bool
    private(set) var items: [NodePasses.Item] = []
    private var isJoining = false
    private var pass: (receive: Receive, pid: Int)?

    init(_ trace: NodeTrace, lockspace: UInt32, reloads: [Reload]) {
        self.trace = trace
        self.reloads = reloads
        basts = trace.events.compactMap { event in
            guard case .dlm(let dlm) = event.body, dlm.kind == .bast, dlm.lockspace == lockspace, dlm.resource == .ack,
                dlm.mode == .ex
            else { return nil }
            return Mark(index: event.index, time: event.time)
        }
        showsUnlock = trace.events.contains { $0.calls("mddev_unlock") }
    }

    /// recv_daemon() and what it calls.
    mutating func receive(_ operation: LockOperation) {
        let mark = Mark(index: operation.index, time: operation.time)
        switch operation.request {
        case .convert(.message, .cr):
            close()
            // The newest bast before the pass: one bast, one pass.
            let receive = Receive(
                node: trace.node, comm: operation.threadName, bast: basts.last { $0.index < mark.index }, begun: mark,
                isMetadataUpdate: false, reloads: [], unlocked: nil, hasGap: false)
            pass = (receive, operation.pid)
        case .convert(.noNewDev, .cr): pass?.receive.isMetadataUpdate = true
        case .convert(.ack, .nl): pass?.receive.released = mark
        case .convert(.message, .nl):
            pass?.receive.ended = mark
            close()
        default: break
        }
    }

    /// Everything else that concerns messages: join(), leave(), __sendmsg().
    mutating func send(_ operation: LockOperation) {
        switch operation.request {
        case .create(.ack): isJoining = true
        case .convert(.ack, .cr) where isJoining:
            isJoining = false
            if let answer = operation.answer, answer.status == 0 {
                items.append(.join(Mark(index: answer.index, time: answer.time)))
            }
        case .unlock(.ack): items.append(.leave(Mark(index: operation.index, time: operation.time)))
        case .convert(.ack, .ex): items.append(.send(Send(operation, in: trace.events)))
        default: break
        }
    }

    mutating func close() {
        guard let (receive, pid) = pass else { return }
        var done = receive
        done.finish(with: reloads, in: trace, pid: pid, showsUnlock: showsUnlock)
        items.append(.receive(done))
        pass = nil
    }
}

extension Send {
    init(_ operation: LockOperation, in events: [KernelEvent]) {
        node = operation.node
        comm = operation.threadName
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
