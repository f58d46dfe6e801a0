// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import NearNames
import VirtualCluster
import Yams

/// Reads the steps of a scenario. A step is a mapping with exactly one action key and the keys that go with it.
package struct StepReader {
    let file: String
    let nodeCount: Int
    let disks: Int

    /// Action -> the other keys a step with it may have.
    static let actions: [String: [String]] = [
        "run": ["on", "status", "limit", "background"], "join": ["limit"], "write": ["to", "on"], "wait": ["limit"],
        "settle": [],
        "confirm": ["on"], "stop": [], "assemble": [], "crash": [], "freeze": [], "thaw": [], "cut": [], "mend": [],
        "together": [], "repeat": ["steps"],
    ]
    /// Seconds that a step may take on a machine of ordinary speed, when the scenario does not say.
    static let commandLimit = 30.0
    static let waitLimit = 60.0

    package init(file: String, nodeCount: Int, disks: Int) {
        (self.file, self.nodeCount, self.disks) = (file, nodeCount, disks)
    }

    func steps(_ node: Node, what: String) throws(ScenarioError) -> [Step] {
        guard let list = node.sequence else { throw .file(file, line: node.mark?.line ?? 1, .notAList(what: what)) }
        var result: [Step] = []
        for element in list { result.append(try step(element)) }
        return result
    }

    package func step(_ node: Node) throws(ScenarioError) -> Step {
        let known = Set(Self.actions.keys).union(Self.actions.values.joined())
        let fields = try Fields(node, what: "a step", known: known.sorted(), file: file)
        let present = fields.keys.filter { Self.actions[$0] != nil }
        guard let name = present.first else {
            throw .file(file, line: fields.line, .noAction(actions: Self.actions.keys.sorted()))
        }
        if present.count > 1 { throw .file(file, line: fields.line, .twoActions(present)) }
        let allowed = Self.actions[name] ?? []
        for key in fields.keys where key != name && !allowed.contains(key) {
            throw .file(
                file, line: fields.line(of: key),
                .unknownKey(key, what: "a step with \(name)", near: NameSuggestions.of(key, among: allowed)))
        }
        return Step(action: try action(name, fields), line: fields.line)
    }

    private func action(_ name: String, _ fields: Fields) throws(ScenarioError) -> Step.Action {
        switch name {
        case "run": return .run(try run(fields))
        case "join":
            return .join(
                try fields.requiredText("join"), limit: try fields.seconds("limit", otherwise: Self.commandLimit))
        case "write":
            let path = try fields.requiredText("to")
            guard path.hasPrefix("/") else { throw fields.bad("to", path, expected: "a path from the root") }
            return .write(text: try fields.requiredText("write"), path: path, on: try on(fields))
        case "wait":
            let conditions = try ConditionReader(file: file, nodeCount: nodeCount, disks: disks).conditions(
                fields, "wait")
            return .wait(conditions, limit: try fields.seconds("limit", otherwise: Self.waitLimit))
        case "settle":
            return .settle(limit: try fields.seconds("settle", otherwise: Self.waitLimit))
        case "confirm":
            let text = try fields.requiredText("confirm")
            guard let policy = ConfirmationPolicy(rawValue: text) else {
                throw fields.bad("confirm", text, expected: "confirm, missing or silent")
            }
            return .confirm(policy, on: try on(fields))
        case "stop": return .stop(try some(fields, "stop"))
        case "assemble": return .assemble(try some(fields, "assemble"))
        case "crash": return .crash(try fields.oneNode("crash", count: nodeCount))
        case "freeze": return .freeze(try fields.oneNode("freeze", count: nodeCount))
        case "thaw": return .thaw(try fields.oneNode("thaw", count: nodeCount))
        case "cut", "mend":
            guard case .these(let ends) = try some(fields, name), ends.count == 2, ends[0] != ends[1] else {
                throw fields.bad(name, "", expected: "two nodes, such as [node1, node2]")
            }
            return .link(ends[0], ends[1], up: name == "mend")
        case "together": return .together(try branches(fields))
        default:
            let times = try fields.integer("repeat", in: 1...1000) ?? 1
            guard let steps = fields.node("steps") else {
                throw .file(file, line: fields.line, .missing(key: "steps", what: "a step with repeat"))
            }
            return .repeat(times, try self.steps(steps, what: "steps"))
        }
    }

    private func run(_ fields: Fields) throws(ScenarioError) -> RunStep {
        let command: RunStep.Command
        if fields.node("run")?.sequence != nil {
            command = .argv(try fields.texts("run") ?? [])
        } else {
            command = .shell(try fields.requiredText("run"))
        }
        var step = RunStep(
            command: command, on: try on(fields), limit: try fields.seconds("limit", otherwise: Self.commandLimit))
        switch try fields.text("status") {
        case nil: break
        case "any": step.status = .any
        case "nonzero": step.status = .nonzero
        case let text?:
            guard let number = Int32(text), (0...255).contains(number) else {
                throw fields.bad("status", text, expected: "an exit status, any or nonzero")
            }
            step.status = .exactly(number)
        }
        if let name = try fields.text("background") {
            guard case .these(let nodes) = step.on, nodes.count == 1 else {
                throw fields.bad("background", name, expected: "a step on one node")
            }
            step.background = name
        }
        return step
    }

    private func branches(_ fields: Fields) throws(ScenarioError) -> [[Step]] {
        guard let node = fields.node("together"), let list = node.sequence else {
            throw .file(file, line: fields.line, .notAList(what: "together"))
        }
        var result: [[Step]] = []
        for branch in list {
            result.append(branch.sequence == nil ? [try step(branch)] : try steps(branch, what: "a branch of together"))
        }
        if result.count < 2 {
            throw fields.bad("together", "\(result.count) branches", expected: "at least two branches")
        }
        return result
    }

    private func on(_ fields: Fields) throws(ScenarioError) -> NodeSet { try some(fields, "on") }

    private func some(_ fields: Fields, _ key: String) throws(ScenarioError) -> NodeSet {
        guard let nodes = try fields.nodes(key, count: nodeCount) else {
            throw .file(file, line: fields.line, .missing(key: key, what: "a step"))
        }
        return nodes
    }
}

/// Reads what can be waited for.
struct ConditionReader {
    let file: String
    let nodeCount: Int
    let disks: Int

    private static let subjects = ["md", "file", "device", "idle"]
    private static let relations = ["is", "is-not", "contains", "lacks", "at-least"]

    /// One condition or a list of them: all must hold.
    func conditions(_ fields: Fields, _ key: String) throws(ScenarioError) -> [Condition] {
        guard let node = fields.node(key) else {
            throw .file(file, line: fields.line, .missing(key: key, what: "a step"))
        }
        guard let list = node.sequence else { return [try condition(node)] }
        var result: [Condition] = []
        for element in list { result.append(try condition(element)) }
        if result.isEmpty { throw .file(file, line: fields.line(of: key), .emptyList(key: key)) }
        return result
    }

    private func condition(_ node: Node) throws(ScenarioError) -> Condition {
        let what = "a condition"
        let fields = try Fields(node, what: what, known: ["on"] + Self.subjects + Self.relations, file: file)
        let subjects = fields.keys.filter(Self.subjects.contains)
        guard let subject = subjects.first else {
            throw .file(file, line: fields.line, .noAction(actions: Self.subjects))
        }
        if subjects.count > 1 { throw .file(file, line: fields.line, .twoActions(subjects)) }
        if subject == "idle" {
            guard let nodes = try fields.nodes("idle", count: nodeCount) else {
                throw .file(file, line: fields.line, .missing(key: "idle", what: what))
            }
            return .idle(on: nodes)
        }
        guard let nodes = try fields.nodes("on", count: nodeCount, allowAny: true) else {
            throw .file(file, line: fields.line, .missing(key: "on", what: what))
        }
        let name = try fields.requiredText(subject)
        switch subject {
        case "device":
            let names = (0..<disks).map(diskName)
            guard names.contains(name) else {
                throw fields.bad("device", name, expected: names.joined(separator: ", "))
            }
            let path = "/sys/block/md0/md/dev-\(name)/state"
            return .file(path: path, try deviceRelation(fields), on: nodes)
        case "md":
            let attribute = name.hasPrefix("dev-") || NodeExpectation.knownAttributes.contains(name)
            guard attribute else {
                throw .file(
                    file, line: fields.line(of: "md"),
                    .unknownKey(
                        name, what: "/sys/block/md0/md",
                        near: NameSuggestions.of(name, among: NodeExpectation.knownAttributes)
                    ))
            }
            return .file(path: "/sys/block/md0/md/" + name, try relation(fields), on: nodes)
        default:
            guard name.hasPrefix("/") else { throw fields.bad("file", name, expected: "a path from the root") }
            return .file(path: name, try relation(fields), on: nodes)
        }
    }

    private func relation(_ fields: Fields) throws(ScenarioError) -> Condition.Relation {
        let relations = fields.keys.filter(Self.relations.contains)
        guard let name = relations.first else {
            throw .file(file, line: fields.line, .noAction(actions: Self.relations))
        }
        if relations.count > 1 { throw .file(file, line: fields.line, .twoActions(relations)) }
        switch name {
        case "is": return .isOne(of: try fields.texts("is") ?? [])
        case "is-not": return .isNone(of: try fields.texts("is-not") ?? [])
        case "contains": return .contains(try fields.requiredText("contains"))
        case "lacks": return .lacks(try fields.requiredText("lacks"))
        default:
            let text = try fields.requiredText("at-least")
            guard let number = Int64(text) else { throw fields.bad("at-least", text, expected: "a number") }
            return .atLeast(number)
        }
    }

    /// A device's state is a list of words: "is" asks for one of them.
    private func deviceRelation(_ fields: Fields) throws(ScenarioError) -> Condition.Relation {
        let relation = try relation(fields)
        let key = fields.has("is") ? "is" : "is-not"
        guard let words = try fields.texts(key), words.count == 1 else {
            throw .file(file, line: fields.line, .missing(key: "is", what: "a condition on a device"))
        }
        guard NodeExpectation.deviceStates.contains(words[0]) else {
            throw fields.bad(key, words[0], expected: "a word of dev-*/state such as in_sync, faulty, spare, or absent")
        }
        if words[0] == Condition.absent { return relation }
        return key == "is" ? .contains(words[0]) : .lacks(words[0])
    }
}
