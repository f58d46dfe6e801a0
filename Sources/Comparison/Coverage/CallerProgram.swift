// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import MDClusterModel
import ProcedureModel

/// The observed program with callers that do what a script says instead of anything: what can be explored to its end.
///
/// md-cluster.c's procedures are the observed program's, word for word, so that their steps have the same names; the
/// steps that only show an event are left out, and messages name one device.
enum CallerProgram {
    /// Of the names of procedures that stand for md.c and user space.
    static let prefix = "caller "
    private static let reconfig = ObservedProgram.reconfigMutex
    /// mddev->sb_flags: 1 when something is to be written, 2 while it is.
    private static let flags = "sb_flags"
    /// 1 when a resync is to begin, 2 while it goes on, 3 when raid1d is to end it.
    private static let sync = "sync"
    /// The superblock was read again since something was to be written: then there may be nothing left to write.
    private static let fresh = "sb.fresh"
    private static let reread = prefix + "does_sb_need_changing"
    /// Set while the array is being stopped: no resync begins.
    private static let closing = "closing"
    private static let isMember = Expression.v(ObservedProgram.isMember) == 1
    private static let wantsUpdate = atomic {
        when_(isMember) {
            assign(flags, 1)
            assign(fresh, 0)
        }
    }

    static func machine(variant: String, _ script: CallerScript) throws(ModelError) -> Machine {
        let program = try make(variant: variant, script)
        do { return try Machine(program) } catch { preconditionFailure("\(variant): \(error)") }
    }

    static func make(variant: String, _ script: CallerScript) throws(ModelError) -> Program {
        let hasDeath = script.operations.contains(.crash)
        var program = try ObservedProgram.make(
            variant: variant, nodes: script.nodes, processes: 1, hasDeath: hasDeath)
        for index in program.procedures.indices {
            program.procedures[index].body = program.procedures[index].body.flatMap { $0.replacing(withoutMarkers) }
            if program.procedures[index].name == "md_reload_sb" {
                program.procedures[index].body = [Statement.call(reread, [], result: nil)]
            }
        }
        program.procedures.removeAll { Marker.isOne($0.name) || $0.name == "process" }
        program.perNode += [.init(flags, values: 3), .init(sync, values: 4), .init(fresh), .init(closing)]
        program.procedures.append(Procedure(reread) { assign(fresh, 1) })
        program.replace(raid1d)
        program.replace(resync)
        program.replace(updateSuperblock)
        program.threads.removeAll { ["process1", "power"].contains($0.name) }
        install(script, in: &program)
        return program
    }

    private static func withoutMarkers(_ statement: Statement) -> [Statement] {
        switch statement {
        case .call(let name, _, _) where Marker.isOne(name): []
        case .choose(let branches) where branches.allSatisfy(namesDevice): [.choose(Array(branches.prefix(1)))]
        default: [statement]
        }
    }

    /// A branch that only says which device a message names.
    private static func namesDevice(_ branch: [Statement]) -> Bool {
        guard branch.count == 1, case .set("raid_slot", _) = branch[0] else { return false }
        return true
    }

    private static func install(_ script: CallerScript, in program: inout Program) {
        var begin = Expression.always
        for (number, phase) in script.phases.enumerated() {
            var ends: [Expression] = []
            for (place, call) in phase.enumerated() {
                let name = "\(prefix)\(number + 1).\(place + 1) \(call.operation.rawValue)"
                let done = "done \(number + 1).\(place + 1)"
                if call.operation == .crash {
                    var death = program.procedure(named: "power cut") ?? Procedure(name) {}
                    death.name = name
                    death.body = [wait(begin, idle: false)] + death.body.dropFirst() + [assign(done, 1)]
                    program.procedures.append(death)
                } else {
                    let body = body(of: call.operation)
                    program.procedures.append(
                        Procedure(name, locals: ["ret": 2]) {
                            wait(begin)
                            body
                            assign(done, 1)
                        })
                }
                program.shared.append(.init(done))
                program.threads.append(
                    .init(name, procedure: name, runsOn: [call.node], existsOn: [call.node]))
                ends.append(.v(done) == 1)
            }
            begin = .all(
                ends + (0..<script.nodes).flatMap { [.on($0, .v(flags) == 0), .on($0, .v(sync) == 0)] })
        }
        program.procedures.removeAll { $0.name == "power cut" }
    }

    /// Under reconfig_mutex, as every ioctl and every write to sysfs.
    private static func locked(@CodeBuilder _ body: () -> [Statement]) -> [Statement] {
        [mutex_lock(reconfig)] + body() + [Statement.call("mddev_unlock", [], result: nil)]
    }

    private static func call(_ name: String, _ arguments: [(String, Int)] = []) -> Statement {
        .call(name, arguments.map { Argument(name: $0.0, value: .number($0.1)) }, result: "ret")
    }

    private static func body(of operation: CallerScript.Operation) -> [Statement] {
        switch operation {
        case .assemble:
            return locked {
                assign(closing, 0)
                Statement.call("join", [], result: nil)
                Statement.call("load_bitmaps", [], result: nil)
                wantsUpdate
            }
        case .stop:
            // do_md_stop waits for the end of the resync, and __md_stop_writes reaps its thread.
            return [assign(closing, 1), wait(.v(sync) != 2)]
                + locked {
                    when_(.v(sync) == 3) { Statement.call("resync_finish", [], result: nil) }
                    choose([[Statement.call("md_update_sb", [], result: nil)], []])
                    Statement.call("leave", [], result: nil)
                    assign(flags, 0)
                    assign(sync, 0)
                }
        case .update: return [wantsUpdate]
        case .remove:
            return locked {
                call("remove_disk")
                wantsUpdate
            }
        case .reAdd:
            return locked {
                call("gather_bitmaps")
                wantsUpdate
            }
        case .add, .addUnbound:
            return locked {
                call("add_new_disk", [("arg", 0)])
                when_(.v("ret") == 0) {
                    operation == .add ? wantsUpdate : Statement.call("add_new_disk_cancel", [], result: nil)
                }
            }
        case .confirm, .refuse:
            return [wait(.v(ObservedProgram.waitingForNewDisk) == 1, idle: true)]
                + locked { call("new_disk_ack", [("ack", operation == .confirm ? 1 : 0)]) }
        case .grow:
            return locked {
                assign(fresh, 0)
                Statement.call("update_size", [], result: nil)
            }
        case .resync: return [atomic { when_(isMember && .v(closing) == 0) { assign(sync, 1) } }]
        case .resizeBitmap:
            return [
                call("sendmsg", [("type", Int(MessageType.bitmapResize.rawValue)), ("arg", 0), ("mddev_locked", 0)])
            ]
        case .crash: return []
        }
    }

    private static let updateSuperblock = Procedure("md_update_sb", locals: ["ret": 2], source: "md.c: md_update_sb") {
        call("metadata_update_start")
        when_(.v("ret") == 0) {
            when_(.v(fresh) == 1) {
                choose([
                    [Statement.call("metadata_update_cancel", [], result: nil)],
                    [Statement.call("metadata_update_finish", [], result: nil)],
                ])
            } else: {
                Statement.call("metadata_update_finish", [], result: nil)
            }
        }
    }

    private static let raid1d = Procedure("raid1d", locals: ["got": 2], source: "md.c: md_check_recovery") {
        loop {
            wait(.v(flags) == 1 || .v(sync) == 3, idle: true)
            mutex_trylock(reconfig, result: "got")
            when_(.v("got") == 1) {
                when_(.v(sync) == 3) {
                    Statement.call("resync_finish", [], result: nil)
                    assign(sync, 0)
                    wantsUpdate
                }
                when_(.v(flags) == 1) {
                    assign(flags, 2)
                    Statement.call("md_update_sb", [], result: nil)
                    when_(.v(flags) == 2) { assign(flags, 0) }
                }
                Statement.call("mddev_unlock", [], result: nil)
            }
        }
    }

    private static let resync = Procedure("md_do_sync", locals: ["ret": 2], source: "md.c: md_do_sync") {
        loop {
            wait(idle: true) { until(.v(sync) == 1 && .v(closing) == 0) { assign(sync, 2) } }
            call("resync_start")
            when_(.v("ret") == 0) {
                loop {
                    choose([
                        [leave()], [call("resync_info_update", [("hi", 1), ("mddev_locked", 0)])],
                        [call("resync_info_update", [("hi", 0), ("mddev_locked", 0)])],
                        [call("resync_info_update", [("hi", 0), ("mddev_locked", 1)])],
                    ])
                }
            }
            when_(.v(sync) == 2) { assign(sync, 3) }
        }
    }
}
