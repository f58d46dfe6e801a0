// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Synchronization

/// What came of following a schedule: entry by entry, and where the kernel went another way.
public struct SteeringReport: Sendable, Equatable {
    public struct Followed: Sendable, Equatable {
        public var text: String
        public var line: Int
        public var seconds: Double
    }

    /// Where the kernel did not do what the schedule says.
    public struct Divergence: Sendable, Equatable {
        public enum Cause: Sendable, Equatable {
            /// It did not come within the limit.
            case never
            /// The gate's own limit was over before it was released.
            case expired
            /// The gate was hit where sleeping is forbidden.
            case atomic
            /// No instrumented module has the gate's function.
            case noSuchFunction(String, on: NodeID)
            /// A command ended with a status that the schedule does not expect.
            case status(String)
        }
        /// The number of the entry, from 0.
        public var entry: Int
        public var text: String
        public var line: Int
        public var cause: Cause
        /// What there was instead: "node2 resync: dlm_lock_sync <- lock_comm <- ...".
        public var instead: [String]
    }

    public var followed: [Followed] = []
    public var entries: Int
    public var divergence: Divergence?

    public init(entries: Int) { self.entries = entries }
    public var isComplete: Bool { divergence == nil && followed.count == entries }
}

/// Gathers a report while the schedule is followed.
public final class SteeringLog: Sendable {
    private let state: Mutex<(report: SteeringReport, holding: Bool)>

    public init(entries: Int) { state = Mutex((SteeringReport(entries: entries), false)) }

    public var report: SteeringReport { state.withLock { $0.report } }
    func followed(_ step: SteeringReport.Followed) { state.withLock { $0.report.followed.append(step) } }
    func diverged(_ divergence: SteeringReport.Divergence) { state.withLock { $0.report.divergence = divergence } }

    /// Whether threads are or may be held on purpose just now.
    public var isHolding: Bool { state.withLock { $0.holding } }
    func setHolding(_ holding: Bool) { state.withLock { $0.holding = holding } }
}
