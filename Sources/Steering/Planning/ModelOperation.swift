// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import MDClusterModel

/// An operation of the model's workload as a command for a real array. The model's nodes work on a device each, b or c,
/// while other mirrors stay; so the array has four mirrors, and a device that is added was not in it before.
struct ModelOperation: Sendable, Equatable {
    var name: String
    var node: NodeID
    /// Which of the node's processes, from 0, and which of its operations, from 0.
    var process: Int
    var number: Int
    /// What a shell is given.
    var command: String

    /// In the order of the workload. Throws `unsupportedOperation` for what a schedule has no command for.
    static func all(of workload: Workload) throws(PlanError) -> [ModelOperation] {
        var result: [ModelOperation] = []
        for (node, processes) in workload.processes.enumerated() {
            let adds = processes.contains { $0.first == "add" }
            for (process, names) in processes.enumerated() {
                for (number, name) in names.enumerated() {
                    let letter = node % 2 == 0 ? "b" : "c"
                    let disk = adds ? (node % 2 == 0 ? "vde" : "vdf") : "vd\(letter)"
                    guard let (title, line) = command(name, node + 1, letter, disk) else {
                        throw .unsupportedOperation(name)
                    }
                    let same = result.count { $0.name == title || $0.name.hasPrefix("\(title).") }
                    result.append(
                        ModelOperation(
                            name: same == 0 ? title : "\(title).\(same + 1)", node: NodeID(node + 1), process: process,
                            number: number, command: line))
                }
            }
        }
        return result
    }

    private static func command(_ name: String, _ node: Int, _ letter: String, _ disk: String) -> (String, String)? {
        let folder = "/sys/block/md0/md/"
        return switch name {
        case "fail": ("fail-\(letter)", "mdadm /dev/md0 --fail /dev/\(disk)")
        case "remove": ("remove-\(letter)", "mdadm /dev/md0 --remove /dev/\(disk)")
        case "sysfs-remove": ("remove-\(letter)", "echo remove > \(folder)dev-\(disk)/state")
        case "re-add": ("re-add-\(letter)", "echo re-add > \(folder)dev-\(disk)/state")
        case "add": ("add-\(letter)", "mdadm /dev/md0 --add /dev/\(disk)")
        case "grow": ("grow-\(node)", "echo 49152 > \(folder)component_size")
        case "resync": ("repair-\(node)", "echo repair > \(folder)sync_action")
        case "suspend": ("suspend-\(node)", "echo 64 > \(folder)suspend_lo")
        case "stop": ("stop-\(node)", "mdadm --stop /dev/md0")
        default: nil
        }
    }
}

extension Workload {
    /// What stands in a schedule for the array that its operations need.
    var arrayLines: [String] {
        let names = processes.joined().joined()
        return [
            "disk-size: 64M", "disks: \(names.contains("add") ? 6 : 4)",
            "array: {devices: 4, assume-clean: true\(names.contains("grow") ? ", size: 32M" : "")}",
        ]
    }
}
