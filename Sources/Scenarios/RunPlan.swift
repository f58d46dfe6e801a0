// SPDX-License-Identifier: GPL-2.0
import Foundation
import NearNames

/// One run that was asked for: a scenario, and the broken kernel to run it on, if any.
public struct PlannedRun: Sendable, Equatable {
    public var instance: ScenarioInstance
    public var variant: String?

    public init(_ instance: ScenarioInstance, variant: String?) { (self.instance, self.variant) = (instance, variant) }

    /// "smoke", "smoke/3-nodes", "smoke@async".
    public var name: String { instance.name + (variant.map { "@" + $0 } ?? "") }

    /// The name as a file name: "smoke-3-nodes@async".
    public var folderName: String { name.replacing("/", with: "-") }
}

extension ScenarioCatalogue {
    /// The runs that names of the command line stand for, in their order, each once. "NAME@VARIANT" asks for a variant.
    ///
    /// - Parameters:
    ///   - variant: for the names that ask for none.
    ///   - variants: the variants that exist.
    public func plan(
        _ names: [String], nodes: Int? = nil, variant: String? = nil, variants: [String]
    ) throws(ScenarioError) -> [PlannedRun] {
        var runs: [PlannedRun] = []
        for name in names {
            let parts = name.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let wanted = parts.count > 1 ? parts[1] : variant
            if let wanted, !variants.contains(wanted) {
                throw .unknownVariant(wanted, near: NameSuggestions.of(wanted, among: variants), known: variants)
            }
            for instance in try select(parts.first ?? "", nodes: nodes) {
                let run = PlannedRun(instance, variant: wanted)
                if !runs.contains(run) { runs.append(run) }
            }
        }
        return runs
    }

    /// The names of a suite file: one a line, `#` begins a comment.
    public static func names(inSuite text: String) -> [String] {
        text.split(separator: "\n").map { line in
            String(line.prefix { $0 != "#" }).trimmingWhitespace()
        }.filter { !$0.isEmpty }
    }
}
