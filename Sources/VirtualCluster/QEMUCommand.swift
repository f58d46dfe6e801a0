// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation

/// The command line of a node's QEMU.
///
/// All that connects a node to the outside is a descriptor that it inherits: no socket has a name, no port listens.
/// The disks are descriptors too (of files without a name), given as fd sets; `share-rw` because the nodes share them.
struct QEMUCommand {
    /// The descriptors that QEMU inherits, by number.
    enum Descriptor: Int32 { case null = 0, output, errors, agent, monitor, network, firstDisk }

    static func arguments(_ configuration: ClusterConfiguration, node: NodeID, console: URL, incoming: Int32?)
        -> [String]
    {
        let machine =
            configuration.accelerator == .kvm
            ? ["-accel", "kvm", "-cpu", "host"] : ["-accel", "tcg,thread=multi", "-cpu", "max,la57=off"]
        var arguments = [configuration.qemu, "-name", "mdlab-\(node)"] + machine
        arguments += [
            "-m", String(configuration.memory), "-smp", "1", "-nodefaults", "-no-user-config", "-display", "none",
            "-no-reboot",
        ]
        arguments += [
            "-kernel", configuration.kernel, "-initrd", configuration.initramfs, "-append",
            kernelCommandLine(configuration, node),
        ]
        arguments += ["-chardev", "file,id=console,path=\(escaped(console.path))", "-serial", "chardev:console"]
        arguments += [
            "-chardev", "socket,id=agent,fd=\(Descriptor.agent.rawValue)", "-device", "virtio-serial-pci,\(modern)",
        ]
        arguments += ["-device", "virtserialport,chardev=agent,name=mdlab.agent"]
        arguments += [
            "-chardev", "socket,id=monitor,fd=\(Descriptor.monitor.rawValue)", "-mon", "chardev=monitor,mode=control",
        ]
        arguments += ["-netdev", "stream,id=net0,server=off,addr.type=fd,addr.str=\(Descriptor.network.rawValue)"]
        arguments += ["-device", "virtio-net-pci,netdev=net0,mac=52:54:00:00:00:0\(node.rawValue),romfile=,\(modern)"]
        for disk in 0..<configuration.disks {
            let descriptor = Descriptor.firstDisk.rawValue + Int32(disk)
            arguments += ["-add-fd", "fd=\(descriptor),set=\(disk + 1)"]
            arguments += [
                "-drive",
                "file=/dev/fdset/\(disk + 1),format=raw,if=none,id=disk\(disk),cache=writeback,auto-read-only=off",
            ]
            arguments += ["-device", "virtio-blk-pci,drive=disk\(disk),share-rw=on,serial=disk\(disk),\(modern)"]
        }
        if let incoming { arguments += ["-S", "-incoming", "fd:\(incoming)"] }
        return arguments
    }

    /// Without the legacy interface a device is probed faster.
    private static let modern = "disable-legacy=on"

    /// `nokaslr` so that System.map gives the kernel's addresses; `SWIFT_ROOT` because the Swift runtime looks for
    /// itself in /proc before PID 1 has mounted it; sysrq and no hashed pointers for whoever reads a hang. Emulated
    /// CPUs have nothing to mitigate, expedited grace periods make loading modules and setting probes faster, and
    /// interrupts routed without ACPI's bytecode save 0.17 s a device (1.8 s of 2.0 with ten of them). A busy host may
    /// hold an emulated CPU up for the 20 s at which RCU and the soft-lockup detector complain by default: they wait
    /// for 60 s.
    private static func kernelCommandLine(_ configuration: ClusterConfiguration, _ node: NodeID) -> String {
        "console=ttyS0 panic=-1 quiet nokaslr mitigations=off rcupdate.rcu_expedited=1 acpi=noirq no_hash_pointers"
            + " sysrq_always_enabled=1 log_buf_len=4M rcupdate.rcu_cpu_stall_timeout=60 watchdog_thresh=30 SWIFT_ROOT=/"
            + " mdlab.node=\(node.rawValue) mdlab.nodes=\(configuration.nodes)"
    }

    /// A comma ends an option's value unless it is doubled.
    private static func escaped(_ path: String) -> String { path.replacingOccurrences(of: ",", with: ",,") }
}
