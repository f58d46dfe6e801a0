// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace

/// Finds for each answer of DLM the request that it belongs to, event by event: the only place that knows how.
///
///     var pairing = LockPairing(lockspace: lockspace)
///     for event in events { pairing.take(event) }
///     pairing.operations     // each with its answer
///
/// An AST belongs to the oldest conversion of its lkb that has no answer yet, else to the newest operation; but the AST
/// of a cancelled request (DLM_ECANCEL) answers the cancel and the request at once.
package struct LockPairing: Sendable {
    /// In the order in which they were asked for.
    package private(set) var operations: [LockOperation] = []
    private let lockspace: UInt32
    /// By lkb: places of operations without an answer, the oldest first.
    private var open: [UInt32: [Int]] = [:]
    /// By lkb: who asked last.
    private var newest: [UInt32: Int] = [:]
    private var takenBack: Set<UInt32> = []

    /// What an event is for the locks of the lockspace.
    package enum Step: Sendable, Equatable {
        /// A request; its place in `operations`.
        case asked(Int)
        /// The operations that the event answers; never empty.
        case answered([Int])
        /// An AST that answers nothing that is open, and who asked for the lock last: nil if nobody did in this trace.
        case unasked(Int?)
    }

    package init(lockspace: UInt32) { self.lockspace = lockspace }

    /// The next event of the node. nil for an event that says nothing about a lock: the end of a call that succeeded, a
    /// BAST, another lockspace.
    @discardableResult
    package mutating func take(_ event: KernelEvent) -> Step? {
        // ASTs may be among what is missing: what is open now will never get its answer.
        if case .lost = event.body { open = [:] }
        guard case .dlm(let dlm) = event.body, dlm.lockspace == lockspace else { return nil }
        switch dlm.kind {
        case .lockStart, .unlockStart:
            let place = operations.count
            operations.append(LockOperation(dlm, event))
            open[dlm.lock, default: []].append(place)
            newest[dlm.lock] = place
            switch operations[place].kind {
            case .create, .convert: takenBack.remove(dlm.lock)
            case .cancel: takenBack.insert(dlm.lock)
            case .unlock: break
            }
            return .asked(place)
        case .lockEnd, .unlockEnd:
            // The end of the call says nothing about the lock, unless the call failed.
            guard let status = dlm.status, status != 0, let place = open[dlm.lock]?.last,
                operations[place].pid == event.pid
            else { return nil }
            open[dlm.lock]?.removeLast()
            return answer([place], event, status, atOnce: true)
        case .ast:
            let places = answeredPlaces(dlm)
            guard !places.isEmpty else { return .unasked(newest[dlm.lock]) }
            open[dlm.lock]?.removeAll { places.contains($0) }
            return answer(places, event, dlm.status ?? 0, atOnce: false)
        case .bast: return nil
        }
    }

    /// Whether the last request for the lock was taken back. Whoever cancels does not wait for the answer; and what the
    /// answer sets is still set when lockres_free comes to wait for its own, so that one is not waited for either.
    package func isTakenBack(_ lock: UInt32) -> Bool { takenBack.contains(lock) }

    private func answeredPlaces(_ dlm: DLMEvent) -> [Int] {
        guard let places = open[dlm.lock], let first = places.first, let last = places.last else { return [] }
        switch dlm.status ?? 0 {
        // lockres_free may have asked for the unlock already; its answer is still to come.
        case DLMConstant.cancelled: return places.filter { operations[$0].kind != .unlock }
        case DLMConstant.unlocked: return places
        default: return [.create, .convert].contains(operations[first].kind) ? [first] : [last]
        }
    }

    private mutating func answer(_ places: [Int], _ event: KernelEvent, _ status: Int32, atOnce: Bool) -> Step {
        for place in places {
            operations[place].answer = .init(index: event.index, time: event.time, status: status, atOnce: atOnce)
        }
        return .answered(places)
    }
}
