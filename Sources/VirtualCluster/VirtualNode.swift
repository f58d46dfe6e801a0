// SPDX-License-Identifier: GPL-2.0
import CLinux
import ClusterProtocol
import Foundation
import GuestProtocol
import RunRecord
import Synchronization

/// A guest: its QEMU, the channel to its agent, and what it reports, written into the record.
public final class VirtualNode: NodeControl {
    public let id: NodeID
    let agent: AgentChannel
    let monitor: MachineMonitor
    private let recorder: RunRecorder
    private let files: NodeLayout

    /// Guest seconds at which each stage of the boot was reached.
    private struct State {
        var stages: [String: Double] = [:]
        var failure: ClusterFailure?
        var waiters: [(stage: String, continuation: CheckedContinuation<Double, any Error>)] = []
        var pid: pid_t = 0
        var shellOutput: (@Sendable (UInt32, [UInt8]) -> Void)?
        var shellEnd: (@Sendable (UInt32) -> Void)?
    }
    private let state = Mutex(State())

    init(id: NodeID, reactor: Reactor, recorder: RunRecorder) {
        self.id = id
        self.recorder = recorder
        files = recorder.layout.node(id)
        monitor = MachineMonitor(node: id, reactor: reactor)
        let receiver = WeakNode()
        agent = AgentChannel(node: id, reactor: reactor) { receiver.node?.handle($0) }
        receiver.node = self
    }

    // MARK: - The boot

    /// Guest seconds when a stage is reached; waits for it. Throws what ended the node instead.
    func reach(_ stage: String, limit: Duration) async throws -> Double {
        let id = self.id
        return try await withLimit(
            limit, else: .notBooted(id, seconds: limit.seconds, lastConsoleLines: self.lastConsoleLines())
        ) {
            [self] in
            try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in
                    let known = state.withLock { state -> Result<Double, any Error>? in
                        if let uptime = state.stages[stage] { return .success(uptime) }
                        if let failure = state.failure { return .failure(failure) }
                        state.waiters.append((stage, continuation))
                        return nil
                    }
                    if let known { continuation.resume(with: known) }
                }
            } onCancel: {
                let waiters = state.withLock { state in
                    defer { state.waiters = [] }
                    return state.waiters
                }
                for waiter in waiters { waiter.continuation.resume(throwing: CancellationError()) }
            }
        }
    }

    private func settle(_ change: (inout State) -> Void) {
        let settled = state.withLock { state in
            change(&state)
            var settled: [(CheckedContinuation<Double, any Error>, Result<Double, any Error>)] = []
            state.waiters.removeAll { waiter in
                if let uptime = state.stages[waiter.stage] {
                    settled.append((waiter.continuation, .success(uptime)))
                } else if let failure = state.failure {
                    settled.append((waiter.continuation, .failure(failure)))
                } else {
                    return false
                }
                return true
            }
            return settled
        }
        for (continuation, result) in settled { continuation.resume(with: result) }
    }

    // MARK: - The end

    func started(pid: pid_t) { state.withLock { $0.pid = pid } }

    var processID: pid_t { state.withLock { $0.pid } }

    public var isAlive: Bool { state.withLock { $0.pid != 0 && $0.failure == nil } }

    /// QEMU has ended, whoever ended it.
    func ended(expected: Bool) {
        let failure = ClusterFailure.nodeDied(id, lastConsoleLines: lastConsoleLines())
        settle { state in
            state.pid = 0
            state.failure = state.failure ?? failure
        }
        agent.fail(failure)
        if !expected {
            recorder.note(
                .nodeDied, node: id, "the node's QEMU ended", ["console": lastConsoleLines().joined(separator: "\n")])
        }
    }

    func lastConsoleLines() -> [String] {
        guard let data = try? Data(contentsOf: files.console) else { return [] }
        return String(decoding: data.suffix(16384), as: UTF8.self).split(whereSeparator: \.isNewline).suffix(12).map {
            line in
            String(line.filter { !$0.isASCII || $0 >= " " }.prefix(200))
        }
    }

    // MARK: - What the agent reports

    private func handle(_ report: Report) {
        switch report {
        case .reply: break
        case .stage(let stage, let uptime):
            recorder.note(
                .boot, node: id, "\(stage) at \(String(format: "%.2f", uptime)) s",
                ["stage": stage, "uptime": "\(uptime)"])
            settle { $0.stages[stage] = uptime }
        case .stageFailed(let stage, let reason):
            let failure = ClusterFailure.noCluster(id, seconds: recorder.time, reason: "\(stage): \(reason)")
            settle { $0.failure = $0.failure ?? failure }
        case .kernelLog(let record): recorder.append(Data(record), to: files.kmsg)
        case .trace(let cpu, let page):
            recorder.append(Data(page), to: TraceDatContents.rawPages(cpu: Int(cpu), in: files.root))
        case .uevent(let text): recorder.note(.uevent, node: id, text)
        case .followed(_, let bytes): recorder.append(Data(bytes), to: files.corosync)
        case .shellOutput(let shell, let bytes): state.withLock { $0.shellOutput }?(shell, bytes)
        case .shellEnded(let shell, _): state.withLock { $0.shellEnd }?(shell)
        }
    }

    // MARK: - NodeControl

    public func run(_ argv: [String], limit: Duration) async throws -> CommandResult {
        try await start(argv).wait(limit: limit)
    }

    public func start(_ argv: [String]) async throws -> any RunningCommand {
        GuestCommand(node: id, argv: argv, reply: Task { [agent] in try await agent.demand(.run(argv: argv)) })
    }

    public func read(_ path: String) async throws -> [UInt8] {
        guard case .bytes(let content) = try await agent.demand(.readFile(path: path, limit: 64 << 20)) else {
            return []
        }
        return content
    }

    public func write(_ path: String, _ text: String) async throws {
        try await agent.demand(.writeFile(path: path, content: Array(text.utf8)))
    }

    public func setConfirmation(_ policy: ConfirmationPolicy) async throws {
        try await agent.demand(.setConfirmation(policy.rawValue))
    }

    public func threads(named names: [String], limit: Duration) async throws -> [NodeSnapshot.Thread] {
        let failure = ClusterFailure.commandTimedOut(id, argv: ["threads"], seconds: limit / .seconds(1))
        let reply = try await withLimit(limit, else: failure) { [agent] in
            try await agent.demand(.threads(named: names))
        }
        guard case .threads(let threads) = reply else { return [] }
        return threads.map { thread in
            // "[<0>] function+0x1/0x2 [module]"
            let stack = thread.stack.split(separator: "\n").map { String($0.drop { $0 != "]" }.dropFirst(2)) }
            return .init(pid: Int(thread.pid), comm: thread.comm, state: thread.state, stack: stack)
        }
    }

    /// Kernel release, agent version and guest clock; refuses an agent of another version.
    func hello() async throws -> Reply.Hello {
        guard case .hello(let hello) = try await agent.demand(.hello), hello.version == guestProtocolVersion else {
            throw ClusterFailure.agentVersion(id, agent: -1, host: Int(guestProtocolVersion))
        }
        return hello
    }

    // MARK: - Shells

    /// Opens a shell on the node. `output` and `end` are called on the reactor's thread.
    public func openShell(
        rows: UInt16, columns: UInt16, output: @escaping @Sendable (UInt32, [UInt8]) -> Void,
        end: @escaping @Sendable (UInt32) -> Void
    ) async throws -> UInt32 {
        state.withLock { state in
            state.shellOutput = output
            state.shellEnd = end
        }
        guard case .shell(let shell) = try await agent.demand(.openShell(rows: rows, columns: columns)) else {
            return 0
        }
        return shell
    }

    public func shellInput(_ shell: UInt32, _ bytes: [UInt8]) async throws {
        try await agent.demand(.shellInput(shell: shell, bytes: bytes))
    }

    public func resizeShell(_ shell: UInt32, rows: UInt16, columns: UInt16) async throws {
        try await agent.demand(.resizeShell(shell: shell, rows: rows, columns: columns))
    }
}

/// A command that runs on a node.
private struct GuestCommand: RunningCommand {
    var node: NodeID
    var argv: [String]
    var reply: Task<Reply, any Error>

    func wait(limit: Duration) async throws -> CommandResult {
        let reply = self.reply
        let result = try await withLimit(limit, else: .commandTimedOut(node, argv: argv, seconds: limit.seconds)) {
            try await reply.valueOrCancelled
        }
        guard case .command(let status, let output, let errors) = result else {
            throw ClusterFailure.refused(node, action: argv.joined(separator: " "), reason: "an answer of another kind")
        }
        return CommandResult(
            status: status, output: String(decoding: output, as: UTF8.self),
            errors: String(decoding: errors, as: UTF8.self))
    }
}

/// Breaks the circle between a node and its channel.
private final class WeakNode: @unchecked Sendable {
    weak var node: VirtualNode?
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}

extension Task where Failure == any Error {
    /// The value, or CancellationError as soon as the caller is cancelled: the task itself goes on.
    var valueOrCancelled: Success {
        get async throws {
            let stream = AsyncThrowingStream<Success, any Error> { continuation in
                Task<Void, Never> {
                    do {
                        continuation.yield(try await self.value)
                        continuation.finish()
                    } catch {
                        continuation.finish(throwing: error)
                    }
                }
            }
            for try await value in stream { return value }
            throw _Concurrency.CancellationError()
        }
    }
}
