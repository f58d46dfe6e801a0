// SPDX-License-Identifier: GPL-2.0
import CLinux
import ClusterProtocol
import Foundation
import Reporting
import Synchronization
import VirtualCluster

/// A person at the shells of a cluster: one terminal, one shell a node, Ctrl-] to change between them.
final class ShellSession: Sendable {
    private let cluster: QEMUCluster
    private struct State {
        var current = 0
        /// Node index -> shell, opened when first looked at.
        var shells: [Int: UInt32] = [:]
        var over = false
    }
    private let state = Mutex(State())

    init(cluster: QEMUCluster) { self.cluster = cluster }

    /// Until the user ends it, all shells have ended, or the input ends.
    func run() async throws {
        say("\(cluster.guests.count) nodes. Ctrl-] and a digit: another node. Ctrl-] q: end the cluster.")
        try await open(0)
        let terminal = RawTerminal()
        defer { terminal.restore() }
        var escaped = false
        for await bytes in terminal.input() {
            var text: [UInt8] = []
            for byte in bytes {
                if escaped {
                    escaped = false
                    try await send(text)
                    text = []
                    switch byte {
                    case UInt8(ascii: "q"): return
                    case UInt8(ascii: "1")...UInt8(ascii: "9"): try await open(Int(byte - UInt8(ascii: "1")))
                    case RawTerminal.escape: text.append(byte)
                    default: say("Ctrl-] takes a node's digit, q, or Ctrl-] again for itself.")
                    }
                } else if byte == RawTerminal.escape {
                    escaped = true
                } else {
                    text.append(byte)
                }
            }
            try await send(text)
            if state.withLock({ $0.over }) { return }
        }
    }

    /// What was typed, to the shell that is looked at.
    private func send(_ text: [UInt8]) async throws {
        let (current, shell) = state.withLock { ($0.current, $0.shells[$0.current]) }
        if let shell, !text.isEmpty { try await cluster.guests[current].shellInput(shell, text) }
    }

    private func open(_ index: Int) async throws {
        guard cluster.guests.indices.contains(index) else {
            return say("There is no node\(index + 1): node1 to node\(cluster.guests.count).")
        }
        let known = state.withLock { state in
            state.current = index
            return state.shells[index] != nil
        }
        say("node\(index + 1)")
        guard !known else { return }
        var rows: UInt16 = 24
        var columns: UInt16 = 80
        linux_terminal_size(STDOUT_FILENO, &rows, &columns)
        let shell = try await cluster.guests[index].openShell(rows: rows, columns: columns) { [self] _, bytes in
            if state.withLock({ $0.current }) == index { Terminal.write(Array(bytes), to: 1) }
        } end: { [self] _ in
            let over = state.withLock { state in
                state.shells[index] = nil
                state.over = state.shells.isEmpty
                return state.over
            }
            say(
                over
                    ? "The last shell has ended; press a key to end the cluster."
                    : "The shell on node\(index + 1) has ended.")
        }
        state.withLock { $0.shells[index] = shell }
    }

    private func say(_ text: String) { Terminal.write("\r\n[mdlab] \(text)\r\n", to: 2) }
}

/// The terminal without echo and line editing, as long as it lives. A pipe is taken as it is.
final class RawTerminal: @unchecked Sendable {
    /// Ctrl-], as telnet has it.
    static let escape: UInt8 = 0x1d
    private var before: termios?

    init() {
        var settings = termios()
        guard tcgetattr(STDIN_FILENO, &settings) == 0 else { return }
        before = settings
        cfmakeraw(&settings)
        tcsetattr(STDIN_FILENO, TCSANOW, &settings)
    }

    func restore() {
        guard var before else { return }
        tcsetattr(STDIN_FILENO, TCSANOW, &before)
        self.before = nil
    }

    /// What is typed, as it comes. A thread waits for it: a read of a terminal cannot be cancelled.
    func input() -> AsyncStream<[UInt8]> {
        AsyncStream { continuation in
            Thread.detachNewThread {
                var buffer = [UInt8](repeating: 0, count: 4096)
                while true {
                    let count = read(STDIN_FILENO, &buffer, buffer.count)
                    guard count > 0 else { break }
                    continuation.yield(Array(buffer[..<count]))
                }
                continuation.finish()
            }
        }
    }
}
