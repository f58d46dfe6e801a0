// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import ClusterProtocol
import Foundation
import KernelBuild
import RunRecord
import VirtualCluster

struct VM: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vm", abstract: "Bring a cluster up, open shells on its nodes, tear it down.")

    @Option(help: "How many nodes, 1 to 4.") var nodes = 2
    @Option(help: "A packaged kernel: 6.1 or 6.12.") var kernel = "6.1"
    @Option(help: "A variant") var variant: String?
    @Option(help: "Run this on node1 and leave.") var execute: [String] = []

    func run() async throws {
        let laboratory = try Laboratory { progress in FileHandle.standardError.write(Data("\(progress)\n".utf8)) }
        let configuration = try await laboratory.configuration(for: BuildRequest(kernel: .packaged(kernel), variant: variant), nodes: nodes)
        let layout = RunLayout(root: URL(filePath: "runs/vm-\(getpid())"))
        let recorder = try RunRecorder(
            layout: layout,
            description: RunDescription(
                toolVersion: "0", scenario: "vm", started: Date(), nodes: nodes, kernelRelease: configuration.kernelRelease,
                start: .cold, accelerator: "tcg")
        ) { event in
            FileHandle.standardError.write(Data("\(String(format: "%7.2f", event.time)) \(event.node ?? "") \(event.text)\n".utf8))
        }
        let cluster = try await VirtualCluster.boot(configuration, recorder: recorder)
        try await cluster.loadModules()
        for command in execute {
            let parts = command.split(separator: ":", maxSplits: 1)
            let node = cluster.guests[Int(parts[0].dropFirst(4))! - 1]
            do {
                let result = try await node.run(["/bin/busybox", "sh", "-c", String(parts[1])], limit: .seconds(30))
                print(result.output, result.errors, result.status)
            } catch { print("\(error)") }
        }
        _ = try await cluster.snapshot("final")
        await cluster.finishRecord()
        await cluster.stop()
    }
}
