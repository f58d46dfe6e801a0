// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import NearNames
import RunRecord
import Yams

/// Reads a scenario file.
///
/// Pure but for `read(file:)`: bytes in, a scenario or the first mistake with its line out.
public struct ScenarioReader {
    let file: String
    /// Every node a step names must exist in the smallest cluster the scenario can run with.
    var nodeCount = 2
    var disks = 2

    /// The keys of a schedule (see Steering): a scenario that goes on under control. Only where one is meant are they
    /// known.
    package static let scheduleKeys = ["model", "operations", "gates", "order", "deadlock"]

    /// - Parameters:
    ///   - name: of the scenario: the file's name without its ending.
    ///   - file: how messages call the file.
    ///   - isSchedule: the file may be a schedule; what makes it one is left to Steering.
    public static func parse(
        _ bytes: [UInt8], name: String, file: String, isSchedule: Bool = false
    ) throws(ScenarioError) -> Scenario {
        let root = try YAMLText.parse(bytes, file: file)
        var reader = ScenarioReader(file: file)
        return try reader.scenario(root, name: name, besides: isSchedule ? scheduleKeys : [])
    }

    public static func read(file url: URL) throws(ScenarioError) -> Scenario {
        let bytes: [UInt8]
        do {
            bytes = [UInt8](try Data(contentsOf: url))
        } catch {
            throw .unreadable(url.lastPathComponent, reason: (error as NSError).localizedDescription)
        }
        return try parse(bytes, name: url.deletingPathExtension().lastPathComponent, file: url.lastPathComponent)
    }

    private mutating func scenario(_ root: Node, name: String, besides: [String]) throws(ScenarioError) -> Scenario {
        let fields = try Fields(
            root, what: "a scenario",
            known: [
                "summary", "levels", "nodes", "disks", "disk-size", "array", "before", "steps", "expect", "known",
                "variants",
            ] + besides, file: file)
        let summary = try fields.requiredText("summary")
        let levels = try self.levels(fields)
        let nodeCounts = try self.nodeCounts(fields)
        let array = try self.array(fields)
        let disks = try fields.integer("disks", in: 1...16) ?? array.devices + array.spares
        guard disks >= array.devices + array.spares else {
            throw fields.bad("disks", "\(disks)", expected: "at least the \(array.devices + array.spares) of the array")
        }
        let diskMiB = try fields.mebibytes("disk-size", in: 16...4096) ?? 64
        if let size = array.sizeMiB, size >= diskMiB {
            throw fields.bad("disk-size", "\(diskMiB)M", expected: "more than the array's size of \(size)M")
        }
        (nodeCount, self.disks) = (nodeCounts.min() ?? 2, disks)
        let before = try steps(fields, "before")
        let steps = try steps(fields, "steps")
        try checkBackgroundNames(before + steps)
        return Scenario(
            name: name, summary: summary, levels: levels, nodeCounts: nodeCounts, disks: disks, diskMiB: diskMiB,
            array: array,
            before: before, steps: steps, expect: try expectation(fields), variants: try variants(fields),
            known: try known(fields))
    }

    private func levels(_ fields: Fields) throws(ScenarioError) -> [RaidLevel] {
        var levels: [RaidLevel] = []
        for name in try fields.texts("levels") ?? ["raid1"] {
            guard let level = RaidLevel(rawValue: name), !levels.contains(level) else {
                throw fields.bad("levels", name, expected: "raid1 or raid10, each once")
            }
            levels.append(level)
        }
        return levels
    }

    private func nodeCounts(_ fields: Fields) throws(ScenarioError) -> [Int] {
        var counts: [Int] = []
        for text in try fields.texts("nodes") ?? ["2"] {
            guard let count = Int(text), (2...4).contains(count), !counts.contains(count) else {
                throw fields.bad("nodes", text, expected: "numbers from 2 to 4, each once")
            }
            counts.append(count)
        }
        return counts
    }

    private func array(_ fields: Fields) throws(ScenarioError) -> ArrayLayout {
        guard let node = fields.node("array") else { return ArrayLayout() }
        let inner = try Fields(
            node, what: "an array", known: ["devices", "spares", "assume-clean", "size", "bitmap-chunk", "slots"],
            file: file)
        return ArrayLayout(
            devices: try inner.integer("devices", in: 2...8) ?? 2, spares: try inner.integer("spares", in: 0...8) ?? 0,
            assumeClean: try inner.boolean("assume-clean") ?? true, sizeMiB: try inner.mebibytes("size", in: 4...4096),
            bitmapChunkMiB: try inner.mebibytes("bitmap-chunk", in: 1...64),
            slots: try inner.integer("slots", in: 2...64))
    }

    private func steps(_ fields: Fields, _ key: String) throws(ScenarioError) -> [Step] {
        guard let node = fields.node(key) else { return [] }
        return try StepReader(file: file, nodeCount: nodeCount, disks: disks).steps(node, what: key)
    }

    private func checkBackgroundNames(_ steps: [Step]) throws(ScenarioError) {
        var started: [String] = []
        func walk(_ steps: [Step]) throws(ScenarioError) {
            for step in steps {
                switch step.action {
                case .run(let run): if let name = run.background { started.append(name) }
                case .join(let name, _):
                    guard started.contains(name) else {
                        throw .file(
                            file, line: step.line,
                            .unknownBackground(name, near: NameSuggestions.of(name, among: started)))
                    }
                case .together(let branches): for branch in branches { try walk(branch) }
                case .repeat(_, let inner): try walk(inner)
                default: break
                }
            }
        }
        try walk(steps)
    }

    private func expectation(_ fields: Fields) throws(ScenarioError) -> Expectation {
        guard let node = fields.node("expect") else { return Expectation() }
        let selectors = ["all", "others"] + (1...nodeCount).map { "node\($0)" }
        let inner = try Fields(node, what: "expect", known: ["METADATA_UPDATED"] + selectors, file: file)
        var result = Expectation()
        result.metadataUpdated = try inner.integer("METADATA_UPDATED", in: 0...10_000) ?? 0
        for key in selectors where inner.has(key) {
            guard let value = inner.node(key) else { continue }
            result.nodes.append(try nodeExpectation(value, on: key, line: inner.line(of: key)))
        }
        return result
    }

    private func nodeExpectation(_ node: Node, on key: String, line: Int) throws(ScenarioError) -> NodeExpectation {
        let inner = try Fields(
            node, what: "what is expected of \(key)", known: NodeExpectation.knownAttributes + ["devices"], file: file)
        let on: NodeSet =
            switch key {
            case "all": .all
            case "others": .others
            default: .these([try inner.node(named: key, key: key, count: nodeCount)])
            }
        var result = NodeExpectation(on: on, line: line)
        for attribute in inner.keys where attribute != "devices" {
            result.attributes[attribute] = try inner.texts(attribute)
        }
        if let devices = inner.node("devices") {
            let names = (0..<disks).map(diskName)
            let states = try Fields(devices, what: "devices", known: names, file: file)
            for name in states.keys {
                let state = try states.requiredText(name)
                guard NodeExpectation.deviceStates.contains(state) else {
                    throw states.bad(
                        name, state, expected: "a word of dev-*/state such as in_sync, faulty, spare, or absent")
                }
                result.devices[name] = state
            }
        }
        return result
    }

    /// The names of checks that a kernel may be expected to fail.
    public static let checkNames = ["synchronous", "dlm-words", "agreement", "kernel-log", "no-hang", "scenario"]

    private func variants(_ fields: Fields) throws(ScenarioError) -> [String: ExpectedFailure] {
        var result: [String: ExpectedFailure] = [:]
        for (name, value) in try named("variants", fields) {
            let inner = try Fields(value, what: "a variant", known: ["fails", "cycle"], file: file)
            let checks = try checks(inner, of: "a variant")
            var cycle: [NodeID] = []
            for name in try inner.texts("cycle") ?? [] {
                cycle.append(try inner.node(named: name, key: "cycle", count: nodeCount))
            }
            result[name] = ExpectedFailure(checks: checks, cycle: cycle)
        }
        return result
    }

    private func known(_ fields: Fields) throws(ScenarioError) -> [KnownFailure] {
        var result: [KnownFailure] = []
        for (finding, value) in try named("known", fields) {
            // `says:` is of older files: texts of findings, which no longer decide anything.
            let inner = try Fields(value, what: "a known failure", known: ["fails", "finds", "says"], file: file)
            let checks = try checks(inner, of: "a known failure")
            let said = try inner.texts("says") != nil
            guard let finds = try inner.texts("finds") ?? (said ? [] : nil) else {
                throw ScenarioError.file(file, line: inner.line, .missing(key: "finds", what: "a known failure"))
            }
            var facts: [FindingFact] = []
            for text in finds {
                guard let fact = FindingFact(text) else {
                    throw inner.bad(
                        "finds", text,
                        expected: "\"differs FILE [NODE=VALUE]\", \"superblock DEVICE\" or \"expected NAME [is=VALUE]\""
                    )
                }
                facts.append(fact)
            }
            result.append(KnownFailure(finding: finding, checks: checks, finds: facts))
        }
        return result
    }

    /// The entries of a mapping with keys of the author's choice, in the file's order.
    private func named(_ key: String, _ fields: Fields) throws(ScenarioError) -> [(String, Node)] {
        guard let node = fields.node(key) else { return [] }
        guard let mapping = node.mapping else {
            throw .file(file, line: fields.line(of: key), .notAMapping(what: key))
        }
        var result: [(String, Node)] = []
        for (name, value) in mapping {
            guard let text = name.scalar?.string, !text.isEmpty else {
                throw .file(file, line: name.mark?.line ?? 1, .notAMapping(what: key))
            }
            result.append((text, value))
        }
        return result
    }

    private func checks(_ fields: Fields, of what: String) throws(ScenarioError) -> [String] {
        guard let checks = try fields.texts("fails") else {
            throw .file(file, line: fields.line, .missing(key: "fails", what: what))
        }
        for check in checks where !Self.checkNames.contains(check) {
            throw fields.bad("fails", check, expected: "one of " + Self.checkNames.joined(separator: ", "))
        }
        return checks
    }
}

extension FindingFact {
    /// "differs dev-vdb node1=no such member, node2=a member": kind, subject, and values that must be so.
    init?(_ text: String) {
        let words = text.split(separator: " ", maxSplits: 2).map(String.init)
        guard words.count >= 2, let kind = Kind(rawValue: words[0]) else { return nil }
        var values: [String: String] = [:]
        for part in words.count > 2 ? words[2].split(separator: ",") : [] {
            let sides = part.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            guard sides.count == 2 else { return nil }
            values[sides[0]] = sides[1]
        }
        self.init(kind, words[1], values)
    }
}
