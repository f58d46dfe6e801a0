// SPDX-License-Identifier: GPL-2.0
import Foundation
import NearNames

/// The scenario files of a directory.
public struct ScenarioCatalogue: Sendable {
    /// Sorted by name.
    public let scenarios: [Scenario]

    public init(_ scenarios: [Scenario]) { self.scenarios = scenarios.sorted { $0.name < $1.name } }

    /// Reads every .yaml file of a directory. Throws the first mistake in one of them: a broken file is never left out
    /// in silence.
    public init(directory: URL) throws(ScenarioError) {
        let urls =
            (try? FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil)) ?? []
        let files = urls.filter { $0.pathExtension == "yaml" }.sorted { $0.lastPathComponent < $1.lastPathComponent }
        if files.isEmpty { throw .noScenarios(directory: directory.path) }
        var scenarios: [Scenario] = []
        for file in files { scenarios.append(try ScenarioReader.read(file: file)) }
        self.init(scenarios)
    }

    public var instances: [ScenarioInstance] { scenarios.flatMap(\.instances) }

    /// What a name of the command line stands for: one run ("smoke", "smoke/raid10"), every run of a scenario
    /// ("smoke/all"), or everything ("all").
    ///
    /// - Parameter nodes: the number of nodes that was asked for, or nil for the one in the name.
    public func select(_ name: String, nodes: Int? = nil) throws(ScenarioError) -> [ScenarioInstance] {
        var found: [ScenarioInstance]
        if name == "all" {
            found = instances
        } else if name.hasSuffix("/all"), let scenario = scenarios.first(where: { $0.name == name.dropLast(4) }) {
            found = scenario.instances
        } else {
            found = instances.filter { $0.name == name }
        }
        if found.isEmpty {
            throw .unknownScenario(name, near: NameSuggestions.of(name, among: instances.map(\.name) + ["all"]))
        }
        guard let nodes else { return found }
        for instance in found where !instance.scenario.nodeCounts.contains(nodes) {
            throw .nodes(scenario: instance.name, asked: nodes, possible: instance.scenario.nodeCounts)
        }
        var chosen: [ScenarioInstance] = []
        for instance in found {
            let wanted = ScenarioInstance(scenario: instance.scenario, level: instance.level, nodes: nodes)
            if !chosen.contains(wanted) { chosen.append(wanted) }
        }
        return chosen
    }
}
