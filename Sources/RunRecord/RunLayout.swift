// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation

/// Where the parts of a run record are. The record is the seam of the house: everything that judges works from it
/// alone.
///
///     run.json  events.ndjson  scenario.yaml  changes.diff  rules/  verdict.json  results.ktap  network.pcap
///     node1/    console.log  kmsg.log  trace.dat  corosync.log  snapshots/NN-LABEL.json
public struct RunLayout: Sendable, Hashable {
    public var root: URL
    public init(root: URL) { self.root = root }

    public var description: URL { root.appending(path: "run.json") }
    public var events: URL { root.appending(path: "events.ndjson") }
    /// A copy of the scenario's file, so that a later change of the file does not change an old verdict.
    public var scenario: URL { root.appending(path: "scenario.yaml") }
    /// The rules for kernel logs that were in force; not there in records of format 1.
    public var rules: URL { root.appending(path: "rules") }
    /// What was built, against the kernel's own source: patches and variant. Not there for modules that were not built
    /// here.
    public var changes: URL { root.appending(path: "changes.diff") }
    /// What lines ran, all nodes together, as lcov's tracefile; only there for modules built with counters.
    public var coverage: URL { root.appending(path: "coverage.info") }
    public var verdict: URL { root.appending(path: "verdict.json") }
    public var ktap: URL { root.appending(path: "results.ktap") }
    public var capture: URL { root.appending(path: "network.pcap") }

    public func node(_ node: NodeID) -> NodeLayout { NodeLayout(root: root.appending(path: node.description)) }
}

/// The part of a record that one node left.
public struct NodeLayout: Sendable, Hashable {
    public var root: URL
    public init(root: URL) { self.root = root }

    /// What the serial line printed.
    public var console: URL { root.appending(path: "console.log") }
    /// /dev/kmsg records as the kernel gives them ("prio,seq,usec,flag;text" and continuation lines).
    public var kmsg: URL { root.appending(path: "kmsg.log") }
    public var trace: URL { root.appending(path: "trace.dat") }
    public var corosync: URL { root.appending(path: "corosync.log") }
    public var snapshots: URL { root.appending(path: "snapshots") }
}
