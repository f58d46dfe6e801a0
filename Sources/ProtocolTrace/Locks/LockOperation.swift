// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace

/// One call of `dlm_lock` or `dlm_unlock` by a thread, with what came of it: the trace's start, end and ast events of
/// one operation brought together. `dlm_lock_sync` of md-cluster.c is one of these, and its caller waits until `answer`
/// is there.
package struct LockOperation: Sendable, Equatable {
    package enum Kind: Sendable, Hashable {
        /// The first lock of an lkb (`lockres_init`): DLM_LKF_CONVERT is not set.
        case create
        case convert
        /// `dlm_unlock` without CANCEL (`lockres_free`).
        case unlock
        /// `dlm_unlock` with DLM_LKF_CANCEL (`dlm_lock_sync_interruptible`).
        case cancel
    }

    /// The completion: an ast, or the error that `dlm_lock` returned at once.
    package struct Answer: Sendable, Equatable {
        package var index: Int
        package var time: UInt64
        /// `sb_status` of the ast, or the error of the _end event.
        package var status: Int32
        /// True when the call itself failed, so that no ast will come.
        package var atOnce: Bool
    }

    package var kind: Kind
    package var node: NodeID
    /// Index and time of the _start event.
    package var index: Int
    package var time: UInt64
    package var pid: Int
    package var comm: String
    package var thread: ThreadIdentity
    package var lockspace: UInt32
    package var lock: UInt32
    package var resource: LockResource
    /// The requested mode; nil for unlock and cancel.
    package var mode: LockMode?
    package var noQueue: Bool
    package var answer: Answer?

    package var granted: Bool { answer?.status == 0 }

    /// The thread's name; where the trace has none, what its calls tell of it.
    package var threadName: String {
        guard comm == ThreadIdentity.nameless else { return comm }
        return switch thread {
        case .known(let role): "\(role) (\(pid))"
        case .notReceiveThread, .unknown: "thread \(pid)"
        }
    }

    /// What was asked for: all that the language of md-cluster.c speaks of.
    package var request: LockRequest { LockRequest(resource: resource, kind: kind, mode: mode) }
}

/// What one call of `dlm_lock` or `dlm_unlock` asks for: a letter of the language in which md-cluster.c speaks to DLM.
package struct LockRequest: Hashable, Sendable, CustomStringConvertible {
    package var resource: LockResource
    package var kind: LockOperation.Kind
    /// nil for unlock and cancel.
    package var mode: LockMode?

    package init(resource: LockResource, kind: LockOperation.Kind, mode: LockMode?) {
        (self.resource, self.kind, self.mode) = (resource, kind, mode)
    }

    /// A conversion.
    package static func convert(_ resource: LockResource, _ mode: LockMode) -> LockRequest {
        LockRequest(resource: resource, kind: .convert, mode: mode)
    }

    package static func create(_ resource: LockResource) -> LockRequest {
        LockRequest(resource: resource, kind: .create, mode: .nl)
    }

    package static func unlock(_ resource: LockResource) -> LockRequest {
        LockRequest(resource: resource, kind: .unlock, mode: nil)
    }

    package static func cancel(_ resource: LockResource) -> LockRequest {
        LockRequest(resource: resource, kind: .cancel, mode: nil)
    }

    /// "token EX", "message NL (new)", "ack unlock".
    package var description: String {
        switch kind {
        case .create: "\(resource) \(mode ?? .none) (new)"
        case .convert: "\(resource) \(mode ?? .none)"
        case .unlock: "\(resource) unlock"
        case .cancel: "\(resource) cancel"
        }
    }
}

extension LockOperation {
    /// The operations of one node on one lockspace, in the order in which they were asked for, with their answers.
    package static func all(in events: [KernelEvent], lockspace: UInt32) -> [LockOperation] {
        var pairing = LockPairing(lockspace: lockspace)
        for event in events { pairing.take(event) }
        return pairing.operations
    }

    /// A request without its answer: a _start event.
    init(_ dlm: DLMEvent, _ event: KernelEvent) {
        let isLock = dlm.kind == .lockStart
        kind =
            if isLock {
                dlm.flags & DLMConstant.convert == 0 ? .create : .convert
            } else {
                dlm.flags & DLMConstant.cancel == 0 ? .unlock : .cancel
            }
        (node, index, time) = (event.node, event.index, event.time)
        (pid, comm, thread) = (event.pid, event.comm, event.thread)
        (lockspace, lock, resource) = (dlm.lockspace, dlm.lock, dlm.resource)
        mode = isLock ? dlm.mode : nil
        noQueue = isLock && dlm.flags & DLMConstant.noQueue != 0
    }

    /// The lockspaces of clustered arrays that a trace shows: those with a resource that only md-cluster.c uses. The
    /// lockspaces that mdadm makes for itself have a "bitmapNAME" lock alone.
    package static func arrayLockspaces(in events: [KernelEvent]) -> Set<UInt32> {
        let resources: Set<LockResource> = [.token, .message, .ack, .noNewDev, .resync]
        return Set(
            events.compactMap { event in
                guard case .dlm(let dlm) = event.body, resources.contains(dlm.resource) else { return nil }
                return dlm.lockspace
            })
    }
}
