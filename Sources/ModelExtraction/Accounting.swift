// SPDX-License-Identifier: GPL-2.0
import CSource

/// What became of a statement of C.
public enum Fate: Hashable, Sendable {
    /// It is in the model, or decides what is.
    case modelled
    /// Left out, since it cannot matter: the reason.
    case harmless(String)
    /// It does something that is not looked at: what.
    case notLookedAt(String)
    /// No way that was followed leads to it.
    case unreached
    /// Its function could not be followed.
    case unfollowed

    /// Nothing is known of what it does.
    public var isUnknown: Bool { self == .unreached || self == .unfollowed }

    /// Of two ways to reach a statement the one that says less counts.
    func joined(_ other: Fate) -> Fate {
        switch (self, other) {
        case (.notLookedAt, _): self
        case (_, .notLookedAt): other
        case (.modelled, _), (_, .modelled): .modelled
        default: self
        }
    }
}

/// What became of every statement of a file.
public struct Accounting: Sendable {
    public struct Entry: Hashable, Sendable {
        public var function: String
        public var lines: ClosedRange<Int>
        public var fate: Fate
    }

    /// By function, in the order of its statements.
    private var fates: [String: [Int: Fate]] = [:]

    mutating func note(_ function: String, _ statement: Int, _ fate: Fate) {
        fates[function, default: [:]][statement] = fates[function]?[statement]?.joined(fate) ?? fate
    }

    /// - Parameter flows: the functions of the file.
    func entries(_ flows: [Flow]) -> [Entry] {
        flows.flatMap { flow in
            flow.statements.indices.map { index in
                let statement = flow.statements[index]
                let noted = fates[flow.function.name]
                let fate = noted?[index] ?? Self.untouched(statement, noted != nil)
                return Entry(function: flow.function.name, lines: statement.lines, fate: fate)
            }
        }
    }

    /// A statement that was never come to.
    private static func untouched(_ statement: CStatement, _ isFollowed: Bool) -> Fate {
        if case .declaration(_, _, nil) = statement.kind { return .harmless("it only declares") }
        return isFollowed ? .unreached : .unfollowed
    }
}
