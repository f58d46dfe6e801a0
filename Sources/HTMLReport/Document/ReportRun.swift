// SPDX-License-Identifier: GPL-2.0

/// One recorded run in a report.
public struct ReportRun: Codable, Sendable, Equatable {
    public struct Check: Codable, Sendable, Equatable {
        public struct Finding: Codable, Sendable, Equatable {
            public var text: String
            public var details: [String]
            /// Of the timeline's event that it is about.
            public var event: Int?
        }
        public var name: String
        /// "holds", "fails", "not decided".
        public var answer: String
        public var seen: [String]
        public var findings: [Finding]
    }

    /// One METADATA_UPDATED as one receiver handled it.
    public struct Update: Codable, Sendable, Equatable {
        public var sender: String
        public var thread: String
        public var receiver: String
        /// "trylock", "HOLDING_MUTEX_FOR_RECVD", "none".
        public var path: String
        public var milliseconds: Double
        /// Of the timeline's message; nil where the traces do not tell which it is.
        public var message: Int?
    }

    /// Of the scenario: what was done from outside, seconds since the run began.
    public struct Step: Codable, Sendable, Equatable {
        public var seconds: Double
        public var node: String?
        public var text: String
    }

    /// Unique in its report, and fit for an address: "run1".
    public var id: String
    public var name: String
    public var word: String
    public var reason: String
    public var facts: [ReportDocument.Fact] = []
    public var checks: [Check] = []
    public var updates: [Update] = []
    public var steps: [Step] = []
    public var hangs: [HangPicture] = []
    public var timeline = Timeline()
    /// What the comparison with the reference model says; nil where none was made.
    public var comparison: ReportDocument.Stage?
    /// Parts of the record that are missing or damaged.
    public var missing: [String] = []

    public init(id: String, name: String, word: String, reason: String) {
        (self.id, self.name, self.word, self.reason) = (id, name, word, reason)
    }
}

/// A wait that cannot end: a cycle, or a chain to where nobody acts.
public struct HangPicture: Codable, Sendable, Equatable {
    public struct Waiter: Codable, Sendable, Equatable {
        /// "node1 md0_raid1-123".
        public var thread: String
        /// Where it stands: "dlm_lock_sync(token, EX) <- metadata_update_start".
        public var place: String
        /// Why it cannot go on: "node2 md0_raid1, which holds token EX".
        public var waitsFor: String
        /// Innermost first.
        public var stack: [String]
    }
    public var title: String
    public var isCycle: Bool
    /// Each waits for the next; in a cycle the last for the first.
    public var waiters: [Waiter]
}
