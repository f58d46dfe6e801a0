// SPDX-License-Identifier: GPL-2.0
import Dispatch
import Foundation
import Reporting
import Synchronization

/// Ctrl-C and a polite kill, as the cancellation of a task: the record is completed, then mdlab ends with 130. The
/// second one ends at once.
final class Interruption: Sendable {
    // Only kept alive: nobody touches them after init.
    nonisolated(unsafe) private let sources: [any DispatchSourceSignal]
    private let state = Mutex<(count: Int, cancel: (@Sendable () -> Void)?)>((0, nil))

    init() {
        sources = [SIGINT, SIGTERM, SIGHUP].map { number in
            signal(number, SIG_IGN)
            return DispatchSource.makeSignalSource(signal: number, queue: .global())
        }
        for source in sources {
            source.setEventHandler { [weak self] in self?.happened() }
            source.activate()
        }
    }

    var isInterrupted: Bool { state.withLock { $0.count > 0 } }

    private func happened() {
        let (count, cancel) = state.withLock { state in
            state.count += 1
            return (state.count, state.cancel)
        }
        if count > 1 { _exit(Exit.interrupted) }
        Terminal.write("\nmdlab: stopping; the record is being completed (once more to stop at once)\n", to: 2)
        cancel?()
    }

    /// Runs an operation that is cancelled by a signal.
    func cancelling<Value: Sendable>(_ operation: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let task = Task { try await operation() }
        let already = state.withLock { state in
            state.cancel = { task.cancel() }
            return state.count > 0
        }
        if already { task.cancel() }
        defer { state.withLock { $0.cancel = nil } }
        return try await task.value
    }
}
