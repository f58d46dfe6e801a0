// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import ClusterProtocol
import Foundation
import KernelBuild
import Reporting
import RunRecord
import VirtualCluster

struct VM: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vm", abstract: "Bring a cluster up, open shells on its nodes, tear it down.",
        discussion: """
            On a terminal you get a shell on node1; Ctrl-] and a digit goes to another node, Ctrl-] q ends the cluster.
            The shared disks are /dev/vda to /dev/vdf. With --execute nothing is interactive: each command runs on its
            node ('node2: mdadm -D /dev/md0'), one after the other, and the cluster ends.
            """)

    @OptionGroup var input: BuildOptions

    @Option(help: "How many nodes: 1 to 4.")
    var nodes = 2

    @Flag(help: "Boot the nodes instead of restoring saved ones.")
    var cold = false

    @Flag(help: "Do not load the md modules and do not trace.")
    var bare = false

    @Option(
        help: ArgumentHelp(
            "Run a shell command on a node and leave; may be given several times.", valueName: "node: command"))
    var execute: [String] = []

    @Option(help: ArgumentHelp("Where to keep the record.", valueName: "folder"))
    var out: String?

    func validate() throws {
        guard (1...4).contains(nodes) else { throw ValidationError("--nodes is 1 to 4, not \(nodes).") }
        for command in execute { _ = try Self.parse(command, nodes: nodes) }
    }

    func run() async throws {
        let terminal = ProgressLine()
        let laboratory = try Laboratory(progress: terminal.handler)
        let bench = try await laboratory.prepare(try input.request(laboratory.builder.catalog), nodes: nodes)
        let layout = RunLayout(root: URL(filePath: out ?? "runs/vm-\(Self.stamp())"))
        let recorder = try laboratory.record(bench, scenario: RunDescription.byHand, cold: cold, in: layout) { event in
            terminal.show("\(event.node.map { $0 + ": " } ?? "")\(event.text)")
        }
        let cluster = try await laboratory.start(bench, cold: cold, loadingModules: !bare, recorder: recorder)
        var failed = false
        do {
            if !bare { try await cluster.loadModules() }
            terminal.clear()
            if execute.isEmpty {
                try await ShellSession(cluster: cluster).run()
            } else {
                failed = try await runCommands(on: cluster)
            }
            _ = try await cluster.snapshot("final")
        } catch {
            await laboratory.finish(cluster, of: bench, RunDescription.Ending(of: error))
            throw error
        }
        await laboratory.finish(cluster, of: bench, .finished)
        Terminal.write("record: \(layout.root.relativePath)\n", to: 2)
        if failed { throw ExitCode(Exit.fail) }
    }

    private func runCommands(on cluster: QEMUCluster) async throws -> Bool {
        var failed = false
        for command in execute {
            let (node, line) = try Self.parse(command, nodes: nodes)
            let result = try await cluster.guests[node - 1].run(["/bin/sh", "-c", line], limit: .seconds(120))
            print(result.output, terminator: "")
            Terminal.write(result.errors, to: 2)
            failed = failed || result.status != 0
        }
        return failed
    }

    /// "node2: mdadm -D /dev/md0"
    static func parse(_ command: String, nodes: Int) throws -> (node: Int, line: String) {
        let parts = command.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let node = NodeID(name: parts[0]), node.rawValue <= nodes else {
            throw ValidationError("--execute takes 'node1: command' with node1 to node\(nodes), not '\(command)'.")
        }
        return (node.rawValue, String(parts[1]))
    }

    static func stamp() -> String {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.dateFormat = "yyyyMMdd-HHmmss"
        return format.string(from: Date()) + "-\(getpid())"
    }
}
