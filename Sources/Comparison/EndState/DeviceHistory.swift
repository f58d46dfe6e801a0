// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol

/// Everything that one device can be on all nodes and in the superblocks, after a run of the model: md.c's own rules,
/// with whatever leaves no trace (a device fails, a spare is taken into a slot, a recovery ends) left open.
///
/// Nothing is guessed: the set has every state that some such choice leads to. A change that a node made by itself has
/// to be written and announced, so choices are made where md_update_sb runs.
struct DeviceHistory {
    let device: Int
    let nodes: Int
    let rules: Rules
    private(set) var states: Set<DeviceState> = []

    /// What a variant does differently.
    struct Rules {
        /// md_check_recovery's look at ClusterRemove may leave it set while the device is in its slot (948b1fe12005).
        var keepsRemoval: Bool
        /// HOT_REMOVE_DISK does not wait for MD_RECOVERY_NEEDED, so a failure may be removed before it was announced.
        var removesAtOnce: Bool

        init(variant: String) {
            keepsRemoval = variant == "v6.11"
            removesAtOnce = variant == "v6.11" || variant == "remove-eaten"
        }
    }

    private var isMember: [Bool]
    /// What the receiving thread of a node is at: REMOVE or RE_ADD of this device.
    private var handling: [MessageType?]
    private var inPass: [Bool]
    /// raid1d found nothing flagged, and nothing but a REMOVE has happened since.
    private var isQuiet: [Bool]
    /// ... and no process and no resync thread was inside md since: no device can have failed.
    private var isCalm: [Bool]

    init(device: Int, nodes: Int, rules: Rules) {
        (self.device, self.nodes, self.rules) = (device, nodes, rules)
        isMember = Array(repeating: false, count: nodes)
        inPass = isMember
        isQuiet = isMember
        isCalm = isMember
        handling = Array(repeating: nil, count: nodes)
        // What the superblocks said before the first node came is not known.
        for disk in DiskRole.allCases {
            var state = DeviceState()
            state.disk = disk
            states.insert(state)
        }
        for node in 0..<nodes { change { Self.read($0, node) } }
    }

    mutating func take(_ action: ArrayAction) {
        if let about = action.device, about != device {
            if case .received(let node, _, _) = action { isQuiet[node] = false }
            return
        }
        switch action {
        case .join(let node): isMember[node] = true
        case .leave(let node): leave(node)
        case .written(let node): written(node)
        case .unchanged(let node): local(node)
        case .reload(let node):
            guard isMember[node] else { return }
            change { Self.reload($0, node) }
        case .received(let node, let type, _):
            guard isMember[node], type == .remove || type == .reAdd else { return }
            handling[node] = type
            handle(node)
        case .acknowledged(let node): acknowledged(node)
        case .told(let node, let type, _, let byMdadm): told(node, type, byMdadm: byMdadm)
        case .confirmed(let node, _):
            change { state in
                guard state[node] == .absent else { return [state] }
                var bound = state
                bound[node] = .candidate
                return [state, bound]
            }
        case .idlePass(let node):
            isQuiet[node] = true
            isCalm[node] = true
        case .stirred(let node): isQuiet[node] = false
        case .entered(let node): isCalm[node] = false
        case .pass(let node): pass(node)
        case .passUpdates(let node): look(node, must: true)
        case .passEnds(let node, let takesRoles):
            look(node, must: true)
            inPass[node] = false
            change { Self.pass($0, node, takesRoles: takesRoles) }
        }
    }

    private mutating func leave(_ node: Int) {
        isMember[node] = false
        handling[node] = nil
        inPass[node] = false
        change { state in
            var state = state
            for flag in [DeviceState.Flag.old, .remove, .handled, .looked, .forgotten] { state[node, flag] = false }
            return Self.read(state, node)
        }
    }

    private mutating func written(_ node: Int) {
        local(node)
        change { state in
            var state = state
            state.disk = DiskRole(writtenOf: state[node])
            return [state]
        }
        // mdadm may have read the superblocks of a node that is not there yet before this, or after it.
        for other in 0..<nodes where !isMember[other] { change { [$0] + Self.read($0, other) } }
    }

    private mutating func acknowledged(_ node: Int) {
        guard handling[node] != nil else { return }
        handle(node)
        handling[node] = nil
        let all = states
        states = Set(
            all.compactMap { state in
                guard state[node, .handled] else { return nil }
                var state = state
                state[node, .handled] = false
                return state
            })
    }

    /// md_check_recovery got past its first look.
    private mutating func pass(_ node: Int) {
        // It was woken, and got further, because something was flagged: what else than the removal?
        if isQuiet[node], handling[node] == .remove {
            handle(node)
            states = states.filter { $0[node, .handled] }
        }
        isQuiet[node] = false
        inPass[node] = true
        change { state in
            var state = state
            state[node, .old] = state[node] == .faulty
            return [state]
        }
        look(node, must: false)
    }

    /// States in which nothing is left to be done: a removal that was noted is looked at, unless it was forgotten; a
    /// faulty device is out of its slot, and what is in a slot is recovered.
    var atRest: Set<DeviceState> {
        states.filter { state in
            (0..<nodes).allSatisfy { node in
                !isMember[node]
                    || (!state[node, .remove] || state[node, .forgotten]) && state[node] != .faulty
                        && state[node] != .rebuilding
            }
        }
    }

    private mutating func change(_ next: (DeviceState) -> [DeviceState]) {
        states = Set(states.flatMap(next))
    }

    // MARK: What a node does by itself

    /// mdadm reads the superblocks and gives the kernel the devices that they name.
    private static func read(_ state: DeviceState, _ node: Int) -> [DeviceState] {
        let roles: [DeviceRole] =
            switch state.disk {
            case .slot: [.inSync]
            case .recovering: [.rebuilding]
            case .spare: [.spare, .absent]
            case .faulty: [.absent]
            }
        return roles.map { role in
            var state = state
            state[node] = role
            return state
        }
    }

    /// What a member can become by something that md_update_sb announces afterwards.
    private static let changes: [DeviceRole: [DeviceRole]] = [
        .inSync: [.faulty, .faultyOut], .rebuilding: [.inSync, .spare, .faulty, .faultyOut],
        .spare: [.rebuilding, .inSync, .faultyOut, .faulty], .candidate: [.spare], .faulty: [.faultyOut],
    ]

    private mutating func local(_ node: Int) {
        let mayFail = !isCalm[node]
        change { state in
            [state]
                + (Self.changes[state[node]] ?? []).filter { mayFail || !$0.isFaulty || state[node].isFaulty }
                .map { role in
                    var state = state
                    state[node] = role
                    return state
                }
        }
    }

    /// remove_and_add_spares at the end of a pass: takes the role of a faulty device away.
    private static func pass(_ state: DeviceState, _ node: Int, takesRoles: Bool) -> [DeviceState] {
        var next = state
        next[node, .looked] = false
        next[node, .old] = false
        guard state[node] == .faulty else { return [next] }
        var out = next
        out[node] = .faultyOut
        return takesRoles && state[node, .old] ? [out] : [next, out]
    }

    // MARK: What other nodes tell

    /// check_sb_changes and read_rdev.
    private static func reload(_ state: DeviceState, _ node: Int) -> [DeviceState] {
        func become(_ roles: DeviceRole...) -> [DeviceState] {
            roles.map { role in
                var state = state
                state[node] = role
                return state
            }
        }
        switch (state[node], state.disk) {
        case (.absent, _), (.faulty, _), (.faultyOut, _): return [state]
        case (.candidate, .faulty): return become(.absent)
        case (_, .faulty): return become(.faulty)
        case (.candidate, .spare): return become(.spare)
        case (.candidate, .slot), (.spare, .slot), (.candidate, .recovering), (.spare, .recovering):
            return become(.rebuilding, .inSync, .spare)
        // The end of a recovery is written before the device is In_sync.
        case (.rebuilding, .slot), (.rebuilding, .recovering): return become(.rebuilding, .inSync)
        case (.spare, .spare), (.rebuilding, .spare), (.inSync, _): return [state]
        }
    }

    /// process_remove_disk and process_readd_disk, at any time from the message's receipt to its acknowledgement.
    private mutating func handle(_ node: Int) {
        guard let type = handling[node] else { return }
        let isBehindLook = inPass[node]
        change { state in
            guard !state[node, .handled] else { return [state] }
            var done = state
            done[node, .handled] = true
            if type == .remove, state[node] != .absent {
                done[node, .remove] = true
                done[node, .forgotten] = isBehindLook && state[node, .looked]
            } else if type == .reAdd, state[node].isFaulty {
                done[node] = state[node] == .faultyOut ? .spare : .rebuilding
            }
            return [state, done]
        }
    }

    private mutating func told(_ node: Int, _ type: MessageType, byMdadm: Bool) {
        let waits = byMdadm && !rules.removesAtOnce
        change { state in
            var done = state
            switch type {
            case .remove:
                // The caller had found it.
                if state[node] == .absent { return [] }
                // MD_RECOVERY_NEEDED is cleared by the pass that writes and announces the failure.
                if waits, state[node] == .inSync || state[node] == .rebuilding || state.disk.shown == .slot {
                    return []
                }
                done[node] = .absent
            case .reAdd where state[node].isFaulty: done[node] = .spare
            case .newDisk where state[node] == .absent:
                done[node] = .spare
                // Something else of ADD_NEW_DISK may still fail.
                return [state, done]
            default: break
            }
            return [done]
        }
    }

    /// md_check_recovery's look at ClusterRemove.
    private mutating func look(_ node: Int, must: Bool) {
        guard inPass[node] else { return }
        if handling[node] != nil { handle(node) }
        let keeps = rules.keepsRemoval
        change { state in
            guard !state[node, .looked] else { return [state] }
            var done = state
            done[node, .looked] = true
            if state[node, .remove] {
                let isOut = [.faultyOut, .spare, .candidate].contains(state[node])
                if isOut { done[node] = .absent }
                done[node, .remove] = false
                done[node, .forgotten] = false
                if !isOut, keeps {
                    var kept = done
                    kept[node, .remove] = true
                    return must ? [done, kept] : [state, done, kept]
                }
            }
            return must ? [done] : [state, done]
        }
        if handling[node] != nil { handle(node) }
    }
}
