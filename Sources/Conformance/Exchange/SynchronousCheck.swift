// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import ProtocolTrace
import RunRecord

/// Check (a): METADATA_UPDATED is handled before it is acknowledged, on every member.
///
/// Per receiver: md_reload_sb was called by the receive thread and has returned before the thread asks for `ack` NL.
/// Then, across nodes: the sender's grant of `ack` EX comes after that. DLM itself guarantees the second part, and no
/// clock is common to two nodes, so it is checked by what both clocks must agree on: the receiver cannot have been
/// handling longer (from its bast to its `ack` NL) than the sender waited (from asking for `ack` EX to the grant).
/// Clocks that tick in jiffies cannot agree on that: there the order on each node decides alone, as the result says.
public struct SynchronousCheck: Sendable {
    public static let name = "synchronous"

    /// How much longer the handling may look than the wait before it counts: two clocks, each slewed on its own.
    static let clockTolerance = 0.020

    public var result: CheckResult
    public var updates: [MetadataUpdate]

    /// - Parameters:
    ///   - traces: one per node.
    ///   - expected: how many METADATA_UPDATED with a receiver the scenario causes at least; fewer are "not decided".
    public init(_ traces: [NodeTrace], expected: Int) {
        var judged = Judged()
        var lockspaces: Set<UInt32> = []
        for trace in traces { lockspaces.formUnion(trace.lockspaces) }
        for lockspace in lockspaces.sorted() {
            let passes = traces.map { NodePasses($0, lockspace: lockspace) }
            judged.judge(MessageOrder(passes), passes)
        }
        if judged.heard < expected {
            judged.undecided.append(
                Finding(
                    "\(judged.heard) METADATA_UPDATED with a receiver in the traces, where the scenario causes at least \(expected)"
                ))
        }
        updates = judged.updates
        judged.coarse = traces.compactMap { trace in trace.clockTick.map { (trace.node, $0) } }
        let answer: CheckAnswer =
            !judged.violations.isEmpty ? .fails : judged.undecided.isEmpty ? .holds : .notDecided
        result = CheckResult(
            name: Self.name, answer: answer, findings: judged.violations + judged.undecided, seen: judged.seen)
    }
}

private struct Judged {
    var updates: [MetadataUpdate] = []
    var violations: [Finding] = []
    var undecided: [Finding] = []
    /// METADATA_UPDATED that somebody received.
    var heard = 0
    /// Nodes whose clocks tick in jiffies, with nanoseconds of a tick.
    var coarse: [(node: NodeID, tick: UInt64)] = []
    private var unheard = 0
    private var messages = 0

    var seen: [String] {
        func number(_ path: MetadataUpdate.Path) -> Int { updates.count { $0.path == path } }
        let slowest = updates.map(\.handling).max() ?? 0
        return [
            "\(count(heard + unheard, "METADATA_UPDATED", "METADATA_UPDATED")) of \(count(messages, "message")): "
                + "\(count(updates.count, "reception")), \(number(.trylock)) by trylock, "
                + "\(number(.holdingMutexForRecvd)) by HOLDING_MUTEX_FOR_RECVD, \(number(.none)) without md_reload_sb",
            "longest handling, from the bast to ack NL: \(milliseconds(slowest)); \(unheard) sent with nobody else in the array",
        ]
            + coarse.map { node, tick in
                "\(node): the trace clock ticks every \(milliseconds(Double(tick) / 1e9)): its times are not held against other "
                    + "nodes', the order of its events is"
            }
    }

    mutating func judge(_ order: MessageOrder, _ passes: [NodePasses]) {
        for node in passes {
            guard let first = node.unattributed.first else { continue }
            let text =
                "\(first.threadName) and \(count(node.unattributed.count, "lock operation")): the trace does not tell whether it "
                + "sends or receives"
            undecided.append(Finding(text, node: node.node.description, time: Double(first.time) / 1e9))
        }
        messages += order.exchanges.count
        for (place, exchange) in order.exchanges.enumerated() {
            judge(exchange, ambiguous: order.ambiguous.contains(place), passes)
        }
        for item in order.unplaced {
            switch item {
            case .receive(let receive) where receive.isMetadataUpdate:
                // What a receiver must do does not depend on who sent it.
                heard += 1
                judge(receive, of: nil, passes)
                undecided.append(
                    finding(
                        "a METADATA_UPDATED whose sender the traces do not tell", at: receive.begun, on: receive.node))
            case .send(let send) where send.type == nil || send.type == .metadataUpdated:
                undecided.append(
                    finding(
                        "\(Self.name(send)): the traces do not tell which receptions belong to it", at: send.asked,
                        on: send.node))
            default:
                break
            }
        }
    }

    private mutating func judge(_ exchange: Exchange, ambiguous: Bool, _ passes: [NodePasses]) {
        let isUpdate =
            exchange.send?.type.map { $0 == .metadataUpdated }
            ?? exchange.receives.values.contains(where: \.isMetadataUpdate)
        if !isUpdate {
            for receive in exchange.receives.values where receive.isMetadataUpdate && !ambiguous {
                undecided.append(
                    finding(
                        "a METADATA_UPDATED was received where \(exchange.send.map(Self.name) ?? "a lost message") belongs",
                        at: receive.begun, on: receive.node))
            }
            return
        }
        if exchange.receives.isEmpty && exchange.missing.isEmpty { unheard += 1 } else { heard += 1 }
        for (_, receive) in exchange.receives.sorted(by: { $0.key < $1.key }) {
            judge(receive, of: exchange.send, passes)
        }
        for (node, why) in exchange.missing.sorted(by: { $0.key < $1.key }) {
            let name = exchange.send.map(Self.name) ?? "a METADATA_UPDATED of a lost trace"
            undecided.append(Finding("\(name): no reception on \(node): \(why)", node: node.description))
        }
        // A sender that died was never told that all have reloaded, and nobody else waits for that.
        if let send = exchange.send, send.granted == nil, passes.first(where: { $0.node == send.node })?.died == nil {
            undecided.append(
                finding(
                    "\(Self.name(send)) was never acknowledged: ack EX is not granted", at: send.asked, on: send.node))
        }
        if ambiguous, let send = exchange.send {
            undecided.append(
                finding(
                    "\(Self.name(send)): without clocks the traces do not tell who was a member", at: send.asked,
                    on: send.node))
        }
    }

    private mutating func judge(_ receive: Receive, of send: Send?, _ passes: [NodePasses]) {
        let name = send.map(Self.name) ?? "METADATA_UPDATED"
        guard let released = receive.released else {
            if receive.ended != nil, send?.granted != nil {
                violations.append(
                    finding(
                        "\(name): \(receive.node) never let go of ack, and the sender was granted EX",
                        at: receive.begun, on: receive.node))
            } else {
                undecided.append(
                    finding("\(name): \(receive.node) has not let go of ack", at: receive.begun, on: receive.node))
            }
            return
        }
        let returned = receive.reloads.filter { $0.returned.map { $0.index < released.index } ?? true }
        let path: MetadataUpdate.Path =
            returned.isEmpty ? .none : receive.unlocked == true ? .trylock : .holdingMutexForRecvd
        let start = receive.bast ?? receive.begun
        let handling = Double(released.time &- start.time) / 1e9
        updates.append(
            MetadataUpdate(
                sender: send?.node.description ?? "", senderThread: send?.comm ?? "",
                receiver: receive.node.description, path: path,
                handling: handling,
                reload: returned.last.flatMap { reload in
                    reload.returned.map { Double($0.time &- reload.called.time) / 1e9 }
                }, time: Double(start.time) / 1e9))
        if receive.hasGap {
            undecided.append(
                finding("\(name): events were lost while \(receive.node) handled it", at: start, on: receive.node))
        } else if returned.isEmpty {
            violations.append(late(receive, released, name, passes))
        } else if returned.count > 1 {
            violations.append(
                finding(
                    "\(name): \(receive.node) called md_reload_sb \(returned.count) times", at: start, on: receive.node)
            )
        } else if receive.unlocked == nil {
            undecided.append(
                finding(
                    "\(name): the trace of \(receive.node) never shows mddev_unlock, so the path is not known",
                    at: start,
                    on: receive.node))
        }
        if let send, let granted = send.granted, Self.areComparable(passes, send.node, receive.node) {
            let wait = Double(granted.time &- send.asked.time) / 1e9
            if handling > wait + SynchronousCheck.clockTolerance {
                violations.append(
                    finding(
                        "\(name): granted after \(milliseconds(wait)), but \(receive.node) handled it for \(milliseconds(handling)) "
                            + "before it let go of ack (beyond what two clocks may differ)", at: start, on: receive.node
                    ))
            }
        }
    }

    private static func areComparable(_ passes: [NodePasses], _ one: NodeID, _ other: NodeID) -> Bool {
        passes.allSatisfy { ($0.node != one && $0.node != other) || $0.clockTick == nil }
    }

    /// The finding for an ack without md_reload_sb, with what ran it afterwards.
    private func late(_ receive: Receive, _ released: Mark, _ name: String, _ passes: [NodePasses]) -> Finding {
        let text = "\(name): \(receive.node) let go of ack before md_reload_sb had returned"
        let own = passes.first { $0.node == receive.node }
        let next = own?.items.first { item in
            if case .receive(let other) = item {
                other.isMetadataUpdate && other.begun.index > released.index
            } else {
                false
            }
        }
        let reload = own?.reloads.first {
            ($0.returned?.index ?? $0.called.index) > released.index && $0.called.index < next?.mark.index ?? .max
        }
        let detail =
            reload.map {
                "md_reload_sb was called by \($0.comm) \(milliseconds(Double($0.called.time) / 1e9 - Double(released.time) / 1e9)) "
                    + "after ack NL: the update is handled in the background"
            } ?? "md_reload_sb was not called for it at all"
        return Finding(text, node: receive.node.description, time: Double(released.time) / 1e9, details: [detail])
    }

    private static func name(_ send: Send) -> String {
        "\(send.type ?? .metadataUpdated) of \(send.node) \(send.comm)"
    }

    private func finding(_ text: String, at mark: Mark, on node: NodeID) -> Finding {
        Finding(text, node: node.description, time: Double(mark.time) / 1e9)
    }
}
