// SPDX-License-Identifier: GPL-2.0
import CLinux
import Glibc
import Synchronization

/// Starts programs and, as PID 1 must, reaps everything that ends.
final class Processes: Sendable {
    private struct State {
        /// Ended, and nobody asked yet. Orphans stay here unasked; there are few.
        var ended: [pid_t: Int32] = [:]
        var waiting: [pid_t: @Sendable (Int32) -> Void] = [:]
    }
    private let state = Mutex(State())
    private static let starting = Mutex(())

    /// Until a child has become its program it has the agent's descriptors, and none that the agent closes is closed: a
    /// module is still busy, a filter of the function tracer is not yet in force, and is lost when the next is written.
    /// For what cannot block, as it holds up every start of a program.
    static func whileNoneStarts<Result>(_ body: () -> Result) -> Result { starting.withLock { _ in body() } }

    func startReaping() {
        Thread.start { [self] in
            while true {
                var status: Int32 = 0
                let pid = waitpid(-1, &status, 0)
                guard pid > 0 else {
                    usleep(20_000)
                    continue
                }
                let code = linux_exit_status(status)
                let waiter = state.withLock { state -> (@Sendable (Int32) -> Void)? in
                    if let waiter = state.waiting.removeValue(forKey: pid) { return waiter }
                    state.ended[pid] = code
                    return nil
                }
                waiter?(code)
            }
        }
    }

    /// Calls `handle` with the exit status of a child, at once if it has ended.
    func whenEnded(_ pid: pid_t, _ handle: @escaping @Sendable (Int32) -> Void) {
        let code = state.withLock { state -> Int32? in
            if let code = state.ended.removeValue(forKey: pid) { return code }
            state.waiting[pid] = handle
            return nil
        }
        if let code { handle(code) }
    }

    /// execve with the agent's environment; a program without a slash is looked for in PATH. Returns a pid or -errno.
    func spawn(_ argv: [String], descriptors: [Int32], newSession: Bool = false) -> pid_t {
        guard let program = argv.first.flatMap(find) else { return -ENOENT }
        var arguments: [UnsafePointer<CChar>?] = ([program] + argv.dropFirst()).map { UnsafePointer(strdup($0)) }
        arguments.append(nil)
        defer { for argument in arguments { free(UnsafeMutableRawPointer(mutating: argument)) } }
        return arguments.withUnsafeBufferPointer { arguments in
            descriptors.withUnsafeBufferPointer { descriptors in
                environ.withMemoryRebound(to: UnsafePointer<CChar>?.self, capacity: 1) { environment in
                    var spawn = CLinux.linux_spawn()
                    spawn.argv = arguments.baseAddress
                    spawn.envp = UnsafePointer(environment)
                    spawn.descriptors = descriptors.baseAddress
                    spawn.descriptor_count = Int32(descriptors.count)
                    spawn.new_session = newSession ? 1 : 0
                    return Self.whileNoneStarts { linux_spawn(&spawn) }
                }
            }
        }
    }

    private func find(_ program: String) -> String? {
        if program.contains("/") { return program }
        for directory in ["/bin", "/sbin", "/usr/bin", "/usr/sbin"] where access("\(directory)/\(program)", X_OK) == 0 {
            return "\(directory)/\(program)"
        }
        return nil
    }

    /// Runs a program to its end. Blocks the calling thread.
    func run(_ argv: [String]) -> (status: Int32, output: [UInt8], errors: [UInt8]) {
        var output: [Int32] = [0, 0]
        var errors: [Int32] = [0, 0]
        let null = linux_open("/dev/null", O_RDONLY | O_CLOEXEC, 0)
        linux_pipe(&output)
        linux_pipe(&errors)
        let pid = spawn(argv, descriptors: [null, output[1], errors[1]])
        close(null)
        close(output[1])
        close(errors[1])
        defer {
            close(output[0])
            close(errors[0])
        }
        guard pid > 0 else { return (127, [], Array("\(argv.first ?? ""): \(reason(-pid))\n".utf8)) }
        let ended = Mutex<Int32?>(nil)
        let signal = Signal()
        whenEnded(pid) { code in
            ended.withLock { $0 = code }
            signal.raise()
        }
        let collected = drain(output[0], errors[0], until: signal)
        signal.wait()
        return (ended.withLock { $0 } ?? 0, collected.0, collected.1)
    }

    /// Reads both pipes until the program has ended and what it wrote is read: a daemon that it left behind keeps them
    /// open.
    private func drain(_ output: Int32, _ errors: Int32, until signal: Signal) -> ([UInt8], [UInt8]) {
        var collected: [[UInt8]] = [[], []]
        var polls = [
            pollfd(fd: output, events: Int16(POLLIN), revents: 0),
            pollfd(fd: errors, events: Int16(POLLIN), revents: 0),
        ]
        var chunk = [UInt8](repeating: 0, count: 65536)
        while polls.contains(where: { $0.fd >= 0 }) {
            let over = signal.isRaised
            let ready = poll(&polls, 2, over ? 0 : 20)
            if ready <= 0 && over { break }
            for index in polls.indices where polls[index].fd >= 0 && polls[index].revents != 0 {
                let count = read(polls[index].fd, &chunk, chunk.count)
                if count > 0 { collected[index].append(contentsOf: chunk[..<count]) } else { polls[index].fd = -1 }
            }
        }
        return (collected[0], collected[1])
    }
}

/// Something that happens once.
final class Signal: Sendable {
    private let raised = Atomic(false)
    var isRaised: Bool { raised.load(ordering: .acquiring) }
    func raise() { raised.store(true, ordering: .releasing) }
    func wait() { while !isRaised { usleep(2_000) } }
}
