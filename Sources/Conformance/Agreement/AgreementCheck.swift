// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import RunRecord

/// Check (c): at rest all nodes agree, with each other and with the superblocks.
///
/// The disks are shared, so superblocks are common to all nodes; what each node has of its own is what sysfs shows.
/// Nodes are compared with the first one, file by file; then each node with the superblocks of the members it calls in
/// sync. A device that another node has not confirmed yet (Candidate) looks like a spare and is compared as one.
public struct AgreementCheck: Sendable {
    public static let name = "agreement"

    /// - Parameters:
    ///   - views: each living node's running arrays; an empty list for a node whose array is stopped.
    ///   - superblocks: per node, the superblocks read with its snapshot.
    static func result(_ views: [NodeID: [NodeArray]], superblocks: [NodeID: [SuperblockView]]) -> CheckResult {
        var differences: [Finding] = []
        var undecided: [Finding] = []
        var seen: [String] = []
        var atRest = true
        let arrays = Set(views.values.joined().map(\.name)).sorted()
        if arrays.isEmpty {
            undecided.append(Finding("no snapshot \"final\" of a node on which an array runs"))
        }
        for (node, list) in views.sorted(by: { $0.key < $1.key }) where list.isEmpty {
            seen.append("\(node): no array runs there; left out")
        }
        for array in arrays {
            let copies = views.values.joined().filter { $0.name == array }.sorted { $0.node < $1.node }
            for copy in copies {
                if let action = copy.action {
                    atRest = false
                    undecided.append(
                        Finding(
                            "/sys/block/\(array)/md/sync_action says \(action): the array is not at rest",
                            node: copy.node.description))
                }
            }
            for copy in copies.dropFirst() { differences += compare(copies[0], copy) }
            for copy in copies { compare(copy, superblocks[copy.node] ?? [], &differences, &undecided) }
            seen.append(summary(copies, superblocks))
        }
        // While something is under way a difference is no surprise.
        let answer: CheckAnswer =
            !differences.isEmpty && atRest ? .fails : undecided.isEmpty ? .holds : .notDecided
        return CheckResult(name: name, answer: answer, findings: differences + undecided, seen: seen)
    }

    /// Two nodes' views of one array.
    private static func compare(_ left: NodeArray, _ right: NodeArray) -> [Finding] {
        var findings: [Finding] = []
        func differ(_ file: String, _ first: String, _ second: String) {
            if first == second { return }
            findings.append(
                Finding(
                    "/sys/block/\(left.name)/\(file): \(left.node) says \(first), \(right.node) says \(second)",
                    node: right.node.description,
                    fact: FindingFact(
                        .differs, file.hasPrefix("md/") ? String(file.dropFirst(3)) : file,
                        [left.node.description: first, right.node.description: second])))
        }
        for file in NodeArray.commonFiles {
            differ(file, left.common[file] ?? "nothing", right.common[file] ?? "nothing")
        }
        for device in Set(left.devices.keys).union(right.devices.keys).sorted() {
            guard let first = left.devices[device], let second = right.devices[device] else {
                differ(
                    "md/dev-\(device)", left.devices[device] == nil ? "no such member" : "a member",
                    right.devices[device] == nil ? "no such member" : "a member")
                continue
            }
            differ("md/dev-\(device)/slot", slot(first.slot), slot(second.slot))
            differ("md/dev-\(device)/state", words(first.state), words(second.state))
        }
        return findings
    }

    /// One node's view and the superblocks.
    private static func compare(
        _ view: NodeArray, _ superblocks: [SuperblockView], _ differences: inout [Finding], _ undecided: inout [Finding]
    ) {
        let node = view.node.description
        func differ(_ device: String, _ text: String) {
            differences.append(Finding(text, node: node, fact: FindingFact(.superblock, device)))
        }
        let root = "/sys/block/\(view.name)/md"
        let blocks = Dictionary(superblocks.map { ($0.disk, $0) }, uniquingKeysWith: { first, _ in first })
        let members = view.devices.filter(\.value.isInSync).keys.sorted()
        let known = members.compactMap { blocks[$0] }
        for member in members where blocks[member] == nil {
            undecided.append(Finding("no valid superblock of \(member) in the snapshot", node: node))
        }
        guard let first = known.first else {
            if members.isEmpty { undecided.append(Finding("no member of \(view.name) is in sync", node: node)) }
            return
        }
        for block in known {
            if block.events != first.events {
                differ(
                    block.disk,
                    "the superblock of \(block.disk) has events \(block.events), that of \(first.disk) \(first.events), and both are in sync"
                )
            }
            if let number = view.number("md/raid_disks"), number != block.raidDisks {
                differ(
                    block.disk,
                    "\(root)/raid_disks is \(number), the superblock of \(block.disk) says \(block.raidDisks)")
            }
            // component_size counts KiB, the superblock sectors.
            if let size = view.number("md/component_size"), UInt64(size) * 2 != block.size {
                differ(
                    block.disk,
                    "\(root)/component_size is \(size) KiB, the superblock of \(block.disk) says \(block.size) sectors")
            }
        }
        // The roles of all members, as the newest superblock has them.
        let newest = known.max { $0.events < $1.events } ?? first
        for (name, device) in view.devices.sorted(by: { $0.key < $1.key }) {
            guard let block = blocks[name] else { continue }
            guard newest.roles.indices.contains(block.number) else {
                differ(
                    name, "the superblock of \(newest.disk) has no role for number \(block.number), which is \(name)")
                continue
            }
            let role = newest.roles[block.number]
            let expected = device.isFaulty ? "faulty or spare" : device.slot.map { "slot \($0)" } ?? "spare"
            let isOut = role == .faulty || role == .spare
            let agrees = device.isFaulty ? isOut : device.slot.map { role == .active($0) } ?? isOut
            if !agrees {
                differ(
                    name,
                    "\(root)/dev-\(name) is \(expected), the superblock of \(newest.disk) gives it \(roleName(role))")
            }
        }
    }

    private static func summary(_ copies: [NodeArray], _ superblocks: [NodeID: [SuperblockView]]) -> String {
        let first = copies[0]
        let devices = first.devices.sorted { $0.key < $1.key }.map {
            "\($0.key) \(slot($0.value.slot)) \(words($0.value.state))"
        }
        let events = Set(
            (superblocks[first.node] ?? []).filter { first.devices[$0.disk]?.isInSync == true }.map(\.events)
        ).sorted()
        return
            "\(first.name) on \(copies.map(\.node.description).joined(separator: ", ")): raid_disks \(first.common["md/raid_disks"] ?? "?"), "
            + "degraded \(first.common["md/degraded"] ?? "?"), \(first.common["md/component_size"] ?? "?") KiB; "
            + devices.joined(separator: ", ") + "; events \(events.map(String.init).joined(separator: "/"))"
    }

    private static func slot(_ slot: Int?) -> String { slot.map(String.init) ?? "none" }
    private static func words(_ state: Set<String>) -> String { state.sorted().joined(separator: ",") }
    private static func roleName(_ role: Superblock.Role) -> String {
        switch role {
        case .active(let slot): "slot \(slot)"
        case .spare: "spare"
        case .faulty: "faulty"
        case .journal: "journal"
        }
    }
}
