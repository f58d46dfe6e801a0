// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol

/// What a thread of a deadlock waits for, as snapshots can be asked for it.
public enum AwaitedThing: Sendable, Hashable {
    /// A DLM lock in a mode.
    case lock(LockResource, LockMode)
    /// "reconfig_mutex", "recv_mutex"
    case mutex(String)
    /// A bit or variable, "SEND_LOCK".
    case bit(String)
    /// A thread, as it is spoken of.
    case end(of: String)
    /// Nobody woke it.
    case wakeUp

    private static let mutexes = ["reconfig_mutex", "recv_mutex"]
    private static let theEnd = "the end of "

    /// Reads what a schedule says under `waits-for`.
    public init?(_ text: String) {
        let words = text.split(separator: " ").map(String.init)
        if text == "wake-up" {
            self = .wakeUp
        } else if text.hasPrefix(Self.theEnd), text.count > Self.theEnd.count {
            self = .end(of: String(text.dropFirst(Self.theEnd.count)))
        } else if Self.mutexes.contains(text) {
            self = .mutex(text)
        } else if words.count == 2, let mode = LockMode(name: words[1]) {
            self = .lock(LockResource(rawValue: words[0]), mode)
        } else if words.count == 1 {
            self = .bit(text)
        } else {
            return nil
        }
    }
}

extension AwaitedThing: CustomStringConvertible {
    /// "ack EX", "reconfig_mutex", "SEND_LOCK", "the end of recv_daemon", "wake-up".
    public var description: String {
        switch self {
        case .lock(let resource, let mode): "\(resource) \(mode)"
        case .mutex(let name), .bit(let name): name
        case .end(let thread): Self.theEnd + thread
        case .wakeUp: "wake-up"
        }
    }
}
