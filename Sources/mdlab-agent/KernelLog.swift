// SPDX-License-Identifier: GPL-2.0
import CLinux
import Glibc
import GuestProtocol

/// Sends every record of /dev/kmsg from the first on.
struct KernelLog: Sendable {
    var port: Port

    func start() {
        Thread.start {
            let log = linux_open("/dev/kmsg", O_RDONLY | O_CLOEXEC, 0)
            guard log >= 0 else { return }
            var record = [UInt8](repeating: 0, count: 16384)
            while true {
                let count = read(log, &record, record.count)
                if count > 0 {
                    port.send(.kernelLog(Array(record[..<count])))
                } else if errno == EPIPE {
                    // Records were overwritten before they were read; the next read goes on after the gap.
                    port.send(.kernelLog(Array("0,0,0,-;mdlab-agent: records of the kernel log were lost here\n".utf8)))
                } else if errno != EINTR && errno != EAGAIN {
                    return
                }
            }
        }
    }
}
