// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace

/// What happens to an array's devices, in the order of a run of the model: each is one event of a trace, or what such
/// an event means for another node.
enum ArrayAction: Equatable {
    /// md_run joins: the superblocks were read at some time before.
    case join(node: Int)
    case leave(node: Int)
    /// md_update_sb has written the superblocks, and says so.
    case written(node: Int)
    /// md_update_sb finds that nothing is to be written.
    case unchanged(node: Int)
    case reload(node: Int)
    /// A receiver looks at a message about a device, and gives ack up for it.
    case received(node: Int, MessageType, device: Int)
    case acknowledged(node: Int)
    /// md-cluster.c's function for an operation has returned 0.
    /// - Parameter byMdadm: by an ioctl of mdadm's, not a write to sysfs.
    case told(node: Int, MessageType, device: Int, byMdadm: Bool)
    /// A new disk is confirmed.
    case confirmed(node: Int, device: Int)
    /// raid1d's md_check_recovery got reconfig_mutex.
    case pass(node: Int)
    /// ... and has come to md_update_sb.
    case passUpdates(node: Int)
    /// - Parameter takesRoles: no sync runs on the node, and none begins later, so that what was flagged before the
    ///   pass was looked at in it.
    case passEnds(node: Int, takesRoles: Bool)
    /// raid1d looked whether something is flagged, and nothing was, or somebody held reconfig_mutex.
    case idlePass(node: Int)
    /// After that, something other than a REMOVE happened that may have flagged something.
    case stirred(node: Int)
    /// After that, a process or the resync thread was inside md.
    case entered(node: Int)

    var device: Int? {
        switch self {
        case .received(_, _, let device), .told(_, _, let device, _), .confirmed(_, let device): device
        default: nil
        }
    }
}

/// Reads them from the events of all nodes in an order that the model allows.
struct ArrayActions {
    private(set) var actions: [ArrayAction] = []
    /// Nodes that were asked to look at another one's bitmap.
    private(set) var recovered: Set<Int> = []
    private struct Message {
        var type: MessageType
        var device: Int
        var sender: Int
    }
    private var message: Message?
    private var sent: [Int: Message] = [:]
    private var isReading: Set<Int> = []
    private var confirming: Set<Int> = []
    private var inPass: Set<Int> = []
    private var isIdle: Set<Int> = []
    private var isCalm: Set<Int> = []
    /// By node: where its resync thread, or raid1d for it, is seen last.
    private var lastSync: [Int: Int] = [:]
    private var now = 0

    /// - Parameter order: node and event, as the run has them.
    init(_ order: [(node: Int, event: KernelEvent)]) {
        let locked = Self.lockedPasses(order)
        lastSync = Self.lastSync(order)
        for (place, (node, event)) in order.enumerated() {
            now = place
            if ![.raidDaemon, .recvDaemon].contains(event.role), !event.isAnswer {
                stir(node)
                if isCalm.remove(node) != nil { actions.append(.entered(node: node)) }
            }
            switch event.body {
            case .entry(let function, let values): entry(function, values, node, event)
            case .function("md_check_recovery", _) where event.role == .raidDaemon:
                if locked.contains(place) {
                    actions.append(.pass(node: node))
                    inPass.insert(node)
                    isIdle.remove(node)
                } else {
                    actions.append(.idlePass(node: node))
                    isIdle.insert(node)
                    isCalm.insert(node)
                }
            case .function(let name, _): entry(name, [:], node, event)
            case .exit(let function, let value): exit(function, value ?? 0, node, event)
            case .dlm(let dlm): lock(dlm, node, event)
            default: continue
            }
        }
    }

    private mutating func stir(_ node: Int) {
        if isIdle.remove(node) != nil { actions.append(.stirred(node: node)) }
    }

    /// raid1d's calls of md_check_recovery that its own mddev_unlock ends.
    private static func lockedPasses(_ order: [(node: Int, event: KernelEvent)]) -> Set<Int> {
        var open: [Int: Int] = [:]
        var locked: Set<Int> = []
        for (place, (node, event)) in order.enumerated() where event.role == .raidDaemon {
            if event.isCall("md_check_recovery") { open[node] = place }
            if event.isCall("mddev_unlock"), let begun = open.removeValue(forKey: node) { locked.insert(begun) }
        }
        return locked
    }

    private static func lastSync(_ order: [(node: Int, event: KernelEvent)]) -> [Int: Int] {
        var last: [Int: Int] = [:]
        for (place, (node, event)) in order.enumerated() where event.role == .resync || event.isCall("resync_finish") {
            last[node] = place
        }
        return last
    }

    private mutating func entry(_ function: String, _ values: [String: Int64], _ node: Int, _ event: KernelEvent) {
        switch function {
        case "join": actions.append(.join(node: node))
        case "leave": actions.append(.leave(node: node))
        case "metadata_update_start":
            if event.role == .raidDaemon, inPass.contains(node) { actions.append(.passUpdates(node: node)) }
        case "metadata_update_finish": actions.append(.written(node: node))
        case "metadata_update_cancel": actions.append(.unchanged(node: node))
        case "md_reload_sb":
            stir(node)
            actions.append(.reload(node: node))
        case "__sendmsg":
            guard let type = values["type"] else { return }
            let next = Message(
                type: MessageType(rawValue: UInt32(truncatingIfNeeded: type)), device: Int(values["raid_slot"] ?? -1),
                sender: node)
            message = next
            sent[node] = next
        case "new_disk_ack":
            if values["ack"] != 0, let message, message.type == .newDisk {
                actions.append(.confirmed(node: node, device: message.device))
            }
        case "mddev_unlock":
            if event.role == .raidDaemon, inPass.remove(node) != nil {
                actions.append(.passEnds(node: node, takesRoles: now > lastSync[node] ?? -1))
            }
        default: return
        }
    }

    private mutating func exit(_ function: String, _ value: Int64, _ node: Int, _ event: KernelEvent) {
        guard Int32(truncatingIfNeeded: value) == 0, let message = sent[node] else { return }
        switch (function, message.type) {
        case ("remove_disk", .remove), ("gather_bitmaps", .reAdd), ("add_new_disk", .newDisk):
            actions.append(
                .told(node: node, message.type, device: message.device, byMdadm: event.comm.hasPrefix("mdadm")))
        default: return
        }
    }

    private mutating func lock(_ dlm: DLMEvent, _ node: Int, _ event: KernelEvent) {
        guard event.role == .recvDaemon || dlm.kind == .ast else { return }
        switch (dlm.kind, dlm.resource, dlm.mode) {
        case (.lockStart, .message, .cr?): isReading.insert(node)
        case (.ast, .message, _):
            guard isReading.remove(node) != nil, let message, message.sender != node else { return }
            if message.type == .bitmapNeedsSync { recovered.insert(node) }
            if message.type != .remove { stir(node) }
            actions.append(.received(node: node, message.type, device: message.device))
        case (.lockStart, .ack, .nl?), (.lockStart, .message, .nl?):
            actions.append(.acknowledged(node: node))
        default: return
        }
    }
}

extension KernelEvent {
    /// An AST or a BAST, which the DLM's worker delivers.
    fileprivate var isAnswer: Bool {
        if case .dlm(let dlm) = body { return dlm.kind == .ast || dlm.kind == .bast }
        return false
    }

    func isCall(_ function: String) -> Bool {
        switch body {
        case .entry(let name, _), .function(let name, _): name == function
        default: false
        }
    }
}
