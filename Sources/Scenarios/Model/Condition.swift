// SPDX-License-Identifier: GPL-2.0
import Foundation

/// Something that can be waited for: the content of a file on some nodes.
public enum Condition: Sendable, Equatable {
    case file(path: String, Relation, on: NodeSet)
    /// No resync, recovery, reshape or check runs or is pending.
    case idle(on: NodeSet)

    public enum Relation: Sendable, Equatable {
        /// The content without surrounding white space is one of these; "absent" stands for a file that cannot be read.
        case isOne(of: [String])
        case isNone(of: [String])
        case contains(String)
        case lacks(String)
        case atLeast(Int64)

        /// Whether it holds for a file's content; nil stands for a file that cannot be read.
        public func holds(for content: String?) -> Bool {
            let value = content?.trimmingWhitespace() ?? Condition.absent
            switch self {
            case .isOne(let wanted): return wanted.contains(value)
            case .isNone(let unwanted): return !unwanted.contains(value)
            case .contains(let part): return content?.contains(part) ?? false
            case .lacks(let part): return !(content?.contains(part) ?? false)
            case .atLeast(let least): return Int64(value.prefix { !$0.isWhitespace }).map { $0 >= least } ?? false
            }
        }

        var text: String {
            switch self {
            case .isOne(let wanted): "is \(wanted.joined(separator: " or "))"
            case .isNone(let unwanted): "is not \(unwanted.joined(separator: " or "))"
            case .contains(let part): "contains \u{201C}\(part)\u{201D}"
            case .lacks(let part): "lacks \u{201C}\(part)\u{201D}"
            case .atLeast(let least): "is at least \(least)"
            }
        }
    }

    static let absent = "absent"

    public var on: NodeSet {
        switch self {
        case .file(_, _, let nodes), .idle(let nodes): nodes
        }
    }

    /// The file that has to be read to decide it.
    public var path: String {
        switch self {
        case .file(let path, _, _): path
        case .idle: "/proc/mdstat"
        }
    }

    /// Whether it holds on a node where the file reads `content` (nil: it cannot be read).
    public func holds(for content: String?) -> Bool {
        switch self {
        case .file(_, let relation, _): relation.holds(for: content)
        case .idle: content.map { !Self.mentionsSync($0) } ?? false
        }
    }

    public var text: String {
        switch self {
        case .file(let path, let relation, let nodes): "\(path) \(relation.text) on \(nodes)"
        case .idle(let nodes): "no resync, recovery or reshape on \(nodes)"
        }
    }

    /// Whether an mdstat shows a sync that runs, is pending, delayed or remote ("resync =", "recover=REMOTE", ...).
    static func mentionsSync(_ mdstat: String) -> Bool {
        for word in ["resync", "recovery", "recover", "reshape", "check", "repair"] {
            var rest = mdstat[...]
            while let found = rest.range(of: word) {
                rest = rest[found.upperBound...]
                if rest.drop(while: { $0 == " " }).first == "=" { return true }
            }
        }
        return false
    }
}

extension String {
    func trimmingWhitespace() -> String {
        var part = self[...]
        while part.first?.isWhitespace == true { part.removeFirst() }
        while part.last?.isWhitespace == true { part.removeLast() }
        return String(part)
    }
}
