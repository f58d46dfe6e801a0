// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import MDClusterModel
import ProcedureModel
import ProtocolTrace

/// What an event of a trace is for the comparison.
enum EventReading: Equatable {
    /// The step of the model that it must be.
    case label(TraceLabel, Actor)
    case ignored(IgnoredEvent)

    /// Which thread of the model took the step.
    enum Actor: Hashable {
        case receive, raid1d, resync
        /// The worker that delivers ASTs and BASTs.
        case callback
        case process(pid: Int)
    }
}

/// Why an event is not compared.
public enum IgnoredEvent: String, CaseIterable, Sendable {
    case otherLockspace = "a lock of another lockspace"
    case bitmapLock = "a bitmap lock: judged by dlm-words"
    case callReturned = "dlm_lock or dlm_unlock returned 0: the AST is what counts"
    case cancelled = "the answer to a request that was cancelled"
    case unawaited = "the answer to a request that nobody waits for any more"
    case otherBast = "a BAST that md-cluster.c does not look at"
    case otherArray = "another array"
    case duplicate = "the function tracer's view of a probed call"
    case notCompared = "a function that the model has no step for"
}

/// Reads the events of one node, in order.
struct EventReader {
    private let lockspace: UInt32
    private let arrays: Set<Int64>
    private let probed: Set<String>
    /// Who asked for what, and which answer is whose.
    private var pairing: LockPairing
    /// By thread: the operation whose answer it waits for, by its place.
    private var waits: [EventReading.Actor: Int] = [:]
    /// Operations whose thread has gone on without the answer.
    private var abandoned: Set<Int> = []
    /// join() was seen: the lockspace and all its locks are made after it.
    private var hasBegun = false

    /// - Parameters:
    ///   - lockspace: of the array that is compared.
    ///   - arrays: addresses of its struct mddev; empty if not known.
    ///   - probed: functions with a probe at their entry in this record.
    init(lockspace: UInt32, arrays: Set<Int64>, probed: Set<String>) {
        (self.lockspace, self.arrays, self.probed) = (lockspace, arrays, probed)
        pairing = LockPairing(lockspace: lockspace)
    }

    /// md_wakeup_thread is called from everywhere; these calls are those that follow HOLDING_MUTEX_FOR_RECVD.
    static let wakers: Set<String> = ["lock_comm", "lock_token", "metadata_update_start", "sendmsg"]

    /// WAIT_DLM_LOCK_TIMEOUT of v6.11, less what clocks may differ in. Nanoseconds.
    static let waitLimit: UInt64 = 29_000_000_000

    /// The event that a thread shows by going on although its answer has not come: nil if it does not.
    mutating func givesUp(_ event: KernelEvent) -> EventReading? {
        switch event.body {
        case .entry, .exit: break
        case .dlm(let dlm) where dlm.kind == .lockStart: break
        default: return nil
        }
        let actor = Self.actor(event.role, event.pid)
        guard let place = waits.removeValue(forKey: actor) else { return nil }
        abandoned.insert(place)
        let operation = pairing.operations[place]
        guard event.time >= operation.time + Self.waitLimit else { return nil }
        return .label(TraceLabel(.lockTimeout, [.symbol("\(operation.resource)")]), actor)
    }

    /// nil for an AST whose request was not seen.
    mutating func read(_ event: KernelEvent) -> EventReading? {
        switch event.body {
        case .dlm(let dlm): return read(dlm, event)
        case .entry(let function, let values):
            guard let names = ObservedProgram.arguments[function] else { return .ignored(.notCompared) }
            if let mddev = values["mddev"], !arrays.isEmpty, !arrays.contains(mddev) { return .ignored(.otherArray) }
            if function == "join" { hasBegun = true }
            return .label(
                TraceLabel(.enter(function), Self.arguments(names, values)), Self.actor(event.role, event.pid))
        case .exit(let function, let value):
            guard ObservedProgram.arguments[function] != nil else { return .ignored(.notCompared) }
            let returned =
                ObservedProgram.voidFunctions.contains(function)
                ? 0 : value.map { Int32(truncatingIfNeeded: $0) == 0 ? 0 : 1 }
            return .label(
                TraceLabel(.returned(function), [returned.map { .number($0) }]), Self.actor(event.role, event.pid))
        case .function(let name, let caller):
            switch name {
            case _ where TraceWords.wakeUps.contains(name):
                return Self.wakers.contains(caller)
                    ? .label(TraceLabel(.enter("md_wakeup_thread")), Self.actor(event.role, event.pid))
                    : .ignored(.notCompared)
            case "md_check_recovery":
                // gather_all_resync_info calls it too, with the mutex held, so that it does nothing.
                return event.role == .raidDaemon
                    ? .label(TraceLabel(.enter("md_check_recovery")), .raid1d) : .ignored(.notCompared)
            default:
                if probed.contains(name) { return .ignored(.duplicate) }
                guard let names = ObservedProgram.arguments[name] else { return .ignored(.notCompared) }
                return .label(TraceLabel(.enter(name), Self.arguments(names, [:])), Self.actor(event.role, event.pid))
            }
        case .other, .lost: return .ignored(.notCompared)
        }
    }

    private static func actor(_ role: ThreadRole?, _ pid: Int) -> EventReading.Actor {
        switch role {
        case .recvDaemon: .receive
        case .raidDaemon: .raid1d
        case .resync: .resync
        case .recoverBitmaps, .other, nil: .process(pid: pid)
        }
    }

    private static func arguments(_ names: [String], _ values: [String: Int64]) -> [Argument.Value?] {
        names.map { name in
            guard let value = values[name] else { return nil }
            switch name {
            case "type": return .number(Int(UInt32(truncatingIfNeeded: value)))
            // The other messages' devices are not followed.
            case "raid_slot": return values["type"] == 0 ? .number(Int(value)) : .symbol("-")
            case "hi", "ack", "mddev_locked": return .number(value == 0 ? 0 : 1)
            default: return .number(Int(value))
            }
        }
    }

    private mutating func read(_ dlm: DLMEvent, _ event: KernelEvent) -> EventReading? {
        guard dlm.lockspace == lockspace else { return .ignored(.otherLockspace) }
        if dlm.resource.bitmapSlot != nil { return .ignored(.bitmapLock) }
        let resource = Argument.Value.symbol("\(dlm.resource)")
        let actor = Self.actor(event.role, event.pid)
        let step = pairing.take(event)
        switch dlm.kind {
        case .lockStart:
            if case .asked(let place) = step { waits[actor] = place }
            let kind =
                dlm.flags & DLMConstant.convert == 0
                ? "new" : dlm.flags & DLMConstant.noQueue == 0 ? "-" : "NOQUEUE"
            let mode = Argument.Value.number(Int((dlm.mode ?? .none).rawValue))
            return .label(TraceLabel(.lockStart, [resource, mode, .symbol(kind)]), actor)
        case .unlockStart:
            waits[actor] = nil
            let kind = dlm.flags & DLMConstant.cancel == 0 ? "FORCEUNLOCK" : "CANCEL"
            return .label(TraceLabel(.unlockStart, [resource, .symbol(kind)]), actor)
        case .lockEnd, .unlockEnd:
            guard let status = dlm.status, status != 0 else { return .ignored(.callReturned) }
            let mark = dlm.kind == .lockEnd ? TraceMark.lockEnd : .unlockEnd
            return .label(TraceLabel(mark, [resource, .symbol("\(status)")]), actor)
        case .ast: return answer(dlm, step)
        case .bast:
            guard dlm.resource == .ack, dlm.mode == .ex else { return .ignored(.otherBast) }
            return .label(TraceLabel(.bast, [resource]), .callback)
        }
    }

    private mutating func answer(_ dlm: DLMEvent, _ step: LockPairing.Step?) -> EventReading? {
        let place: Int? =
            switch step {
            case .answered(let places): places.last
            // Answered before, or by the call: whoever asked last is nearest to it.
            case .unasked(let last): last
            case .asked, nil: nil
            }
        // Where the array's begin is in the trace, no request can be missing: then nobody has asked.
        if place == nil, !hasBegun { return nil }
        let status = dlm.status ?? 0
        if pairing.isTakenBack(dlm.lock) || status == DLMConstant.cancelled { return .ignored(.cancelled) }
        if let place, abandoned.contains(place) { return .ignored(.unawaited) }
        let operation = place.map { pairing.operations[$0] }
        let actor = operation.map { Self.actor($0.thread.role, $0.pid) } ?? .callback
        waits[actor] = nil
        let text =
            switch status {
            case 0: "granted"
            case DLMConstant.again: "refused"
            case DLMConstant.unlocked: "unlocked"
            default: String(status)
            }
        return .label(TraceLabel(.ast, [.symbol("\(dlm.resource)"), .symbol(text)]), actor)
    }
}
