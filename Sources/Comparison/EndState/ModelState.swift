// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import MDClusterModel
import ModelChecker
import ProcedureModel

/// Where a run of the observed program ends, once no thread can go on without showing an event.
struct ModelState: Equatable {
    struct Lock: Equatable {
        var granted: LockMode
        /// `.none` unless a conversion waits.
        var requested: LockMode
    }
    struct Node: Equatable {
        /// By the resource's name.
        var locks: [String: Lock]
        var bits: [StateBit: Bool]
        var isMember: Bool
        var holdsReconfigMutex: Bool
        var holdsReceiveMutex: Bool
        /// MD_RESYNCING_REMOTE
        var isResyncedByOther: Bool
    }
    var nodes: [Node]

    /// Bits of `cinfo->state` that the program has, with its own variable for each.
    static let bits: [(bit: StateBit, variable: String)] = [
        (.waitingForNewDisk, ObservedProgram.waitingForNewDisk), (.sendLock, ObservedProgram.sendLock),
        (.sendLockedAlready, ObservedProgram.sendLockedAlready), (.holdingMutexForRecvd, ObservedProgram.holding),
    ]

    init(_ state: [UInt64], of machine: Machine) {
        nodes = (0..<machine.program.nodes).map { node in
            func value(_ name: String) -> Bool { machine.value(of: name, node: node, in: state) == 1 }
            return Node(
                locks: Dictionary(
                    uniqueKeysWithValues: machine.lockModes(of: node, in: state).map {
                        ($0.name, Lock(granted: $0.granted, requested: $0.requested ?? .none))
                    }),
                bits: Dictionary(uniqueKeysWithValues: Self.bits.map { ($0.bit, value($0.variable)) }),
                isMember: value(ObservedProgram.isMember),
                holdsReconfigMutex: machine.owner(ofMutex: ObservedProgram.reconfigMutex, node: node, in: state) != nil,
                holdsReceiveMutex: machine.owner(ofMutex: ObservedProgram.receiveMutex, node: node, in: state) != nil,
                isResyncedByOther: value(ObservedProgram.resyncedByOther))
        }
    }

    /// Every state that the threads which are under way come to by steps that show no event, all of them taken.
    ///
    /// Threads at rest stay there: what they would do next they were not seen to do.
    static func ends(from state: [UInt64], machine: Machine, alphabet: Alphabet, limit: Int = 4096) -> [ModelState] {
        var seen: Set<[UInt64]> = [state]
        var open = [state]
        var ends: [ModelState] = []
        var busy: [ModelState] = []
        var successors = Successors(stateWords: machine.stateWords)
        while let next = open.popLast(), seen.count < limit {
            var moved = false
            var isAtRest = true
            next.withUnsafeBufferPointer { buffer in
                guard let base = buffer.baseAddress else { return }
                let view = StateView(base)
                for thread in machine.threads.indices {
                    guard let step = machine.nextStep(ofThread: thread, in: view), !machine.isRest(step) else {
                        continue
                    }
                    isAtRest = false
                    if alphabet.isVisible(step) { continue }
                    successors.removeAll()
                    machine.successors(of: view, byThread: thread, into: &successors)
                    for item in 0..<successors.count {
                        moved = true
                        let words = StateView(successors.words(item)).copy(count: machine.stateWords)
                        if seen.insert(words).inserted { open.append(words) }
                    }
                }
            }
            guard !moved else { continue }
            let end = ModelState(next, of: machine)
            if isAtRest, !ends.contains(end) { ends.append(end) }
            if !isAtRest, !busy.contains(end) { busy.append(end) }
        }
        // A thread that can only go on with an event that did not come has chosen another way, if there is one.
        return ends.isEmpty ? busy : ends
    }
}
