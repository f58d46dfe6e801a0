// SPDX-License-Identifier: GPL-2.0

/// Runs an operation that stops when it is cancelled, and cancels it after `limit`; then throws `failure`.
func withLimit<Value: Sendable>(
    _ limit: Duration, else failure: @autoclosure @Sendable () -> ClusterFailure,
    _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await operation() }
        group.addTask {
            try await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        guard let first = try await group.next(), let value = first else { throw failure() }
        return value
    }
}
