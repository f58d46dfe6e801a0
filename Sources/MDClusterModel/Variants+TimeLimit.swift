// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import ProcedureModel

extension Variants {
    /// fff42f213824 with what it was made for, 1bbe254e4336. Who gives up leaves its conversion in DLM's queue; when it
    /// is granted after all, its AST sets `sync_locking_done` with nobody waiting, and the next wait on that lock ends
    /// at once. RESYNCING_START (35a0a409fa26) is sent and received; what it is for, activating spares, is not
    /// modelled.
    static let timeLimit = Variant(
        "v6.11", "dlm_lock_sync gives up after 30 seconds, and NEWDISK fails when nobody confirms", workload: "add/",
        fault: "I8"
    ) { program in
        let locks = program.locks.map(\.name)
        program.perNode += locks.map { .init(late($0)) }
        nameFlags(&program)
        program.replace(dlmLockSync(nodes: program.nodes, program))
        program.replace(sendMessage)
        program.change("recv_daemon") { statement in
            // Without the message nothing is done, and nobody asks again.
            guard case .loop(let body) = statement,
                let first = body.firstIndex(where: { $0 == call("process_recvd_msg", result: "ret") })
            else { return [statement] }
            let work = Array(body[first..<body.count - 1])
            return [.loop(body[..<first] + [when_(.v("error") == 0) { work }] + body.suffix(1))]
        }
        for name in ["sendmsg", "add_new_disk", "update_size"] {
            let error = name == "sendmsg" ? "ret" : "error"
            program.change(name) { statement in
                guard case .call("__sendmsg", let arguments, _) = statement else { return [statement] }
                let call = Statement.call("__sendmsg", arguments, result: error)
                if name == "sendmsg" || arguments.contains("type" <- Message.changeCapacity) { return [call] }
                return [
                    call,
                    when_(.v(error) != 0) {
                        ProcedureModel.call("unlock_comm")
                        return_(1)
                    },
                ]
            }
        }
        program.replace(metadataUpdateFinish)
        Variants.letNewDiskFail(&program)
        notifyResyncStart(&program)
    }

    /// RESYNCING_START: the node that has the resync lock says so before it looks at other arrays.
    private static func notifyResyncStart(_ program: inout Program) {
        for index in program.shared.indices where program.shared[index].name == Name.type {
            program.shared[index].values = Message.types
        }
        if let index = program.procedures.firstIndex(where: { $0.name == "process_recvd_msg" }) {
            for local in program.procedures[index].locals.indices
            where program.procedures[index].locals[local].name == "type" {
                program.procedures[index].locals[local].values = Message.types
            }
        }
        program.procedures.append(
            Procedure(
                "resync_start_notify", locals: ["ret": 2], source: "md-cluster.c: resync_start_notify of v6.11"
            ) {
                call("sendmsg", "type" <- Message.resyncingStart, "arg" <- 0, "mddev_locked" <- 0, result: "ret")
                return_(.v("ret"))
            })
        program.insert([call("resync_start_notify", result: "ret")], into: "md_do_sync") {
            $0 == assign(Flag.resyncLocked, 1)
        }
    }

    /// Which flag belongs to which lock, in calls that do not say so.
    static func nameFlags(_ program: inout Program) {
        for index in program.procedures.indices {
            program.procedures[index].body = program.procedures[index].body.flatMap { statement in
                statement.replacing { inner in
                    guard case .call("dlm_lock_sync", let arguments, let result) = inner,
                        !arguments.contains(where: { $0.name == "late" }),
                        case .symbol(let lock)? = arguments.first(where: { $0.name == "res" })?.value
                    else { return [inner] }
                    return [.call("dlm_lock_sync", arguments + ["late" <- late(lock)], result: result)]
                }
            }
        }
    }

    static func late(_ lock: String) -> String { "\(lock).sync_locking_done" }

    private static func dlmLockSync(nodes: Int, _ program: Program) -> Procedure {
        var limit = onTimeout {
            assign("$late", 1)
            return_(1)
        }
        // The 5 seconds of a new disk are over before.
        limit.condition = .all((0..<nodes).map { .on($0, .v(Bit.waitingForNewDisk) == 0) })
        let alternatives =
            [until(!.converting("$res")) { return_(0) }]
            + (program.shared.contains { $0.name == Name.delay }
                ? [
                    until(.v(Name.delay) == 1) {
                        assign(Name.delay, 0)
                        assign("$late", 1)
                        return_(1)
                    }
                ] : []) + [limit]
        return Procedure(
            "dlm_lock_sync", parameters: ["res", "mode", "late"], locals: ["error": 4],
            source: "md-cluster.c: dlm_lock_sync of v6.11"
        ) {
            atomic {
                Statement.convertTo("$res", .v("$mode"), noQueue: false, result: "error")
                when_(.v("error") != 0) { return_(1) }
                when_(!.converting("$res") || .v("$late") == 1) { return_(0) }
            }
            Statement.wait(alternatives, idle: false)
        }
    }

    private static let metadataUpdateFinish = Procedure(
        "metadata_update_finish", locals: ["ret": 2], source: "md-cluster.c: metadata_update_finish of v6.11"
    ) {
        call("__sendmsg", "type" <- Message.metadataUpdated, "arg" <- 0, result: "ret")
        assign(Bit.sendLockedAlready, 0)
        call("unlock_comm")
        return_(.v("ret"))
    }

    private static let sendMessage = Procedure(
        "__sendmsg", parameters: ["type", "arg"], locals: ["error": 2, "unlock_error": 2],
        source: "md-cluster.c: __sendmsg of v6.11"
    ) {
        call("dlm_lock_sync", "res" <- Name.message, "mode" <- .ex, "late" <- late(Name.message), result: "error")
        when_(.v("error") != 0) { return_(1) }
        Communication.writeMessage
        call("dlm_lock_sync", "res" <- Name.ack, "mode" <- .ex, "late" <- late(Name.ack), result: "error")
        when_(.v("error") == 0) {
            call("dlm_lock_sync", "res" <- Name.ack, "mode" <- .cr, "late" <- late(Name.ack), result: "error")
        }
        call(
            "dlm_lock_sync", "res" <- Name.message, "mode" <- .nl, "late" <- late(Name.message), result: "unlock_error")
        return_(.v("error"))
    }
}
