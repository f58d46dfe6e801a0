// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import ProcedureModel

/// Puts markers into procedures. What a procedure does stays as it is, except that
/// - a conversion made as part of a larger step (`dlm_lock_sync_now`) becomes one that is asked for and answered, and
/// - a wait with a time limit may end by it at any time: how long a kernel waited is not compared.
enum Instrumentation {
    static func withoutRules(_ procedure: Procedure) -> Procedure {
        var procedure = procedure
        procedure.body = procedure.body.flatMap { statement in
            statement.replacing { if case .require = $0 { return [] } else { return [$0] } }
        }
        return procedure
    }

    static func apply(to procedure: inout Procedure) {
        guard !Marker.isOne(procedure.name), !procedure.name.hasPrefix("dlm_lock_sync") else { return }
        procedure.body = procedure.body.flatMap { $0.replacing(observed) }
        switch procedure.name {
        case "recv_daemon": receiveDaemon(&procedure)
        case "__sendmsg": message(&procedure)
        case "md_reload_sb": procedure.body = reload
        case "process_metadata_update": procedure.body.insert(noteDevice, at: 0)
        case "lock_comm", "lock_token", "metadata_update_start":
            procedure.body = procedure.body.flatMap { statement in
                statement.replacing {
                    $0 == call("md_wakeup_thread") ? [Marker.enter("md_wakeup_thread"), $0] : [$0]
                }
            }
        default: break
        }
        let own = ["recv_daemon", "__sendmsg", "md_reload_sb", "md_wakeup_thread", "md_check_recovery"]
        if ObservedProgram.arguments[procedure.name] != nil, !own.contains(procedure.name) {
            entryAndReturns(&procedure)
        } else if procedure.name == "__sendmsg" {
            procedure.body = returns(of: procedure.name, in: procedure.body)
        }
    }

    private static func observed(_ statement: Statement) -> [Statement] {
        switch statement {
        case .atomic(let body):
            guard let index = body.firstIndex(where: isLockNow) else { return [statement] }
            let before = Array(body[..<index])
            let rest = body[index...].flatMap { lockSync($0) }
            return (before.isEmpty ? [] : [.atomic(before)]) + rest
        case .convert(let name, let mode, let noQueue, let result):
            let ask = Marker.start(name, .number(Int(mode.rawValue)), noQueue ? "NOQUEUE" : "-")
            guard let result else { return [ask, statement, Marker.ast(name, "granted")] }
            return [
                ask, statement,
                when_(.v(result) == 2) {
                    Marker.ast(name, "refused")
                } else: {
                    Marker.ast(name, "granted")
                },
            ]
        case .wait(let alternatives, let idle):
            let limits = alternatives.filter(\.isTimeout)
            guard !limits.isEmpty else { return [statement] }
            let others = alternatives.filter { !$0.isTimeout }
            return [.choose([others.isEmpty ? [] : [.wait(others, idle: idle)]] + limits.map(\.effects))]
        // Who closes an array is not followed.
        case .ifElse(.equal(.variable(Flag.closing), _), let then, let other): return [.choose([then, other])]
        // Whoever confirms a new device is a process like any other.
        case .ifElse(!.running(Name.confirm), _, _): return []
        default: return [statement]
        }
    }

    private static func isLockNow(_ statement: Statement) -> Bool {
        if case .call("dlm_lock_sync_now", _, _) = statement { return true }
        return false
    }

    private static func lockSync(_ statement: Statement) -> [Statement] {
        guard case .call("dlm_lock_sync_now", let arguments, _) = statement else { return [statement] }
        return [.call("dlm_lock_sync", arguments, result: nil)]
    }

    /// The kernel's function is one turn of the model's loop.
    private static func receiveDaemon(_ procedure: inout Procedure) {
        procedure.body = procedure.body.map { statement in
            guard case .loop(let body) = statement, let wait = body.first else { return statement }
            return .loop(
                [wait, Marker.enter("recv_daemon")] + body.dropFirst() + [Marker.returned("recv_daemon", 0)])
        }
    }

    /// Which device the message names is the caller's choice; the receivers read it where it was written.
    private static func message(_ procedure: inout Procedure) {
        procedure.locals.append(.init(name: "raid_slot", values: ObservedProgram.deviceNumbers))
        procedure.body = procedure.body.flatMap { statement in
            statement.replacing { inner in
                inner == assign(Name.type, .v("$type"))
                    ? [inner, when_(.v("$type") == Message.metadataUpdated) { assign(Name.raidSlot, .v("raid_slot")) }]
                    : [inner]
            }
        }
        procedure.body.insert(
            when_(.v("$type") == Message.metadataUpdated) {
                choose(
                    (0..<ObservedProgram.deviceNumbers).map { number in
                        [
                            assign("raid_slot", number),
                            Marker.enter("__sendmsg", .symbol("$type"), .number(number)),
                        ]
                    })
            } else: {
                Marker.enter("__sendmsg", .symbol("$type"), .symbol("-"))
            }, at: 0)
    }

    /// mddev->good_device_nr
    static let noteDevice = assign(Name.goodDevice, .v(Name.raidSlot))

    private static let reload: [Statement] =
        (0..<ObservedProgram.deviceNumbers).map { number in
            when_(.v(Name.goodDevice) == number) { Marker.enter("md_reload_sb", .number(number)) }
        } + [Marker.returned("md_reload_sb", 0)]

    private static func entryAndReturns(_ procedure: inout Procedure) {
        let names = ObservedProgram.arguments[procedure.name] ?? []
        let entry = Marker.show(.enter(procedure.name), names.map { .symbol("$" + $0) })
        procedure.body = [entry] + returns(of: procedure.name, in: procedure.body)
    }

    /// mddev_unlock, md_wakeup_thread and md_check_recovery have no probe at their return.
    private static let entryOnly: Set<String> = ["mddev_unlock", "load_bitmaps"]

    private static func returns(of name: String, in body: [Statement]) -> [Statement] {
        if entryOnly.contains(name) { return body }
        var result = body.flatMap { statement in
            statement.replacing { inner in
                guard case .giveBack(let value) = inner else { return [inner] }
                if case .constant(let number) = value { return [Marker.returned(name, number == 0 ? 0 : 1), inner] }
                return [
                    when_(value == 0) {
                        Marker.returned(name, 0)
                    } else: {
                        Marker.returned(name, 1)
                    }, inner,
                ]
            }
        }
        if case .giveBack? = body.last { return result }
        result.append(Marker.returned(name, 0))
        return result
    }
}
