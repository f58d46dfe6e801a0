// SPDX-License-Identifier: GPL-2.0
import CLinux
import Glibc

/// From the kernel's hand-over to a port that the host hears.
enum Boot {
    struct Parameters: Sendable {
        var node: Int
        var nodes: Int
        var uptimeAtStart: Double
    }

    static func mountFileSystems() {
        for (type, target) in [
            ("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev"), ("tmpfs", "/tmp"), ("tmpfs", "/run"),
            ("tmpfs", "/dev/shm"), ("devpts", "/dev/pts"), ("debugfs", "/sys/kernel/debug"),
            ("tracefs", "/sys/kernel/tracing"),
        ] {
            Files.makeDirectory(target)
            let error = linux_mount(type, target, type)
            if error != 0 { print("mdlab-agent: mount \(target): \(reason(-error))") }
        }
        setenv("PATH", "/bin:/sbin:/usr/bin:/usr/sbin", 1)
        setenv("HOME", "/", 1)
        // Nobody runs udev here: without this mdadm waits for it.
        setenv("MDADM_NO_UDEV", "1", 1)
    }

    static func uptime() -> Double {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }

    /// `mdlab.node=1 mdlab.nodes=2` of the kernel command line.
    static func parameters() -> Parameters {
        let start = uptime()
        var values: [Substring: Int] = [:]
        for word in Files.line("/proc/cmdline").split(separator: " ") {
            let parts = word.split(separator: "=", maxSplits: 1)
            if parts.count == 2, let value = Int(parts[1]) { values[parts[0]] = value }
        }
        return Parameters(node: values["mdlab.node"] ?? 1, nodes: values["mdlab.nodes"] ?? 1, uptimeAtStart: start)
    }

    /// Loads the modules that a file lists in order; returns what failed.
    static func insertModules(listedIn list: String) -> String? {
        for name in Files.text(list).split(separator: "\n") {
            let error = insertModule("/modules/\(name)", parameters: "")
            if error != 0 && error != EEXIST { return "module \(name): \(reason(error))" }
        }
        return nil
    }

    /// finit_module(2). Returns 0 or an errno.
    static func insertModule(_ path: String, parameters: String) -> Int32 {
        let file = linux_open(path, O_RDONLY | O_CLOEXEC, 0)
        guard file >= 0 else { return -file }
        defer { close(file) }
        return -linux_insert_module(file, parameters)
    }

    /// Without udev there is no /dev/virtio-ports: the name is in sysfs. The port appears a moment after its driver.
    static func openPort(named name: String) -> Int32? {
        for _ in 0..<500 {
            for device in Files.names(in: "/sys/class/virtio-ports")
            where Files.line("/sys/class/virtio-ports/\(device)/name") == name {
                let file = linux_open("/dev/\(device)", O_RDWR | O_CLOEXEC, 0)
                if file >= 0 { return file }
            }
            usleep(10_000)
        }
        return nil
    }

    /// Says on the console why this node is of no use, and powers off.
    static func give(up why: String) -> Never {
        let text = "mdlab-agent: giving up: \(why)\n"
        _ = Files.write("/dev/kmsg", "<2>" + text)
        _ = Files.write("/dev/console", text)
        linux_power_off()
        while true { sleep(60) }
    }
}
