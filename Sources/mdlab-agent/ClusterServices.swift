// SPDX-License-Identifier: GPL-2.0
import CLinux
import Glibc
import GuestProtocol

/// Network, corosync and dlm_controld: from a booted node to a member of the cluster.
struct ClusterServices: Sendable {
    var port: Port
    var processes: Processes
    var boot: Boot.Parameters

    /// How long a stage may take before the node gives up; generous, for machines that emulate slowly.
    private let limit = 120.0

    func bringUp() {
        _ = processes.run(["/bin/busybox", "--install", "-s", "/bin"])
        Files.makeDirectory("/sys/kernel/config")
        _ = linux_mount("configfs", "/sys/kernel/config", "configfs")
        linux_set_hostname("node\(boot.node)")
        for (interface, address) in [("lo", nil), ("eth0", "10.9.0.\(boot.node)")] as [(String, String?)] {
            let error = linux_interface_up(interface, address, "255.255.255.0")
            guard error == 0 else { return fail("network", "\(interface): \(reason(-error))") }
        }
        port.send(.stage("network", uptime: Boot.uptime()))

        for directory in [
            "/var/lib/corosync", "/var/log/cluster", "/run/dlm_controld", "/var/log/dlm_controld", "/dev/misc",
        ] {
            Files.makeDirectory(directory)
        }
        symlink("/run", "/var/run")
        let corosync = processes.run(["corosync"])
        guard corosync.status == 0 else { return fail("quorate", "corosync", corosync) }
        // The kernel's misc devices, at the names that udev's rules would give them.
        for name in ["dlm-control", "dlm-monitor", "dlm_plock"] { symlink("/dev/\(name)", "/dev/misc/\(name)") }
        guard wait(for: { isQuorate() }) else {
            return fail(
                "quorate",
                "the last lines of corosync.log: \(Files.text(log).split(separator: "\n").suffix(3).joined(separator: "; "))"
            )
        }
        port.send(.stage("quorate", uptime: Boot.uptime()))
        // Only now: one that starts without a quorum never becomes a member.
        let controld = processes.run([
            "dlm_controld", "--enable_fencing", "0", "--enable_startup_fencing", "0", "--enable_quorum_lockspace", "0",
        ])
        guard controld.status == 0 else { return fail("dlm", "dlm_controld", controld) }
        guard wait(for: { members() >= boot.nodes }) else {
            return fail("dlm", "dlm_tool status: \(members()) of \(boot.nodes) nodes")
        }
        port.send(.stage("dlm", uptime: Boot.uptime()))
        port.send(.stage("ready", uptime: Boot.uptime()))
    }

    private let log = "/var/log/corosync.log"

    /// Whether corosync has said so. Asking corosync-quorumtool would cost the emulated CPU more than corosync's own
    /// start.
    private func isQuorate() -> Bool {
        var quorate = false
        for line in Files.text(log).split(separator: "\n") {
            if line.contains("within the primary component") { quorate = true }
            if line.contains("within the non-primary component") { quorate = false }
        }
        return quorate
    }

    /// The nodes that dlm_controld counts as members ("node 1 M add 4 rem 0 ...").
    private func members() -> Int {
        String(decoding: processes.run(["dlm_tool", "status"]).output, as: UTF8.self).split(separator: "\n")
            .count { $0.hasPrefix("node ") && $0.split(separator: " ").dropFirst(2).first == "M" }
    }

    private func wait(for condition: () -> Bool) -> Bool {
        let end = Boot.uptime() + limit
        while !condition() {
            if Boot.uptime() > end { return false }
            // Asking dlm_tool costs an emulated CPU a tenth of a second: asking more often would only slow the answer
            // down.
            usleep(100_000)
        }
        return true
    }

    private func fail(_ stage: String, _ why: String) { port.send(.stageFailed(stage, reason: why)) }

    private func fail(_ stage: String, _ program: String, _ result: (status: Int32, output: [UInt8], errors: [UInt8])) {
        let text = String(decoding: result.errors + result.output, as: UTF8.self).split(separator: "\n").suffix(4)
        fail(stage, "\(program) exited with \(result.status): \(text.joined(separator: "; "))")
    }
}
