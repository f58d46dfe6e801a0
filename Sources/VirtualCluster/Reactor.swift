// SPDX-License-Identifier: GPL-2.0
import CLinux
import Foundation
import Synchronization

/// One thread that waits for all descriptors of a cluster: agents, QMP, the network, the ends of processes.
///
/// Handlers run on that thread and must not block. Everything but `execute` and `stop` is called on it.
final class Reactor: Sendable {
    private let wakeRead: Int32
    private let wakeWrite: Int32
    private struct Shared {
        var work: [@Sendable () -> Void] = []
        var stopped = false
    }
    private let shared = Mutex(Shared())
    private let afterwards = DispatchQueue(label: "mdlab-reactor-afterwards")
    /// Only touched on the reactor's thread.
    nonisolated(unsafe) private var connections: [Int32: Connection] = [:]
    nonisolated(unsafe) private var watches: [Int32: () -> Void] = [:]

    init() {
        var ends: [Int32] = [0, 0]
        linux_pipe(&ends)
        (wakeRead, wakeWrite) = (ends[0], ends[1])
        linux_set_nonblocking(wakeRead, 1)
        let thread = Thread { [self] in run() }
        thread.name = "mdlab-reactor"
        thread.start()
    }

    deinit {
        close(wakeRead)
        close(wakeWrite)
    }

    /// Runs work on the reactor's thread, soon; after the end of the thread on a queue, still one after the other, so
    /// that nobody waits for an answer that never comes.
    func execute(_ work: @escaping @Sendable () -> Void) {
        let running = shared.withLock { shared in
            if !shared.stopped { shared.work.append(work) }
            return !shared.stopped
        }
        if running { wake() } else { afterwards.async(execute: work) }
    }

    /// Closes all descriptors and ends the thread.
    func stop() {
        shared.withLock { $0.stopped = true }
        wake()
    }

    private func wake() {
        var byte: UInt8 = 0
        _ = write(wakeWrite, &byte, 1)
    }

    func add(_ connection: Connection) {
        linux_set_nonblocking(connection.descriptor, 1)
        connections[connection.descriptor] = connection
    }

    /// Calls `handle` once, when the descriptor becomes readable (a pidfd: when the process ends), and closes it.
    func watch(_ descriptor: Int32, _ handle: @escaping () -> Void) { watches[descriptor] = handle }

    func remove(_ connection: Connection) {
        guard connections.removeValue(forKey: connection.descriptor) != nil else { return }
        close(connection.descriptor)
        connection.closed()
    }

    private func run() {
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let (work, stopped) = shared.withLock { shared in
                defer { shared.work = [] }
                return (shared.work, shared.stopped)
            }
            for item in work { item() }
            if stopped { break }

            let open = Array(connections.values)
            let watched = Array(watches.keys)
            var polls = [pollfd(fd: wakeRead, events: Int16(POLLIN), revents: 0)]
            for connection in open {
                polls.append(
                    pollfd(
                        fd: connection.descriptor, events: Int16(connection.hasOutput ? POLLIN | POLLOUT : POLLIN),
                        revents: 0))
            }
            for descriptor in watched { polls.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)) }
            guard poll(&polls, nfds_t(polls.count), -1) > 0 else { continue }

            if polls[0].revents != 0 { _ = read(wakeRead, &chunk, chunk.count) }
            for (index, connection) in open.enumerated() {
                let events = Int32(polls[index + 1].revents)
                if events & POLLOUT != 0 { connection.flush() }
                if events & (POLLIN | POLLHUP | POLLERR) != 0 {
                    let count = read(connection.descriptor, &chunk, chunk.count)
                    if count > 0 {
                        connection.received(chunk[..<count])
                    } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
                        remove(connection)
                    }
                }
            }
            for (index, descriptor) in watched.enumerated() where polls[open.count + 1 + index].revents != 0 {
                let handle = watches.removeValue(forKey: descriptor)
                close(descriptor)
                handle?()
            }
        }
        afterwards.sync {
            for connection in connections.values { remove(connection) }
            for descriptor in watches.keys { close(descriptor) }
            watches = [:]
        }
    }
}

/// A stream socket of the reactor: what comes in goes to `received`, what cannot be written at once waits.
/// Only touched on the reactor's thread.
final class Connection {
    let descriptor: Int32
    let received: (ArraySlice<UInt8>) -> Void
    let closed: () -> Void
    private var output: [UInt8] = []
    private var written = 0

    init(descriptor: Int32, received: @escaping (ArraySlice<UInt8>) -> Void, closed: @escaping () -> Void) {
        (self.descriptor, self.received, self.closed) = (descriptor, received, closed)
    }

    var hasOutput: Bool { written < output.count }
    /// Bytes that wait to be written.
    var backlog: Int { output.count - written }

    func send(_ bytes: [UInt8]) {
        output.append(contentsOf: bytes)
        flush()
    }

    func flush() {
        while hasOutput {
            let count = output[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { break }
            written += count
        }
        if !hasOutput {
            output.removeAll(keepingCapacity: true)
            written = 0
        }
    }
}
