// SPDX-License-Identifier: GPL-2.0
import CLinux
import Glibc
import GuestProtocol

/// Reads the state of the node. Nothing here takes a lock that a hung md thread could hold.
enum Inspection {
    static func collect(_ patterns: [String], limit: Int) -> [Reply.File] {
        var files: [Reply.File] = []
        for pattern in patterns {
            for path in Files.matching(pattern) {
                var status = stat()
                guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
                let (content, errno) = Files.read(path, limit: limit)
                files.append(Reply.File(path: path, errno: errno, content: content))
            }
        }
        return files
    }

    /// The threads of md, dlm and mdadm, all in D state, and those with such names, with /proc/PID/stack.
    static func threads(named names: [String]) -> [Reply.ThreadState] {
        var threads: [Reply.ThreadState] = []
        for process in Files.names(in: "/proc") where process.first?.isNumber == true {
            for task in Files.names(in: "/proc/\(process)/task") {
                let path = "/proc/\(process)/task/\(task)"
                // "pid (comm) S ...": comm may hold spaces and parentheses, so the last one ends it.
                let line = Files.line(path + "/stat")
                guard let open = line.firstIndex(of: "("), let close = line.lastIndex(of: ")"), let pid = Int32(task)
                else { continue }
                let comm = String(line[line.index(after: open)..<close])
                let state = String(line[close...].dropFirst(2).prefix(1))
                let ours = comm.hasPrefix("md") || comm.hasPrefix("dlm") || comm.contains("mdadm")
                guard ours || state == "D" || names.contains(where: comm.hasPrefix) else { continue }
                threads.append(
                    Reply.ThreadState(pid: pid, comm: comm, state: state, stack: Files.text(path + "/stack")))
            }
        }
        return threads
    }

    /// /proc/kcore is an ELF core whose PT_LOAD segments are the kernel's address ranges.
    static func readMemory(_ ranges: [Request.MemoryRange]) -> Reply {
        let core = linux_open("/proc/kcore", O_RDONLY | O_CLOEXEC, 0)
        guard core >= 0 else { return .failed(errno: -core, action: "open /proc/kcore") }
        defer { close(core) }
        var header = [UInt8](repeating: 0, count: 65536)
        let size = pread(core, &header, header.count, 0)
        guard size >= 64 else { return .failed(errno: errno, action: "read /proc/kcore") }
        func integer(_ offset: Int, _ bytes: Int) -> UInt64 {
            (0..<bytes).reversed().reduce(0) { offset + $1 < size ? $0 << 8 | UInt64(header[offset + $1]) : 0 }
        }
        let table = Int(integer(32, 8))
        let entrySize = Int(integer(54, 2))
        let count = Int(integer(56, 2))
        var files: [Reply.File] = []
        for range in ranges {
            var content = [UInt8](repeating: 0, count: Int(min(range.length, 1 << 20)))
            var error = EFAULT
            for index in 0..<count {
                let entry = table + index * entrySize
                let (type, offset) = (integer(entry, 4), integer(entry + 8, 8))
                let (address, length) = (integer(entry + 16, 8), integer(entry + 40, 8))
                guard type == 1, range.address >= address, range.address - address < length else { continue }
                let read = pread(core, &content, content.count, off_t(offset + (range.address - address)))
                error = read == content.count ? 0 : (read < 0 ? errno : EFAULT)
                break
            }
            files.append(Reply.File(path: "", errno: error, content: error == 0 ? content : []))
        }
        return .files(files)
    }
}
