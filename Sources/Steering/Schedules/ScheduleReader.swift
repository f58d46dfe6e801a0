// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Comparison
import Foundation
import NearNames
import Scenarios
import Yams

/// Reads a schedule file. Pure but for `read(file:)`: bytes in, a schedule or the first mistake with its line out.
public struct ScheduleReader {
    let file: String
    var nodeCount = 2
    var operations: [Schedule.Operation] = []
    var gates: [Schedule.HeldThread] = []

    public static func read(file url: URL) throws(ScheduleError) -> Schedule {
        let bytes: [UInt8]
        do {
            bytes = [UInt8](try Data(contentsOf: url))
        } catch {
            throw .unreadable(
                url.path,
                reason: FileManager.default.fileExists(atPath: url.path)
                    ? (error as NSError).localizedDescription : "no such file")
        }
        return try parse(bytes, name: url.deletingPathExtension().lastPathComponent, file: url.lastPathComponent)
    }

    public static func parse(_ bytes: [UInt8], name: String, file: String) throws(ScheduleError) -> Schedule {
        do {
            var reader = ScheduleReader(file: file)
            return try reader.schedule(bytes, name: name)
        } catch let error as ScenarioError {
            throw .scenario(error)
        } catch let error as ScheduleError {
            throw error
        } catch {
            throw .unreadable(file, reason: "\(error)")
        }
    }

    private mutating func schedule(_ bytes: [UInt8], name: String) throws -> Schedule {
        let scenario = try ScenarioReader.parse(bytes, name: name, file: file, isSchedule: true)
        let root = try YAMLText.parse(bytes, file: file)
        let known = (root.mapping?.keys.compactMap(\.scalar?.string) ?? [])
        let fields = try Fields(root, what: "a schedule", known: Array(known), file: file)
        guard fields.has("order") else {
            throw ScenarioError.file(file, line: fields.line, .missing(key: "order", what: "a schedule"))
        }
        nodeCount = scenario.nodeCounts.first ?? 2
        let steps = StepReader(file: file, nodeCount: nodeCount, disks: scenario.disks)
        for (name, node) in try pairs(fields, "operations") {
            let step = try steps.step(node)
            guard case .run(let run) = step.action, case .these(let nodes) = run.on, nodes.count == 1,
                let on = nodes.first
            else {
                throw fields.bad("operations", name, expected: "a command (run:) on one node")
            }
            operations.append(.init(name: name, node: on, run: run))
        }
        for (name, node) in try pairs(fields, "gates") { gates.append(try gate(name, node)) }
        var order: [Schedule.Entry] = []
        guard let list = fields.node("order")?.sequence else {
            throw ScenarioError.file(file, line: fields.line(of: "order"), .notAList(what: "order"))
        }
        for element in list { order.append(try entry(element)) }
        try check(order)
        return Schedule(
            scenario: scenario, model: try origin(fields), operations: operations, gates: gates, order: order,
            deadlock: try deadlock(fields))
    }

    private func origin(_ fields: Fields) throws -> Schedule.Origin? {
        guard let node = fields.node("model") else { return nil }
        let inner = try Fields(node, what: "model", known: ["variant", "workload"], file: file)
        return .init(variant: try inner.requiredText("variant"), workload: try inner.requiredText("workload"))
    }

    /// The entries of a mapping of names that the file chooses, in its order.
    private func pairs(_ fields: Fields, _ key: String) throws -> [(String, Node)] {
        guard let node = fields.node(key) else { return [] }
        guard let mapping = node.mapping else {
            throw ScenarioError.file(file, line: fields.line(of: key), .notAMapping(what: key))
        }
        var result: [(String, Node)] = []
        for (name, value) in mapping {
            let line = name.mark?.line ?? fields.line(of: key)
            let text = name.scalar?.string ?? ""
            // A gate's name is a word of the line that arms it in the kernel.
            guard !text.isEmpty, text.count < 24,
                text.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) })
            else {
                throw ScenarioError.file(
                    file, line: line,
                    .badValue(key: key, value: String(text.prefix(80)), expected: "names of letters, digits and -"))
            }
            if key == "operations", ScheduledThread.roles.contains(where: { $0.name == text }) {
                throw ScenarioError.file(
                    file, line: line, .badValue(key: key, value: text, expected: "a name that no thread of md has"))
            }
            result.append((text, value))
        }
        return result
    }

    private func gate(_ name: String, _ node: Node) throws -> Schedule.HeldThread {
        let fields = try Fields(node, what: "a gate", known: ["on", "thread", "entry", "return", "skip"], file: file)
        let on = try fields.oneNode("on", count: nodeCount)
        let thread = try thread(try fields.requiredText("thread"), on: on, line: fields.line(of: "thread"))
        let edges = [Gate.Edge.entry, .return].filter { fields.has($0.rawValue) }
        guard let edge = edges.first else {
            throw ScenarioError.file(file, line: fields.line, .noAction(actions: ["entry", "return"]))
        }
        if edges.count > 1 { throw ScenarioError.file(file, line: fields.line, .twoActions(edges.map(\.rawValue))) }
        let function = try self.function(try fields.requiredText(edge.rawValue), fields, edge.rawValue)
        return .init(
            name: name, thread: thread, edge: edge, function: function,
            skip: try fields.integer("skip", in: 0...10_000) ?? 0, line: fields.line)
    }

    private func function(_ name: String, _ fields: Fields, _ key: String) throws -> String {
        guard name.count < 64, name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ".") })
        else { throw fields.bad(key, name, expected: "the name of a kernel function") }
        return name
    }

    private func thread(_ name: String, on node: NodeID, line: Int) throws -> ScheduledThread {
        if let role = ScheduledThread.roles.first(where: { $0.name == name }) { return .init(node: node, role.kind) }
        let here = operations.filter { $0.node == node }.map(\.name)
        if here.contains(name) { return .init(node: node, .operation(name)) }
        throw unknown("thread", name, among: ScheduledThread.roles.map(\.name) + here, line)
    }

    /// "node2 resync"
    private func thread(_ text: String, line: Int) throws -> ScheduledThread {
        let words = text.split(separator: " ").map(String.init)
        let nodes = (1...nodeCount).map { "node\($0)" }
        guard words.count == 2 else {
            throw ScenarioError.file(
                file, line: line,
                .badValue(
                    key: "a thread", value: String(text.prefix(80)),
                    expected: "a node and a thread, such as node1 raid1d"))
        }
        guard nodes.contains(words[0]), let node = NodeID(name: words[0]) else {
            throw unknown("node", words[0], among: nodes, line)
        }
        return try thread(words[1], on: node, line: line)
    }

    func unknown(_ kind: String, _ name: String, among known: [String], _ line: Int) -> ScheduleError {
        let short = String(name.prefix(80))
        return .unknown(
            file: file, line: line, kind: kind, name: short, near: NameSuggestions.of(short, among: known), known: known
        )
    }

    // MARK: The order

    private static let events = ["start", "arm", "held", "release", "waits", "ends", "locks"]

    /// `must: true`, where there is something to wait for.
    private func isRequired(_ fields: Fields) throws -> Bool {
        switch try fields.text("must") {
        case nil, "false": return false
        case "true" where ["held", "waits", "ends", "locks"].contains(where: fields.has): return true
        case let value?:
            throw fields.bad("must", value, expected: "true or false, of held, waits, ends or locks")
        }
    }

    private func entry(_ node: Node) throws -> Schedule.Entry {
        let fields = try Fields(node, what: "an entry of order", known: Self.events + ["limit", "must"], file: file)
        let present = fields.keys.filter(Self.events.contains)
        guard let key = present.first else {
            throw ScenarioError.file(file, line: fields.line, .noAction(actions: Self.events))
        }
        if present.count > 1 { throw ScenarioError.file(file, line: fields.line, .twoActions(present)) }
        return .init(
            try event(key, fields), line: fields.line,
            limit: try fields.seconds("limit", otherwise: Schedule.Entry.defaultLimit),
            isRequired: try isRequired(fields))
    }

    private func event(_ key: String, _ fields: Fields) throws -> Schedule.Entry.Event {
        switch key {
        case "start": return .start(operation: try operation(try fields.requiredText(key), fields.line))
        case "arm": return .arm(gate: try known(fields.requiredText(key), fields.line))
        case "held": return .held(gate: try known(fields.requiredText(key), fields.line))
        case "release": return .release(gate: try known(fields.requiredText(key), fields.line))
        case "ends": return .ends(try (fields.texts(key) ?? []).map { try operation($0, fields.line) })
        case "waits":
            var list: [(thread: ScheduledThread, place: Schedule.Place)] = []
            for (name, value) in try texts(fields, key) {
                let place: Schedule.Place =
                    value == "rest" ? .rest : .function(try function(value, fields, key))
                list.append((try thread(name, line: fields.line), place))
            }
            return .waits(list)
        default:
            var list: [(lock: Schedule.NodeLock, mode: Schedule.LockState)] = []
            for (name, value) in try texts(fields, key) {
                list.append((try lock(name, fields.line), try state(value, fields, key)))
            }
            return .locks(list)
        }
    }

    /// A mapping of texts to texts, in the order of the file.
    private func texts(_ fields: Fields, _ key: String) throws -> [(String, String)] {
        guard let mapping = fields.node(key)?.mapping, !mapping.isEmpty else {
            throw ScenarioError.file(file, line: fields.line(of: key), .notAMapping(what: key))
        }
        return try mapping.map { name, value in
            guard let name = name.scalar?.string, let value = value.scalar?.string else {
                throw fields.bad(key, "a list or mapping", expected: "one value for each")
            }
            return (name, value)
        }
    }

    private func operation(_ name: String, _ line: Int) throws -> String {
        let names = operations.map(\.name)
        guard names.contains(name) else { throw unknown("operation", name, among: names, line) }
        return name
    }

    private func known(_ gate: String, _ line: Int) throws -> String {
        let names = gates.map(\.name)
        guard names.contains(gate) else { throw unknown("gate", gate, among: names, line) }
        return gate
    }

    static let resources = ["token", "message", "ack", "no-new-dev", "resync"]

    private func lock(_ text: String, _ line: Int) throws -> Schedule.NodeLock {
        let words = text.split(separator: " ").map(String.init)
        let nodes = (1...nodeCount).map { "node\($0)" }
        guard words.count == 2, let node = NodeID(name: words[0]), nodes.contains(words[0]) else {
            throw unknown("node", words.first ?? "", among: nodes, line)
        }
        guard Self.resources.contains(words[1]) else { throw unknown("lock", words[1], among: Self.resources, line) }
        return .init(node: node, resource: words[1])
    }

    private func state(_ text: String, _ fields: Fields, _ key: String) throws -> Schedule.LockState {
        let words = text.split(separator: " ").map(String.init)
        if words.count == 1, let mode = LockMode(name: words[0]) { return .init(granted: mode) }
        if words.count == 3, words[1] == "->", let granted = LockMode(name: words[0]),
            let wanted = LockMode(name: words[2])
        {
            return .init(granted: granted, requested: wanted)
        }
        throw fields.bad(key, text, expected: "a mode such as EX, or NL -> EX while it waits")
    }

    /// A gate is armed before it is used and released in the end, an operation begins once.
    private func check(_ order: [Schedule.Entry]) throws(ScheduleError) {
        var armed: Set<String> = []
        var open: [String: Int] = [:]
        var started: Set<String> = []
        func wrong(_ entry: Schedule.Entry, _ what: ScheduleError.Disorder) -> ScheduleError {
            .order(file: file, line: entry.line, what)
        }
        for entry in order {
            switch entry.event {
            case .arm(let gate):
                guard armed.insert(gate).inserted else { throw wrong(entry, .armedTwice(gate: gate)) }
                open[gate] = entry.line
            case .held(let gate):
                guard open[gate] != nil else { throw wrong(entry, .notArmed(gate: gate)) }
            case .release(let gate):
                guard open.removeValue(forKey: gate) != nil else { throw wrong(entry, .notArmed(gate: gate)) }
            case .start(let name):
                guard started.insert(name).inserted else { throw wrong(entry, .startedTwice(operation: name)) }
            case .ends(let names):
                for name in names where !started.contains(name) { throw wrong(entry, .notStarted(operation: name)) }
            case .waits(let list):
                for case .operation(let name) in list.map(\.thread.kind) where !started.contains(name) {
                    throw wrong(entry, .notStarted(operation: name))
                }
            case .locks: break
            }
        }
        if let (gate, line) = open.min(by: { $0.value < $1.value }) {
            throw .order(file: file, line: line, .neverReleased(gate: gate))
        }
        for operation in operations where !started.contains(operation.name) {
            throw .order(file: file, line: order.first?.line ?? 1, .neverStarted(operation: operation.name))
        }
    }

    // MARK: What comes of it

    private func deadlock(_ fields: Fields) throws -> [BlockedThread] {
        guard let node = fields.node("deadlock") else { return [] }
        guard let mapping = node.mapping, !mapping.isEmpty else {
            throw ScenarioError.file(file, line: fields.line(of: "deadlock"), .notAMapping(what: "deadlock"))
        }
        return try mapping.map { name, value in
            let line = name.mark?.line ?? fields.line
            let inner = try Fields(value, what: "a blocked thread", known: ["in", "waits-for", "held-by"], file: file)
            let stack = try (inner.texts("in") ?? []).map { try function($0, inner, "in") }
            if stack.isEmpty {
                throw ScenarioError.file(file, line: inner.line, .missing(key: "in", what: "a blocked thread"))
            }
            let text = try inner.requiredText("waits-for")
            guard let awaited = AwaitedThing(text) else {
                throw ScenarioError.file(
                    file, line: inner.line(of: "waits-for"),
                    .badValue(
                        key: "waits-for", value: text,
                        expected: "a lock and a mode (ack EX), a mutex, a bit, \"the end of THREAD\", or wake-up"))
            }
            return BlockedThread(
                thread: try thread(name.scalar?.string ?? "", line: line), stack: stack, waitsFor: awaited,
                heldBy: try inner.text("held-by").map { try thread($0, line: inner.line(of: "held-by")) })
        }
    }
}
