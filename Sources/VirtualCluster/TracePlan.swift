// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import GuestProtocol

/// What a node records: the writes to tracefs that start it, and the files that say how to read it.
public struct TracePlan: Sendable {
    /// A kprobe at the entry of a function, and one at its return unless it never returns.
    struct Probe {
        var function: String
        /// Fetch arguments, as Documentation/trace/kprobetrace.rst writes them; x86-64 passes them in di, si, dx.
        var arguments: String
        var returns: Bool
    }

    /// Functions whose arguments or return the checks need. `md_reload_sb` is the patch's heart; the others tell who
    /// sends what, who holds reconfig_mutex and which path a receiver took.
    static let probes = [
        Probe(function: "md_reload_sb", arguments: "mddev=%di nr=%si:s32", returns: true),
        Probe(function: "md_update_sb", arguments: "mddev=%di force=%si:s32", returns: true),
        Probe(function: "mddev_unlock", arguments: "mddev=%di", returns: false),
        Probe(function: "metadata_update_start", arguments: "mddev=%di", returns: true),
        Probe(function: "metadata_update_finish", arguments: "mddev=%di", returns: true),
        Probe(function: "metadata_update_cancel", arguments: "mddev=%di", returns: true),
        Probe(function: "lock_comm", arguments: "cinfo=%di mddev_locked=%si:s32", returns: true),
        Probe(function: "unlock_comm", arguments: "cinfo=%di", returns: true),
        Probe(
            function: "__sendmsg",
            arguments: "type=+0(%si):u32 low=+8(%si):u64 high=+16(%si):u64 raid_slot=+40(%si):u32",
            returns: true),
        Probe(function: "recv_daemon", arguments: "thread=%di", returns: true),
        Probe(function: "join", arguments: "mddev=%di nodes=%si:s32", returns: true),
        Probe(function: "leave", arguments: "mddev=%di", returns: true),
        Probe(function: "update_size", arguments: "mddev=%di", returns: true),
        Probe(function: "add_new_disk", arguments: "mddev=%di", returns: true),
        Probe(function: "new_disk_ack", arguments: "mddev=%di ack=%si:s32", returns: true),
        Probe(function: "remove_disk", arguments: "mddev=%di", returns: true),
        Probe(function: "gather_bitmaps", arguments: "rdev=%di", returns: true),
        Probe(function: "resync_start", arguments: "mddev=%di", returns: true),
        Probe(function: "resync_info_update", arguments: "mddev=%di lo=%si:u64 hi=%dx:u64", returns: true),
        Probe(function: "resync_finish", arguments: "mddev=%di", returns: true),
    ]

    /// What md answers user space: whether a program that failed was refused something (see KernelAnswers). Returns
    /// only.
    static let answers = ["md_ioctl", "md_attr_store"]

    /// Which module a probed function is in: names like `join` are not unique in a kernel.
    private static let inMD: Set<String> = ["md_reload_sb", "md_update_sb", "mddev_unlock"]

    static let directory = "/sys/kernel/tracing/"

    /// What the function tracer shows beside all of md-cluster: where md's own threads are. Each name costs 60 ms of an
    /// emulated CPU, which looks at every function of the kernel for it.
    private static let functions = [
        "md_check_recovery", "md_reap_sync_thread", "md_do_sync", "md_error", "md_unregister_thread",
        // Linux 6.12 calls it __md_wakeup_thread.
        "*md_wakeup_thread",
    ]

    /// - Parameter gates: the modules are instrumented, and mdlab_gate is there.
    static func writes(gates: Bool) -> [Request.FileWrite] {
        var writes: [Request.FileWrite] = [
            .init(directory + "tracing_on", "0"), .init(directory + "current_tracer", "nop"),
            .init(directory + "buffer_size_kb", "4096"), .init(directory + "trace_clock", "mono"),
            .init(directory + "saved_cmdlines_size", "1024", optional: true),
        ]
        for probe in probes {
            let target = (inMD.contains(probe.function) ? "md_mod:" : "md_cluster:") + probe.function
            let file = directory + "kprobe_events"
            writes.append(
                .init(file, "p:mdlab/\(probe.function) \(target) \(probe.arguments)\n", append: true, optional: true))
            guard probe.returns else { continue }
            // Many threads may sit in a probed function at once; the default of a few instances would miss returns.
            writes.append(
                .init(
                    file, "r64:mdlab/\(probe.function)__ret \(target) ret=$retval:s64\n", append: true, optional: true))
        }
        for function in answers {
            writes.append(
                .init(
                    directory + "kprobe_events", "r64:mdlab/\(function)__ret md_mod:\(function) ret=$retval:s64\n",
                    append: true, optional: true))
        }
        for event in ["lock_start", "lock_end", "ast", "bast", "unlock_start", "unlock_end"] {
            writes.append(.init(directory + "events/dlm/dlm_\(event)/enable", "1"))
        }
        writes.append(.init(directory + "events/mdlab/enable", "1"))
        if gates { writes.append(.init(directory + "events/\(GateModule.name)/enable", "1")) }
        writes.append(.init(directory + "set_ftrace_filter", ":mod:md_cluster\n"))
        for function in functions {
            writes.append(.init(directory + "set_ftrace_filter", function + "\n", append: true, optional: true))
        }
        writes.append(.init(directory + "current_tracer", "function"))
        writes.append(.init(directory + "tracing_on", "1"))
        return writes
    }

    /// The files that a trace.dat needs beside the pages.
    static let descriptionFiles = [
        "events/header_page", "events/header_event", "events/ftrace/*/format", "events/dlm/*/format",
        "events/mdlab/*/format", "events/\(GateModule.name)/*/format",
        "printk_formats", "saved_cmdlines",
    ].map { directory + $0 }
}
