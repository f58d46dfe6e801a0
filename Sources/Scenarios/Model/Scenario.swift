// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import RunRecord

/// What one scenario file says: a clustered array, what is done to it on which node, and what must be true at the end.
///
/// A file stands for several runs, one per level and number of nodes; `instances` lists them:
///
///     levels: [raid1, raid10]      fail-device          fail-device/3-nodes
///     nodes: [2, 3]                fail-device/raid10   fail-device/raid10/3-nodes
public struct Scenario: Sendable, Equatable {
    /// The file's name without ".yaml".
    public var name: String
    /// One sentence for a list.
    public var summary: String
    public var levels: [RaidLevel]
    /// Numbers of nodes this scenario can run with; the first is what it runs with when nobody asks.
    public var nodeCounts: [Int]
    /// Shared disks: vda, vdb, ...
    public var disks: Int
    public var diskMiB: Int
    public var array: ArrayLayout
    /// Steps before the array is created.
    public var before: [Step]
    public var steps: [Step]
    public var expect: Expectation
    /// Variant -> what must fail there. A variant that is not here is judged like the unchanged kernel.
    public var variants: [String: ExpectedFailure]
    /// What the kernel is known to do wrong here now and then.
    public var known: [KnownFailure]

    /// Every run the file stands for, the plain one first.
    public var instances: [ScenarioInstance] {
        nodeCounts.flatMap { nodes in
            levels.map { ScenarioInstance(scenario: self, level: $0, nodes: nodes) }
        }
    }
}

/// The personalities that md-cluster supports.
public enum RaidLevel: String, Sendable, CaseIterable {
    case raid1, raid10
    /// What `mdadm --level` takes.
    var number: String { rawValue.hasPrefix("raid") ? String(rawValue.dropFirst(4)) : rawValue }
}

/// How `mdadm --create` is called. Members and spares are the first disks, in order.
public struct ArrayLayout: Sendable, Equatable {
    public var devices = 2
    public var spares = 0
    /// False: the new array resyncs.
    public var assumeClean = true
    /// The part of each disk that is used; nil: all of it.
    public var sizeMiB: Int?
    /// What one bit of the bitmap stands for; nil: mdadm's choice, 64 MiB.
    public var bitmapChunkMiB: Int?
    /// Bitmap slots, one a node that may have the array; nil: as many as there are nodes. mdadm's own number is 4.
    public var slots: Int?

    /// "/dev/vda", ...: what is given to create and assemble.
    public var devicePaths: [String] { (0..<devices + spares).map { "/dev/" + diskName($0) } }
}

/// "vda" for 0, as virtio-blk names the shared disks in the order in which they are attached.
public func diskName(_ index: Int) -> String { "vd" + String(UnicodeScalar(UInt8(97 + index % 26))) }

/// One run: a scenario with its level and its number of nodes chosen.
public struct ScenarioInstance: Sendable, Equatable {
    public var scenario: Scenario
    public var level: RaidLevel
    public var nodes: Int

    public init(scenario: Scenario, level: RaidLevel, nodes: Int) {
        (self.scenario, self.level, self.nodes) = (scenario, level, nodes)
    }

    /// "smoke", "smoke/raid10", "smoke/3-nodes", "smoke/raid10/3-nodes": what differs from the plain run is in the
    /// name.
    public var name: String {
        var parts = [scenario.name]
        if level != scenario.levels.first { parts.append(level.rawValue) }
        if nodes != scenario.nodeCounts.first { parts.append("\(nodes)-nodes") }
        return parts.joined(separator: "/")
    }

    public var nodeIDs: [NodeID] { (1...nodes).map { NodeID($0) } }

    /// What must fail with this variant; nil: nothing may fail.
    public func expectedFailure(variant: String?) -> ExpectedFailure? { variant.flatMap { scenario.variants[$0] } }
}

/// A fault of the kernel that a run may meet or not, as the schedule falls: a heading of docs/findings.md, and how to
/// tell it from any other fault.
public struct KnownFailure: Sendable, Equatable {
    public var finding: String
    /// Names of the checks that fail: all of these, and no other.
    public var checks: [String]
    /// Every finding of those checks is one of these.
    public var finds: [FindingFact]

    /// Whether this, and nothing beside it, is what was found.
    func explains(_ failing: [CheckResult]) -> Bool {
        Set(failing.map(\.name)) == Set(checks)
            && failing.flatMap(\.findings).allSatisfy { finding in
                finding.fact.map { fact in finds.contains { fact.fits($0) } } ?? false
            }
    }
}

/// What must fail when a broken kernel runs the scenario: these checks, and no other.
public struct ExpectedFailure: Sendable, Equatable {
    /// Names of checks: "synchronous", "no-hang", ...
    public var checks: [String]
    /// Nodes that the findings of those checks must name; empty: any.
    public var cycle: [NodeID] = []
}
