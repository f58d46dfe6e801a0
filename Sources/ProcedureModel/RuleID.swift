// SPDX-License-Identifier: GPL-2.0

/// What a rule is about, from the general to the particular: "I12.rest.window". The sentence that says the rule to a
/// person may be worded anew; this stays.
public struct RuleID: Sendable, Hashable, CustomStringConvertible, ExpressibleByStringLiteral {
    public let parts: [Substring]

    /// - Parameter text: parts with dots between them; "" for a rule that nobody names.
    public init(_ text: String) { parts = text.split(separator: ".") }
    public init(stringLiteral text: String) { self.init(text) }

    public var description: String { parts.joined(separator: ".") }

    /// Whether it is `other`, or something particular of it: I12.rest.window is within I12, and not within I1.
    public func isWithin(_ other: RuleID) -> Bool {
        !other.parts.isEmpty && parts.starts(with: other.parts)
    }
}

extension Program {
    /// What a statement asks for: its id, and its sentence.
    public struct RuleName: Sendable, Hashable {
        public var id: RuleID
        public var text: String
        public init(_ id: RuleID, _ text: String) { (self.id, self.text) = (id, text) }
    }

    /// All rules that have an id, those that procedures ask included, each once.
    public var ruleNames: [RuleName] {
        var found = rules.map { RuleName($0.id, $0.name) }
        for procedure in procedures {
            for statement in procedure.body {
                _ = statement.replacing { inner in
                    if case .require(_, let rule) = inner { found.append(rule) }
                    return [inner]
                }
            }
        }
        var known = Set<RuleName>()
        return found.filter { !$0.id.parts.isEmpty && known.insert($0).inserted }
    }

    /// Leaves out the rules within `id`, those that procedures ask included. False if there is none.
    public mutating func removeRules(_ id: RuleID) -> Bool {
        let before = rules.count
        rules.removeAll { $0.id.isWithin(id) }
        var isFound = rules.count < before
        for index in procedures.indices {
            procedures[index].body = procedures[index].body.flatMap { statement in
                statement.replacing { inner in
                    guard case .require(_, let rule) = inner, rule.id.isWithin(id) else { return [inner] }
                    isFound = true
                    return []
                }
            }
        }
        return isFound
    }
}
