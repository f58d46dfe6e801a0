// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Foundation
import ProtocolTrace
import Reporting
import RunRecord

/// `mdlab events RUN`: the course of a run, with what the commands of its steps printed.
struct Events: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print what happened in a run, in order: steps and what they printed, waits, snapshots, ends.",
        discussion: "Each line has the seconds since the run began and the node; what a command printed is indented.")

    @Argument(help: "The folder of a run.") var folder: String
    @Option(help: ArgumentHelp("Only what happened on this node, such as node2.", valueName: "name")) var node: String?
    @Flag(help: "Only steps and what they printed.") var steps = false

    func run() throws {
        let recording = try Recording.open(URL(filePath: folder))
        if let node, !recording.nodes.contains(where: { "\($0.id)" == node }) {
            throw ValidationError(
                "no \(node) in \(folder): it has \(recording.nodes.map { "\($0.id)" }.joined(separator: ", ")).")
        }
        for event in recording.events where node == nil || event.node == node {
            if steps, ![.step, .stepEnd, .output].contains(event.kind) { continue }
            print(Self.text(event), terminator: "")
        }
        for part in recording.missing where part.path == "events.ndjson" {
            Terminal.write("mdlab: \(ReportWording.text(part))\n", to: 2)
        }
    }

    /// "  12.345 node1    mdadm --detail /dev/md0 (status 0)", and the lines that it printed.
    static func text(_ event: RunEvent) -> String {
        let time = String(format: "%9.3f", event.time)
        let node = (event.node ?? "").padding(toLength: 6, withPad: " ", startingAt: 0)
        let status = event.kind == .output ? event.facts["status"].map { " (status \($0))" } ?? "" : ""
        var text = "\(time) \(node) \(event.text)\(status)\n"
        guard event.kind == .output else { return text }
        for key in ["output", "errors"] {
            for line in (event.facts[key] ?? "").split(separator: "\n", omittingEmptySubsequences: true) {
                text += "                   \(key == "errors" ? "! " : "| ")\(line)\n"
            }
        }
        return text
    }
}
