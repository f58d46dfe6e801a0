// SPDX-License-Identifier: GPL-2.0
import CSource
import ProcedureModel

/// Why a function cannot be followed, and what to do.
public struct ExtractionError: Error, Hashable, Sendable {
    public enum Reason: Hashable, Sendable {
        case recursion
        /// A loop whose end nothing bounds.
        case unboundedLoop
        /// It ends with a spin lock held.
        case spinLockHeld(String)
        case unknownFunction
    }

    public var function: String
    public var line: Int
    public var reason: Reason
}

/// The functions of a C file, followed for what is known of their arguments.
public final class Extraction {
    public let unit: CUnit
    let meaning: Meaning
    /// How many slots the cluster has.
    let slots: Int
    public private(set) var residuals: [String: Residual] = [:]
    public private(set) var errors: [ExtractionError] = []
    /// The entry points that were followed, with the names of their procedures.
    public private(set) var entries: [(function: String, procedure: String)] = []
    /// Assumptions that were made, in words.
    public internal(set) var assumptions: Set<String> = []
    var accounting = Accounting()
    private var flows: [String: Flow] = [:]
    private var automata: [String: Automaton] = [:]
    private var active: [String] = []
    private var covered: Set<String> = []
    /// By field, the DLM name of the lock that join() puts there.
    let lockNames: [String: String]

    public init(_ unit: CUnit, meaning: Meaning, slots: Int = 3) {
        self.unit = unit
        self.meaning = meaning
        self.slots = slots
        lockNames = Self.lockNames(in: unit).merging(meaning.locks) { _, told in told }
    }

    /// The same file with one function changed: what does not depend on it is taken from here.
    ///
    /// - Parameter unit: differs from this one's in the body of `function` alone.
    public func changed(_ unit: CUnit, function: String) -> Extraction {
        let other = Extraction(unit, meaning: meaning, slots: slots)
        other.assumptions = assumptions
        for (name, residual) in residuals where !dependsOn(function, name, []) { other.residuals[name] = residual }
        other.covered = covered.subtracting([function])
        other.followAll()
        return other
    }

    private func dependsOn(_ function: String, _ name: String, _ callers: Set<String>) -> Bool {
        guard let residual = residuals[name], !callers.contains(name) else { return false }
        if residual.covers(function) { return true }
        return residual.nodes.contains { node in
            guard case .call(let called, _) = node.step else { return false }
            return dependsOn(function, called, callers.union([name]))
        }
    }

    /// What a procedure does with those that it calls. Built once.
    func automaton(_ name: String) -> Automaton {
        if let known = automata[name] { return known }
        let made = AutomatonBuilder.build(name, residuals)
        automata[name] = made
        return made
    }

    func flow(_ function: String) -> Flow? {
        if let known = flows[function] { return known }
        guard let source = unit.function(named: function) else { return nil }
        let made = Flow(source)
        flows[function] = made
        return made
    }

    /// Follows the entry points that the meaning lists, then all functions that these did not come to.
    public func followAll() {
        for root in meaning.roots where unit.function(named: root.function) != nil {
            follow(root.function, root.arguments.map(argument))
        }
        // Callers first: what they call is seen in its place.
        let called = unit.functions.reduce(into: Set<String>()) { names, function in
            for statement in function.body { names.formUnion(statement.calls.subtracting([function.name])) }
        }
        let order = unit.functions.filter { !called.contains($0.name) } + unit.functions
        for function in order where !isCovered(function.name) { followUnknown(function) }
    }

    private func isCovered(_ name: String) -> Bool {
        covered.contains(name) || residuals.values.contains { $0.covers(name) }
            || errors.contains { $0.function == name }
    }

    /// All statements of a function have been worked out in the place of a call.
    func cover(_ name: String, _ flow: Flow) {
        covered.insert(name)
        for index in flow.statements.indices { accounting.note(name, index, .modelled) }
    }

    /// Follows functions of which only the types of their arguments are known.
    public func follow(_ functions: [String]) {
        for name in functions {
            if let function = unit.function(named: name) { followUnknown(function) }
        }
    }

    private func followUnknown(_ function: CFunction) {
        let arguments = function.parameters.enumerated().map { unknownArgument($0.element, number: $0.offset + 1) }
        follow(function.name, arguments, as: function.name)
    }

    /// Follows a function for these arguments; what goes wrong is in `errors`.
    ///
    /// - Parameter name: that of the procedure, where the arguments do not belong to it.
    @discardableResult
    func follow(_ function: String, _ arguments: [Value], as name: String? = nil) -> String? {
        do {
            let name = try procedure(function, arguments, as: name)
            if !entries.contains(where: { $0.procedure == name }) { entries.append((function, name)) }
            return name
        } catch {
            active = []
            if !errors.contains(error) { errors.append(error) }
            return nil
        }
    }

    /// The name of the procedure that a function is for certain arguments.
    func procedure(
        _ function: String, _ arguments: [Value], as told: String? = nil
    ) throws(ExtractionError) -> String {
        let shown = arguments.filter { if case .object = $0 { false } else { true } }.map(\.shown)
        let name = told ?? (shown.isEmpty ? function : "\(function)(\(shown.joined(separator: ", ")))")
        if residuals[name] != nil { return name }
        guard let flow = flow(function) else {
            throw ExtractionError(function: function, line: 0, reason: .unknownFunction)
        }
        guard !active.contains(name) else {
            throw ExtractionError(function: function, line: flow.function.lines.lowerBound, reason: .recursion)
        }
        active.append(name)
        let walk = Walk(self, flow, name: name)
        let residual = try walk.run(arguments)
        active.removeAll { $0 == name }
        residuals[name] = residual
        return name
    }

    /// What became of every statement.
    public var statements: [Accounting.Entry] {
        let failed = Set(errors.map(\.function))
        return accounting.entries(unit.functions.compactMap { flow($0.name) }).map { entry in
            guard failed.contains(entry.function) else { return entry }
            var open = entry
            open.fate = .unfollowed
            return open
        }
    }

    private func argument(_ text: String) -> Value {
        let words = text.split(separator: " ").map(String.init)
        switch words.first {
        case "device" where words.count == 2: return .device(words[1])
        case "lock" where words.count == 2: return .lock(words[1])
        case "slots": return .number(slots)
        case let word?:
            return Int(word).map { .number($0) } ?? (meaning.objects.contains(word) ? .object(word) : .symbol(of: word))
        case nil: return .symbol("")
        }
    }

    /// A parameter of which only the type is known.
    private func unknownArgument(_ parameter: CFunction.Parameter, number: Int) -> Value {
        if let record = Walk.record(parameter.type), meaning.objects.contains(record) { return .object(record) }
        return .symbol("argument \(number) (\(parameter.type))")
    }

    /// `cinfo->token_lockres = lockres_init(mddev, "token", ...)` says how the lock of a field is called.
    private static func lockNames(in unit: CUnit) -> [String: String] {
        var names: [String: String] = [:]
        func visit(_ body: [CStatement]) {
            for statement in body {
                if case .expression(.assign("=", .member(_, let field, let record, _), let value)) = statement.kind,
                    case .call(.function("lockres_init"), let arguments) = value, arguments.count > 1,
                    case .string(let name) = arguments[1]
                {
                    names["\(record).\(field)"] = name
                }
                statement.blocks.forEach(visit)
            }
        }
        for function in unit.functions { visit(function.body) }
        return names
    }
}

extension Residual {
    /// Whether a function's statements are in it.
    func covers(_ name: String) -> Bool { function == name || functions.contains(name) }
}
