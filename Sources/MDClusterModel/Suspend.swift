// SPDX-License-Identifier: GPL-2.0
import ProcedureModel

/// drivers/md/md.c: an array whose I/O is stopped for a moment, as a write of suspend_lo does. Whoever does so holds
/// reconfig_mutex and lets raid1d write the superblock without it.
enum Suspend {
    static func add(to program: inout Program) {
        program.perNode += [.init(Flag.suspended), .init(Flag.allowUpdate), .init(Flag.updating)]
        program.procedures += [store, suspend]
        program.change("md_check_recovery") { statement in
            guard statement == when_(RaidThread.nothingToDo, { return_() }) else { return [statement] }
            return updateForSuspender + [when_(.v(Flag.suspended) == 1) { return_() }, statement]
        }
    }

    private static let store = Procedure("suspend_lo_store", source: "md.c: suspend_lo_store, mddev_resume") {
        mutex_lock(Mutex.reconfig)
        call("mddev_suspend")
        atomic {
            assign(Flag.suspended, 0)
            assign(Flag.needed, 1)
            call("md_wakeup_thread")
        }
        call("mddev_unlock")
    }

    /// There is no I/O to wait for.
    private static let suspend = Procedure("mddev_suspend", source: "md.c: mddev_suspend") {
        atomic {
            assign(Flag.suspended, 1)
            assign(Flag.allowUpdate, 1)
        }
        assign(Flag.allowUpdate, 0)
        // wait_event(mddev->sb_wait, ...)
        wait(.v(Flag.updating) == 0)
    }

    @CodeBuilder private static var updateForSuspender: [Statement] {
        when_(.v(Flag.allowUpdate) == 1 && (.v(Flag.changeDevs) == 1 || .v(Flag.changePending) == 1)) {
            assign(Flag.updating, 1)
            when_(.v(Flag.allowUpdate) == 1) { call("md_update_sb") }
            assign(Flag.updating, 0)
        }
    }
}
