// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import GuestImage
import VirtualCluster

extension ClusterFailure: Worded {
    var exitCode: Int32 {
        switch self {
        case .qemuMissing, .noSuchNode: Exit.usage
        case .interrupted: Exit.interrupted
        case .nodeDied, .commandTimedOut, .refused, .notBooted, .agentVersion, .noCluster, .qemuFailed: Exit.untestable
        }
    }

    var line: String {
        switch self {
        case .nodeDied(let node, let console):
            "\(node)'s QEMU ended" + Self.quote(console) + "; the record's \(node)/qemu.log and console.log say more."
        case .commandTimedOut(let node, let argv, let seconds):
            "\(node): '\(argv.joined(separator: " ").prefix(120))' did not end in \(Self.round(seconds)) s: "
                + "look at \(node)/snapshots of the record for what it waits for."
        case .refused(let node, let action, let reason): "\(node): \(action.prefix(200)): \(reason)."
        case .notBooted(let node, let seconds, let console):
            "\(node) did not come up in \(Self.round(seconds)) s" + Self.quote(console)
                + "; look at \(node)/console.log of the record, and try again on a less busy machine."
        case .agentVersion(let node, let agent, let host):
            "\(node) runs \(agent < 0 ? "something that is not this version's agent" : "agent version \(agent)"), "
                + "mdlab speaks version \(host): run make build, and remove the folder clusters of the cache."
        case .noCluster(let node, let seconds, let reason):
            "\(node) did not become a member of the cluster after \(Self.round(seconds)) s (\(reason.prefix(300))): "
                + "look at \(node)/corosync.log and kmsg.log of the record."
        case .qemuMissing(let program):
            "\(program) is not there: run scripts/bootstrap, or apt-get install qemu-system-x86."
        case .qemuFailed(let node, _, let errors): "\(node)'s QEMU could not be started: \(errors)."
        case .noSuchNode(let name, let nodes):
            "there is no \(name): the nodes are \(nodes.map(\.description).joined(separator: ", "))."
        case .interrupted: "interrupted."
        }
    }

    /// The last thing that the console said, if it said anything.
    private static func quote(_ console: [String]) -> String {
        console.last.map { " (last on its console: '\($0)')" } ?? ""
    }

    private static func round(_ seconds: Double) -> Int { Int(seconds.rounded(.up)) }
}

extension GuestImageError: Worded {
    var exitCode: Int32 { Exit.usage }

    var line: String {
        switch self {
        case .badLine(let file, let line, let text):
            "\(file)\(line > 0 ? ":\(line)" : ""): '\(text)' is not 'program PATH', 'library NAME' or 'module NAME': mend the line."
        case .missingProgram(let path, let root):
            "\(path) is not in \(root.isEmpty ? "/" : root): add its package to vm/guest-packages."
        case .missingLibrary(let name, let user, let root):
            "\(name), which \(user) needs, is not in \(root.isEmpty ? "/" : root): add its package to vm/guest-packages."
        case .notELF(let path): "\(path) is not an ELF program: vm/guest.files must name programs, not scripts."
        case .unreadable(let path, _) where path.hasSuffix("mdlab-agent"):
            "the agent \(path) is not built: run make build."
        case .unreadable(let path, let errno):
            "\(path) cannot be read (errno \(errno)): make it readable, or remove it and run again."
        }
    }
}
