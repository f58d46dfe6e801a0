// SPDX-License-Identifier: GPL-2.0
import CLinux
import Glibc
import GuestProtocol
import Synchronization

/// Streams the ring buffer as raw sub-buffers, so that a node that dies has sent what it recorded.
final class Tracing: Sendable {
    private let port: Port
    private struct State {
        var running = false
        var stopped: (@Sendable () -> Void)?
    }
    private let state = Mutex(State())
    private let directory = "/sys/kernel/tracing"

    init(port: Port) { self.port = port }

    /// Does the writes in order. A write that is not optional and fails ends the request.
    func start(_ writes: [Request.FileWrite]) -> Reply {
        var warnings: [String] = []
        for write in writes {
            let error = Processes.whileNoneStarts {
                Files.write(write.path, write.content, flags: write.append ? O_APPEND : O_TRUNC)
            }
            guard error != 0 else { continue }
            let text = "\(write.path) <- \(write.content.prefix(120)): \(reason(error))"
            guard write.optional else { return .failed(errno: error, action: text) }
            warnings.append(text)
        }
        let first = state.withLock { state in
            defer { state.running = true }
            return !state.running
        }
        if first { Thread.start { [self] in stream() } }
        return .warnings(warnings)
    }

    func stop(_ done: @escaping @Sendable () -> Void) {
        _ = Files.write(directory + "/tracing_on", "0")
        let running = state.withLock { state in
            if state.running { state.stopped = done }
            return state.running
        }
        if !running { done() }
    }

    private func stream() {
        let buffers = Files.matching(directory + "/per_cpu/cpu*/trace_pipe_raw").compactMap {
            path -> (UInt32, Int32)? in
            guard let cpu = path.split(separator: "/").dropLast().last.flatMap({ UInt32($0.dropFirst(3)) }) else {
                return nil
            }
            let file = linux_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0)
            return file >= 0 ? (cpu, file) : nil
        }
        var page = [UInt8](repeating: 0, count: 65536)
        while true {
            // Asked for before the last round, so that the round sees everything that was recorded until then.
            let stopped = state.withLock { $0.stopped }
            for (cpu, file) in buffers {
                while true {
                    let count = read(file, &page, 4096)
                    guard count > 0 else { break }
                    // The commit field of the header tells how much of the page is in use; an empty page says nothing.
                    if page[8] != 0 || page[9] != 0 { port.send(.trace(cpu: cpu, Array(page[..<count]))) }
                }
            }
            if let stopped {
                for (_, file) in buffers { close(file) }
                state.withLock { $0 = State() }
                stopped()
                return
            }
            usleep(50_000)
        }
    }
}
