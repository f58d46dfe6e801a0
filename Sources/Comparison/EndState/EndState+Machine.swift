// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace

extension EndState {
    /// Locks, mutexes, bits and membership: of all states that the run's end leads to, the one with the fewest
    /// differences.
    mutating func compareMachine(_ run: ModelRun, _ observed: ObservedState, _ actions: ArrayActions) {
        let ends = ModelState.ends(from: run.end, machine: run.machine, alphabet: run.alphabet)
        let tried = ends.map { end -> EndState in
            var result = self
            for (number, node) in observed.nodes.enumerated() {
                result.compare(
                    end.nodes[number], node, mayHaveRecovered: actions.recovered.contains(number))
            }
            return result
        }
        guard let best = tried.min(by: { $0.differences.count < $1.differences.count }) else { return }
        self = best
    }

    private mutating func compare(_ model: ModelState.Node, _ node: ObservedState.Node, mayHaveRecovered: Bool) {
        let id = node.snapshot.node
        let name = node.view?.name ?? "mdX"
        count(.membership)
        if (node.view != nil) != model.isMember {
            differ(
                .membership, id, "/sys/block/\(name)/md/array_state", observed: node.view?.arrayState ?? "no array",
                model: model.isMember ? "the node has joined" : "the node has left, or never joined")
            return
        }
        if let locks = node.locks {
            for (resource, lock) in model.locks.sorted(by: { $0.key < $1.key }) {
                count(.locks)
                let own = locks.first { $0.resource.rawValue == resource }
                let seen = own.map { Self.text($0.granted, $0.status == .granted ? .none : $0.requested) }
                let expected = Self.text(lock.granted, lock.requested)
                // A lock that is not there counts as NL.
                if seen ?? Self.text(.nl, .none) != expected {
                    differ(
                        .locks, id, "/sys/kernel/debug/dlm/\(node.view?.uuid ?? "UUID")_locks, \(resource)",
                        observed: seen ?? "no lock", model: expected)
                }
            }
        } else {
            unread.append("\(id): DLM's locks")
        }
        guard model.isMember else { return }
        if let memory = node.memory, let state = memory.clusterState {
            let set = Set(StateBit.bits(in: state))
            for (bit, isSet) in model.bits.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                count(.state)
                if set.contains(bit) != isSet {
                    differ(
                        .state, id, "md_cluster_info.state, \(bit)", observed: set.contains(bit) ? "set" : "clear",
                        model: isSet ? "set" : "clear")
                }
            }
            mutex(.reconfigMutex, id, memory.reconfigMutexOwner, model.holdsReconfigMutex)
            mutex(.receiveMutex, id, memory.receiveMutexOwner, model.holdsReceiveMutex)
        } else {
            unread.append("\(id): md_cluster_info.state, reconfig_mutex, recv_mutex")
        }
        if let array = node.mdstat {
            count(.remote)
            var isRemote = false
            if case .remote? = array.sync { isRemote = true }
            if isRemote != model.isResyncedByOther, isRemote || !mayHaveRecovered {
                differ(
                    .remote, id, "/proc/mdstat", observed: isRemote ? "REMOTE" : "no REMOTE",
                    model: "MD_RESYNCING_REMOTE is " + (model.isResyncedByOther ? "set" : "clear"))
            }
        }
    }

    private mutating func mutex(_ field: EndStateField, _ node: NodeID, _ owner: Int?, _ isHeld: Bool) {
        count(field)
        if (owner != nil) != isHeld {
            differ(
                field, node, field.file, observed: owner.map { "held by \($0)" } ?? "free",
                model: isHeld ? "held" : "free")
        }
    }

    private static func text(_ granted: LockMode, _ requested: LockMode) -> String {
        requested == .none ? "\(granted)" : "\(granted), converting to \(requested)"
    }
}
