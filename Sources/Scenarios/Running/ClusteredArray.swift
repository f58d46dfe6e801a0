// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import VirtualCluster

/// The array of a scenario, as mdadm is asked for it.
enum ClusteredArray {
    static let path = "/dev/md0"

    static func createArguments(_ instance: ScenarioInstance) -> [String] {
        let array = instance.scenario.array
        var arguments = [
            "--create", path, "--run", "--bitmap=clustered", "--nodes=\(max(array.slots ?? 0, instance.nodes))",
            "--metadata=1.2",
            "--homehost=none", "--level=\(instance.level.number)", "--raid-devices=\(array.devices)",
        ]
        if instance.level == .raid10 { arguments.append("--layout=n2") }
        if array.spares > 0 { arguments.append("--spare-devices=\(array.spares)") }
        if array.assumeClean { arguments.append("--assume-clean") }
        if let size = array.sizeMiB { arguments.append("--size=\(size)M") }
        if let chunk = array.bitmapChunkMiB { arguments.append("--bitmap-chunk=\(chunk)M") }
        return arguments + array.devicePaths
    }
}

extension StepRunner {
    /// Creates the array on node1 and assembles it on the others, in order: md's slots are given in the order of
    /// joining.
    func startArray() async throws {
        let nodes = await situation.answering
        guard let first = nodes.first else { throw StepProblem.lab("no node answers") }
        cluster.note(.step, node: first.id, "create the array", [:])
        try await mdadm(first, ClusteredArray.createArguments(instance), limit: 60)
        for node in nodes.dropFirst() { try await assemble(node) }
        cluster.note(.array, node: nil, "\(instance.level.rawValue) on \(nodes.count) nodes", [:])
    }

    /// Assembles the array on one node. Its superblocks may not be there yet when another node is just creating it, so
    /// the condition for beginning is that `mdadm --examine` can read the last one.
    func assemble(_ node: any NodeControl) async throws {
        cluster.note(.step, node: node.id, "assemble the array", [:])
        let devices = instance.scenario.array.devicePaths
        let clock = ContinuousClock()
        let end = clock.now + patience.limit(20)
        for device in devices.suffix(1) {
            while try await node.run(["mdadm", "--examine", device], limit: patience.limit(20)).status != 0 {
                if clock.now >= end {
                    throw StepProblem.limit(
                        what: "\(node.id) reads a superblock from \(device)", seconds: 20 * patience.slowness,
                        observed: [])
                }
                try await Task.sleep(for: Self.pollInterval)
            }
        }
        try await mdadm(node, ["--assemble", ClusteredArray.path] + devices, limit: 60)
    }
}
