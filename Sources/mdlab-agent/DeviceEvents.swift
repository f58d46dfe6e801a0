// SPDX-License-Identifier: GPL-2.0
import CLinux
import Glibc
import GuestProtocol
import Synchronization

/// Does what udev does for a clustered array: nodes in /dev/misc for DLM lockspaces, and answers to ADD_DEVICE.
final class DeviceEvents: Sendable {
    enum Confirmation: String, Sendable { case confirm, missing, silent }

    private let port: Port
    private let processes: Processes
    private let confirmation = Mutex(Confirmation.confirm)

    init(port: Port, processes: Processes) { (self.port, self.processes) = (port, processes) }

    func setConfirmation(_ policy: Confirmation) { confirmation.withLock { $0 = policy } }

    func start() {
        let socket = linux_uevent_socket()
        guard socket >= 0 else { return }
        Thread.start { [self] in
            var buffer = [UInt8](repeating: 0, count: 65536)
            while true {
                let count = read(socket, &buffer, buffer.count)
                guard count > 0 else { continue }
                let strings = buffer[..<count].split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
                var fields: [String: String] = [:]
                for string in strings.dropFirst() {
                    let parts = string.split(separator: "=", maxSplits: 1)
                    if parts.count == 2 { fields[String(parts[0])] = String(parts[1]) }
                }
                handle(fields)
            }
        }
    }

    private func handle(_ fields: [String: String]) {
        if let name = fields["DEVNAME"], name.hasPrefix("dlm_") || name.hasPrefix("misc/dlm_"),
            fields["SUBSYSTEM"] == "misc"
        {
            // libdlm opens /dev/misc/dlm_NAME, devtmpfs makes /dev/dlm_NAME.
            let base = String(name.split(separator: "/").last ?? "")
            if fields["ACTION"] == "add" {
                symlink("/dev/\(base)", "/dev/misc/\(base)")
            } else {
                unlink("/dev/misc/\(base)")
            }
        }
        guard fields["EVENT"] == "ADD_DEVICE", let uuid = fields["DEVICE_UUID"], let slot = fields["RAID_DISK"],
            let array = fields["DEVNAME"]
        else { return }
        // In a thread: the search for the device takes a while, and other events must not wait.
        Thread.start { [self] in port.send(.uevent(confirm("/dev/\(array)", uuid: uuid, slot: slot))) }
    }

    /// As mdadm's udev rule does: find the device with this UUID_SUB and tell the kernel its slot.
    private func confirm(_ array: String, uuid: String, slot: String) -> String {
        let policy = confirmation.withLock { $0 }
        let asked = "ADD_DEVICE \(array) DEVICE_UUID=\(uuid) RAID_DISK=\(slot)"
        guard policy != .silent else { return asked + ": left unanswered, as told" }
        let device = policy == .missing ? nil : findDevice(uuid: uuid)
        let answer = "\(slot):\(device ?? "missing")"
        let result = processes.run(["mdadm", "--manage", array, "--cluster-confirm", answer])
        let words = String(decoding: result.errors, as: UTF8.self).split(separator: "\n").joined(separator: "; ")
        return asked + ": answered \(answer), status \(result.status) \(words)"
    }

    /// The disk whose 1.2 superblock (4 KiB from the start) has this device_uuid, 168 bytes into it.
    private func findDevice(uuid: String) -> String? {
        let wanted = uuid.filter { $0.isHexDigit }.lowercased()
        for name in Files.names(in: "/sys/block") where name.hasPrefix("vd") {
            let disk = linux_open("/dev/\(name)", O_RDONLY | O_CLOEXEC, 0)
            guard disk >= 0 else { continue }
            defer { close(disk) }
            var superblock = [UInt8](repeating: 0, count: 512)
            // Another node wrote it: what this node's page cache holds may be older.
            posix_fadvise(disk, 4096, 4096, POSIX_FADV_DONTNEED)
            guard pread(disk, &superblock, 512, 4096) == 512, superblock[..<4] == [0xfc, 0x4e, 0x2b, 0xa9] else {
                continue
            }
            let found = superblock[168..<184].map { byte in
                let digits = String(byte, radix: 16)
                return digits.count == 1 ? "0" + digits : digits
            }.joined()
            if found == wanted { return "/dev/\(name)" }
        }
        return nil
    }
}
