// SPDX-License-Identifier: GPL-2.0

/// Everything that the traces of a run show, on one axis of time: nanoseconds from its first event, with the nodes'
/// clocks put right by the messages between them. Order between nodes is certain only along a message.
public struct Timeline: Codable, Sendable, Equatable {
    public enum LaneKind: String, Codable, Sendable { case thread, lock }

    /// A row: a thread, or a DLM lock of a node.
    public struct Lane: Codable, Sendable, Equatable {
        public var node: String
        public var kind: LaneKind
        /// "md0_raid1", or a lock's resource.
        public var name: String
        /// 0 for a lock.
        public var pid: Int
        /// What the thread is for md, where that is known: "recv_daemon".
        public var role: String?
    }

    public struct Event: Codable, Sendable, Equatable {
        public var lane: Int
        public var time: Int64
        /// Its place in the node's trace.dat, from 0, and its time there: nanoseconds of the node's own clock.
        public var index: Int
        public var nodeTime: UInt64
        public var cpu: Int
        /// "dlm_lock_start", "__sendmsg", "__sendmsg returns".
        public var name: String
        public var detail: String
    }

    /// A function from its call to its return.
    public struct Slice: Codable, Sendable, Equatable {
        public var lane: Int
        public var start: Int64
        /// nil: it has not returned when the trace ends.
        public var end: Int64?
        public var name: String
        /// Calls around it on the same thread.
        public var depth: Int
        /// Of `events`: the call.
        public var event: Int
    }

    /// A DLM lock in a mode, or a request for one that is not granted yet.
    public struct Bar: Codable, Sendable, Equatable {
        public var lane: Int
        public var start: Int64
        public var end: Int64?
        /// "EX"; what is waited for where `isWaiting`.
        public var mode: String
        public var isWaiting: Bool
        public var event: Int
    }

    /// A message: from the request for ack EX on, until the grant that says that all have handled it.
    public struct Message: Codable, Sendable, Equatable {
        public struct Reception: Codable, Sendable, Equatable {
            public var lane: Int
            /// The bast that tells of it, and the request to give ack up; nil for what did not happen.
            public var told: Int64
            public var released: Int64?
            public var toldEvent: Int
            public var releasedEvent: Int?
        }
        /// "METADATA_UPDATED".
        public var type: String
        /// Of the sender's thread.
        public var lane: Int
        public var asked: Int64
        public var granted: Int64?
        public var askedEvent: Int
        public var grantedEvent: Int?
        public var receptions: [Reception]
    }

    public var lanes: [Lane] = []
    /// By time; those of one node in its own order.
    public var events: [Event] = []
    public var slices: [Slice] = []
    public var bars: [Bar] = []
    public var messages: [Message] = []
    /// Nanoseconds of the last event.
    public var end: Int64 = 0
    /// Seconds from the beginning of the run (host) to the first event; nil where no clock was measured.
    public var begin: Double?

    public init() {}
}
