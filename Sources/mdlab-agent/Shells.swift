// SPDX-License-Identifier: GPL-2.0
import CLinux
import Glibc
import GuestProtocol
import Synchronization

/// Interactive shells for a person at `mdlab vm`.
final class Shells: Sendable {
    private let port: Port
    private let processes: Processes
    private struct State {
        var next: UInt32 = 1
        var masters: [UInt32: Int32] = [:]
    }
    private let state = Mutex(State())

    init(port: Port, processes: Processes) { (self.port, self.processes) = (port, processes) }

    func open(rows: UInt16, columns: UInt16) -> Reply {
        var slave: Int32 = -1
        let master = linux_open_pty(&slave, rows, columns)
        guard master >= 0 else { return .failed(errno: -master, action: "open a pseudo terminal") }
        let pid = processes.spawn(["/bin/sh", "-l"], descriptors: [slave, slave, slave], newSession: true)
        close(slave)
        guard pid > 0 else {
            close(master)
            return .failed(errno: -pid, action: "start /bin/sh")
        }
        let shell = state.withLock { state in
            defer { state.next += 1 }
            state.masters[state.next] = master
            return state.next
        }
        Thread.start { [self] in
            var chunk = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = read(master, &chunk, chunk.count)
                guard count > 0 else { break }
                port.send(.shellOutput(shell: shell, Array(chunk[..<count])))
            }
            processes.whenEnded(pid) { [self] status in
                state.withLock { $0.masters[shell] = nil }
                close(master)
                port.send(.shellEnded(shell: shell, status: status))
            }
        }
        return .shell(shell)
    }

    func input(_ shell: UInt32, _ bytes: [UInt8]) -> Reply {
        guard let master = state.withLock({ $0.masters[shell] }) else {
            return .failed(errno: ESRCH, action: "shell \(shell)")
        }
        return write(master, bytes, bytes.count) == bytes.count ? .done : .failed(errno: errno, action: "shell input")
    }

    func resize(_ shell: UInt32, rows: UInt16, columns: UInt16) -> Reply {
        guard let master = state.withLock({ $0.masters[shell] }) else {
            return .failed(errno: ESRCH, action: "shell \(shell)")
        }
        return linux_resize_pty(master, rows, columns) == 0 ? .done : .failed(errno: EIO, action: "resize")
    }
}
