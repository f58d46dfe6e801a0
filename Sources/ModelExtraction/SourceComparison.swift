// SPDX-License-Identifier: GPL-2.0
import CSource

/// What a change of a C file changes of what others can notice.
public struct SourceComparison: Sendable {
    /// A step in words, and where it stands.
    public struct Step: Hashable, Sendable {
        public var text: String
        public var function: String
        public var line: Int

        public init(text: String, function: String, line: Int) {
            (self.text, self.function, self.line) = (text, function, line)
        }
    }

    public struct Change: Hashable, Sendable {
        public enum Kind: Hashable, Sendable {
            /// What the protocol knows is done otherwise.
            case protocolChange
            /// Something is done otherwise that is not looked at.
            case notLookedAt
            case added
            case removed
            /// A table of functions has another one.
            case table
        }

        /// "metadata_update_start", or with the arguments that it was followed for.
        public var entry: String
        public var kind: Kind
        /// What both do first, the last step being the last of it.
        public var after: [Step] = []
        public var was: [Step] = []
        public var now: [Step] = []

        public init(entry: String, kind: Kind, after: [Step] = [], was: [Step] = [], now: [Step] = []) {
            (self.entry, self.kind, self.after, self.was, self.now) = (entry, kind, after, was, now)
        }
    }

    /// A statement of the changed lines.
    public struct Statement: Hashable, Sendable {
        public var function: String
        public var lines: ClosedRange<Int>
        public var fate: Fate
        /// Whether it is one that the change takes away.
        public var isOld: Bool
    }

    public enum Verdict: Hashable, Sendable { case same, changes, notDecided }

    public var changes: [Change] = []
    public var statements: [Statement] = []
    /// What could not be followed, and could before.
    public var errors: [ExtractionError] = []
    public var assumptions: Set<String> = []
    /// How many entry points were compared.
    public var compared = 0
    /// Changed lines outside of functions that nothing that is followed shows.
    public var declarations: [String] = []

    /// Nothing that changes.
    public init() {}

    public var verdict: Verdict {
        if changes.contains(where: { $0.kind == .protocolChange || $0.kind == .table }) { return .changes }
        let isOpen =
            !changes.isEmpty || !errors.isEmpty || !declarations.isEmpty || statements.contains { $0.fate.isUnknown }
        return isOpen ? .notDecided : .same
    }
}

extension SourceComparison {
    /// Compares all entry points of two versions of a file.
    public init(was: Extraction, now: Extraction) {
        // What could not be followed before and is not changed says nothing of the change.
        errors = now.errors.filter { error in
            !was.errors.contains { $0.function == error.function && $0.reason == error.reason }
        }
        assumptions = was.assumptions.union(now.assumptions)
        let (old, new) = (was.entries.map(\.procedure), now.entries.map(\.procedure))
        // A function that both have is seen where it is called, if it is no entry point of one.
        for entry in was.entries where !new.contains(entry.procedure) && now.unit.function(named: entry.function) == nil
        {
            changes.append(.init(entry: entry.procedure, kind: .removed))
        }
        for entry in now.entries where !old.contains(entry.procedure) && was.unit.function(named: entry.function) == nil
        {
            changes.append(.init(entry: entry.procedure, kind: .added))
        }
        var alike = Alike(was.residuals, now.residuals)
        for name in old where new.contains(name) {
            compared += 1
            if alike.areAlike(name) { continue }
            if let change = Self.compare(name, was, now) { changes.append(change) }
        }
        addTables(was.unit.tables, now.unit.tables)
        addStatements(was, now)
    }

    /// Adds what another file of the same change changes.
    public mutating func add(_ other: SourceComparison, file: String) {
        changes += other.changes.map { change in
            var named = change
            if !file.isEmpty { named.entry = "\(file): \(change.entry)" }
            return named
        }
        statements += other.statements
        errors += other.errors
        assumptions.formUnion(other.assumptions)
        compared += other.compared
        declarations += other.declarations
    }

    /// Procedures that have the same steps one by one, and call such: they need no closer look.
    private struct Alike {
        let was: [String: Residual]
        let now: [String: Residual]
        private var known: [String: Bool] = [:]

        init(_ was: [String: Residual], _ now: [String: Residual]) { (self.was, self.now) = (was, now) }

        mutating func areAlike(_ name: String) -> Bool {
            if let known = known[name] { return known }
            guard let one = was[name], let other = now[name] else { return false }
            var answer = one.entry == other.entry && one.locals == other.locals && one.nodes.count == other.nodes.count
            for (left, right) in zip(one.nodes, other.nodes) where answer {
                answer = left.step == right.step && left.next == right.next
                if answer, case .call(let called, _) = left.step { answer = areAlike(called) }
            }
            known[name] = answer
            return answer
        }
    }

    private static func compare(_ name: String, _ was: Extraction, _ now: Extraction) -> Change? {
        let (one, other) = (was.automaton(name), now.automaton(name))
        if one.isCutOff || other.isCutOff { return Change(entry: name, kind: .notLookedAt) }
        if Equivalence.areBisimilar(one, other) { return nil }
        for opaque in [false, true] {
            guard let found = Equivalence.difference(one, other, opaque: opaque) else { continue }
            return Change(
                entry: name, kind: opaque ? .notLookedAt : .protocolChange, after: found.common.map(\.step),
                was: found.was.map(\.step), now: found.now.map(\.step))
        }
        // The same sequences, but a choice is made at another time.
        return Change(entry: name, kind: .notLookedAt)
    }

    private mutating func addTables(_ was: [String: String], _ now: [String: String]) {
        for field in Set(was.keys).union(now.keys).sorted() where was[field] != now[field] {
            func step(_ function: String?) -> [Step] {
                function.map { [Step(text: "\(field) = \($0)", function: $0, line: 0)] } ?? []
            }
            changes.append(.init(entry: field, kind: .table, was: step(was[field]), now: step(now[field])))
        }
    }

    /// Statements on lines that are not in the other version.
    private mutating func addStatements(_ was: Extraction, _ now: Extraction) {
        var removed: Set<Int> = []
        var inserted: Set<Int> = []
        for change in now.unit.text.difference(from: was.unit.text) {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset + 1)
            case .insert(let offset, _, _): inserted.insert(offset + 1)
            }
        }
        for (extraction, lines, isOld) in [(was, removed, true), (now, inserted, false)] {
            for entry in extraction.statements where !lines.isDisjoint(with: entry.lines) {
                statements.append(.init(function: entry.function, lines: entry.lines, fate: entry.fate, isOld: isOld))
            }
            for name in extraction.unit.variables.keys.sorted()
            where was.unit.variables[name] != now.unit.variables[name] && !declarations.contains(name) {
                declarations.append(name)
            }
        }
    }
}

extension Automaton.Edge {
    fileprivate var step: SourceComparison.Step {
        .init(
            text: label.detail.isEmpty ? label.text : "\(label.text) (\(label.detail))", function: function, line: line)
    }
}
